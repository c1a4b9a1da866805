"""Indexing a list of segments: which frames they hold, what is refused, and the plan of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import copy_project, planned, run, snakemake, textured, write_video
from drawn_levels import write_levels
from segment_lists import EVERY_40, HEAD, SPLIT, frames, index, write_videos

from twostream.config.loading import parse
from twostream.config.sources import Dataset
from twostream.extraction.store import Store
from twostream.files import UserError
from twostream.plan.datasets import SegmentsDataset
from twostream.videos.decoding import BadVideoError
from twostream.videos.index import read_index, recordings
from twostream.videos.segment_list import read_segments
from twostream.videos.segments import overlapping


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with the three videos."""
    monkeypatch.chdir(tmp_path)
    write_videos()
    return tmp_path


def test_a_segment_holds_the_frames_from_its_start_to_before_its_end(here, monkeypatch):
    rows = "a.mkv,Run,0.08,0.2,train\na.mkv,Walk,0.2,0.321,train\na.mkv,Walk,0.321,0.8,train\n"
    found, skipped, record = index(monkeypatch, rows + SPLIT)
    # Frame k is shown at 40 k ms: those at 80, 120 and 160; at 200, ..., 320; and from 360 on.
    assert frames(found, "a.mkv") == [[2, 3, 4], [5, 6, 7, 8], list(range(9, 20))]
    assert found["file"].tolist()[:2] == ["a.mkv#frames=2:5", "a.mkv#frames=5:9"]
    assert found[["start", "end"]].to_numpy().tolist()[:2] == [[0.08, 0.2], [0.2, 0.321]]
    assert skipped.empty and (record["videos"], record["skipped"], record["not_had"]) == (5, 0, 0)
    assert found["group"].tolist() == ["a.mkv"] * 3 + ["b.mkv"] * 2
    assert found["sha256"].nunique() == 2 and record["cut_short"] == record["overlapping"] == []


def test_frames_are_found_by_their_times_where_the_rate_varies(here, monkeypatch):
    rows = "uneven.mkv,Run,0,0.047,train\nuneven.mkv,Walk,0.047,0.201,train\nuneven.mkv,Run,0.201,1,train\n"
    found, _, _ = index(monkeypatch, rows + SPLIT)
    # Shown at 0, 10 | 47, 50, 200 | 201, 205, 900 and 950 ms.
    assert frames(found, "uneven") == [[0, 1], [2, 3, 4], [5, 6, 7, 8]]


def test_segments_that_cannot_be_used_are_all_named(here, monkeypatch):
    Path("videos/empty.mkv").touch()
    rows = (
        "a.mkv,Run,0,0.4,train\na.mkv,Walk,0.4,0.8,train\n"
        "a.mkv,Run,0.81,0.85,train\na.mkv,Run,7,9,train\na.mkv,Run,0.1,0.13,train\na.mkv,Run,0.6,1.81,train\n"
        "gone.mkv,Run,0,1,train\nempty.mkv,Run,0,1,train\n"
    )
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, rows + SPLIT)
    said = str(caught.value)
    assert said.startswith("6 of 10 videos cannot be used") and "on_bad_video: skip" in said
    for problem in (
        "a.mkv: from 0.81 to 0.85 s: the video ends at 0.80 s",
        "a.mkv: from 7 to 9 s: the video ends at 0.80 s",
        "a.mkv: from 0.1 to 0.13 s: it has only 1 frame",
        "a.mkv: from 0.6 to 1.81 s: the video ends at 0.80 s",
        "gone.mkv: the file does not exist",
        "empty.mkv: no frame can be decoded",
    ):
        assert problem in said
    assert not Path("mine.csv").exists()
    found, skipped, record = index(monkeypatch, rows + SPLIT, on_bad="skip")
    assert len(found) == 4 and record["skipped"] == len(skipped) == 6 and record["not_had"] == 0
    assert skipped.columns.tolist() == ["file", "start", "end", "reason"]
    assert skipped["start"].tolist() == [0.1, 0.6, 0.81, 7, 0, 0]


def test_overlaps_and_ends_that_are_rounded_up_are_told_and_taken(here, monkeypatch, capsys):
    rows = "a.mkv,Run,0,0.4,train\na.mkv,Walk,0.36,1,train\n"
    found, _, record = index(monkeypatch, rows + SPLIT)
    assert frames(found, "a.mkv") == [list(range(10)), list(range(9, 20))]
    assert record["overlapping"] == ["a.mkv: frames 0 to 9 and 9 to 19"] and record["cut_short"] == ["a.mkv"]
    said = capsys.readouterr().err
    assert "segments overlap: a.mkv" in said and "the video ends earlier than the segment: a.mkv" in said
    with pytest.raises(UserError, match=r"two segments have the same frames: a\.mkv#frames=0:10"):
        index(monkeypatch, "a.mkv,Run,0,0.4,train\na.mkv,Walk,0,0.39,train\n" + SPLIT)


def test_a_segment_within_another_and_one_after_it_overlap_with_the_long_one():
    names = [f"a#frames={first}:{end}" for first, end in ((0, 100), (10, 20), (50, 60), (100, 120))]
    assert overlapping([*names, "b#frames=110:130", "c"]) == [
        "a: frames 0 to 99 and 10 to 19",
        "a: frames 0 to 99 and 50 to 59",
    ]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "a,X,1,2,train\na,X,3,3,train\nb,X,5,4,test\n",
            "2 segments .*line 3: ends at 3 .*line 4: ends at 4 ",
        ),
        ("a,X,-1,2,train\n", "line 2: starts at -1 s, before the video"),
        (
            "a,X,one,2,train\na,X,1,,train\na,X,nan,2,train\n",
            "line 2: start is.*line 3: end is.*line 4",
        ),
        ("a,X,1,2,train\nb,X,1,2,test\na,Y,1.0,2,train\n", "line 4: is listed before"),
        ("a,X,1,2,train\na,Y,3,4,test\n", "segments of one group are on both sides of split1: a;"),
        ("a.mp4,X,1,2,train\n./x/../a.mp4,Y,3,4,test\n", "on both sides of split1: a.mp4;"),
        ("a,X,1,2,tset\n", "'tset'"),
        ('a,X,"1,000","1,900",train\n', "line 2: start may be thousands or thousandths"),
        ("a,X,1,1e9999999,train\nb,X,1e-9999999,2,train\n", "line 2: end is no .*line 3: start is no"),
        ("a#frames=0:3,X,1,2,train\n", "line 2: .*rename the file"),
        (".,X,1,2,train\n", "line 2: . is the folder itself"),
        (f"{'a' * 256},X,1,2,train\n", "line 2: .*longer than a file's name may be"),
        ("", "list.csv: lists no segments"),
    ],
)
def test_a_list_of_what_are_no_segments_is_refused(tmp_path, rows, said):
    (tmp_path / "list.csv").write_text(HEAD + rows)
    with pytest.raises(UserError, match=f"(?s){said}"):
        read_segments(tmp_path / "list.csv", 1, tmp_path)


def test_groups_may_be_listed_and_hold_several_files(tmp_path):
    head, rows = "file,class,start,end,group,split\n", "a,X,1,2,g,train\nb,X,1,2,g,test\n"
    (tmp_path / "list.csv").write_text(head + rows)
    with pytest.raises(UserError, match="both sides of split1: g;"):
        read_segments(tmp_path / "list.csv", 1, tmp_path)
    (tmp_path / "list.csv").write_text(head + "a,X,1,2,g,train\na,X,2,3,h,train\n")
    with pytest.raises(UserError, match="more than one group for a"):
        read_segments(tmp_path / "list.csv", 1, tmp_path)


def test_a_checksum_may_be_listed_once_for_all_lines_of_a_file(tmp_path):
    head, rows = "file,class,start,end,sha256,split\n", "a,X,1,2,,train\na,X,2,3,{},train\nb,X,1,2,,test\n"
    (tmp_path / "list.csv").write_text(head + rows.format("A" * 64))
    assert read_segments(tmp_path / "list.csv", 1, tmp_path)["sha256"].tolist() == ["a" * 64, "a" * 64, ""]
    (tmp_path / "list.csv").write_text(head + rows.format("1234"))
    with pytest.raises(UserError, match="line 3: sha256 is '1234', not 64 hexadecimal digits"):
        read_segments(tmp_path / "list.csv", 1, tmp_path)


def test_lists_as_kinetics_has_them(here, monkeypatch):
    head = "label,youtube_id,time_start,time_end,split,is_cc\n"
    rows = "Run,a,0,0.4,train,0\nWalk,a,0.4,0.8,train,0\nRun,b,0,0.4,validate,0\nWalk,b,0.4,0.8,val,1\n"
    found, _, _ = index(monkeypatch, rows, head=head)
    assert found["file"].tolist()[0] == "a.mkv#frames=0:10" and found["group"].tolist() == list("aabb")
    assert found["split1"].tolist() == ["train", "train", "test", "test"]
    Path("videos/a.mp4").touch()
    with pytest.raises(UserError, match=r"a may be a\.mkv, a\.mp4; list it with its ending"):
        index(monkeypatch, rows, head=head)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lists_are_read_as_spreadsheets_write_them(tmp_path, encoding):
    rows = "file;class;start;end;split\nö.mp4;Gehen;0,500;2,25;Train\n"
    (tmp_path / "list.csv").write_text(rows, encoding)
    table = read_segments(tmp_path / "list.csv", 1, tmp_path)
    assert table.astype(str).to_numpy().tolist() == [["ö.mp4", "Gehen", "ö.mp4", "1/2", "9/4", "train"]]


def test_a_recording_is_a_group_whatever_its_classes(here, monkeypatch):
    found, _, _ = index(monkeypatch, "a.mkv,Run,0,0.4,train\na.mkv,Walk,0.4,0.8,train\n" + SPLIT)
    assert recordings(found) == ["a.mkv", "a.mkv", "b.mkv", "b.mkv"]
    whole = found.drop(columns="recording")
    assert recordings(whole) == ["Run/a.mkv", "Walk/a.mkv", "Run/b.mkv", "Walk/b.mkv"]


def test_written_text_is_no_video_though_it_can_be_decoded(here, monkeypatch):
    Path("videos/c.txt").write_text("Sign in to go on.\n" * 40)
    with pytest.raises(UserError, match=r"videos/c\.txt: is text, and no video"):
        index(monkeypatch, "c.txt,Run,0,1,train\na.mkv,Walk,0,0.4,train\n" + SPLIT)


# --- The plan ---


def dataset(**source: str) -> SegmentsDataset:
    settings = {"source": {"kind": "segments", "list": "list.csv"} | source, "splits": 1, "shards": 1}
    parsed = parse(Dataset, settings, "test")
    return SegmentsDataset("mine", parsed, parsed.source, "stop")


def test_the_plan_sees_an_edit_of_the_list_and_files_that_come_and_go(here):
    Path("list.csv").write_text(HEAD + "a.mkv,Run,0,0.4,train\nx.mkv,Walk,1,3,train\n" + SPLIT)
    mine = dataset(folder="videos")
    before = mine.recipe()
    Path("videos/x.mkv").write_bytes(b"here")
    assert mine.recipe() != before
    Path("videos/other.mkv").write_bytes(b"not listed")
    Path("list.csv").write_text(Path("list.csv").read_text().replace("0.4,train", "0.5,train"))
    Path("videos/x.mkv").unlink()
    assert mine.recipe() != before
    Path("list.csv").write_text(Path("list.csv").read_text().replace("0.5,train", "0.4,train"))
    assert mine.recipe() == before
    # On average 0.8 s of 25 frames.
    assert (mine.size(None).count, mine.size(None).frames, mine.size(None).classes) == (4, 20, 2)
    assert mine.kept(mine.size(None)) == {}
    with pytest.raises(UserError, match=r"no folder elsewhere, .*datasets\.mine\.source\.folder"):
        dataset(folder="elsewhere").recipe()


def test_fetched_videos_are_no_part_of_the_plan_and_are_not_shared(here):
    Path("list.csv").write_text(HEAD + "http://127.0.0.1/a.mkv,Run,0,0.4,train\n")
    mine = dataset()
    before = mine.recipe()
    assert mine.folder == "data/official/mine" and list(mine.kept(mine.size(None))) == [mine.folder]
    write_levels(Path("data/official/mine/127.0.0.1/a.mkv"), EVERY_40)
    assert mine.recipe() == before


def test_segments_are_of_videos():
    settings = {"source": {"kind": "segments", "list": "a.csv"}, "splits": 1, "shards": 1, "media": "images"}
    with pytest.raises(UserError, match="segments are of videos"):
        parse(Dataset, settings, "test")


# --- The whole workflow ---


def test_segments_lead_to_a_table_that_says_of_how_many(tmp_path):
    """Six files of three segments, two classes in each; a seventh is gone, and left out."""
    folder = copy_project(tmp_path / "project")
    rows = []
    for number in range(6):
        write_video(folder / f"mine/{number}.avi", [textured(64, 80, 40 * number + k) for k in range(36)])
        part = "train" if number < 4 else "test"
        rows += [f"{number}.avi,{c},{k * 0.48},{k * 0.48 + 0.44},{part}" for k, c in enumerate("XYX")]
    (folder / "list.csv").write_text(HEAD + "\n".join([*rows, "gone.avi,X,0,1,train"]) + "\n")
    source = {"kind": "segments", "list": "list.csv", "folder": "mine"}
    with edited(folder / "config/scale/demo.yaml") as scale:
        scale["datasets"]["mine"] = {"source": source, "splits": 1, "shards": 1}
        scale["roles"] = {"primary": "mine"}
    with edited(folder / "config/benchmark.yaml") as benchmark:
        rows = benchmark["tables"]["table3"]["rows"]
        benchmark["tables"]["table3"]["rows"] = [rows[0] | {"run": "flow-10"}]
    refused = snakemake(folder, "--", "data/videos/mine.csv")
    assert refused.returncode and "mine/gone.avi: the file does not exist" in refused.stdout
    wanted = ["--config", "on_bad_video=skip", "--", "report/table3.html", "report/datasets/mine.html"]
    run(folder, *wanted, "data/frames/mine/0.zip")
    assert planned(folder, *wanted) == {}
    assert "Left out of mine: 1 of 19 listed videos." in (folder / "report/table3.html").read_text()
    described = (folder / "report/datasets/mine.html").read_text()
    assert "18 from 6 files" in described and "gone.avi" in described
    names = read_index(folder / "data/videos/mine.csv")["file"].tolist()
    assert names[:3] == [f"0.avi#frames={first}:{first + 11}" for first in (0, 12, 24)]
    frames, flow = (Store([folder / f"data/{kind}/0.zip"]) for kind in ("frames/mine", "flow/mine/forward"))
    assert {(frames.length(name), flow.length(name)) for name in names} == {(11, 10)}
    assert pd.read_csv(folder / "results/table3.csv")["test_videos"].tolist() == [6]


@contextmanager
def edited(file: Path) -> Iterator[dict]:
    content = yaml.safe_load(file.read_text())
    yield content
    file.write_text(yaml.safe_dump(content, sort_keys=False))

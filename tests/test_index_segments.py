"""Indexing a list of segments: which frames they hold, what is refused, and how videos are fetched."""

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import index_segments as script
import pandas as pd
import pytest
import yaml
from conftest import copy_project, planned, run, snakemake, textured, write_video
from drawn_levels import levels, write_levels
from local_server import Served

from twostream import downloads
from twostream.config.loading import parse
from twostream.config.sources import Dataset, Segments
from twostream.extraction.store import Store
from twostream.files import UserError
from twostream.plan.datasets import SegmentsDataset
from twostream.videos.decoding import BadVideoError
from twostream.videos.index import read_index, recordings
from twostream.videos.segment_list import read_segments
from twostream.videos.segments import overlapping

HEAD = "file,class,start,end,split\n"
EVERY_40 = [40 * number for number in range(20)]
UNEVEN = [0, 10, 47, 50, 200, 201, 205, 900, 950]
SPLIT = "b.mkv,Run,0,0.4,test\nb.mkv,Walk,0.4,0.8,test\n"


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with three videos of known frames below `videos`."""
    monkeypatch.chdir(tmp_path)
    write_levels(Path("videos/a.mkv"), EVERY_40)
    write_levels(Path("videos/b.mkv"), [time + 1 for time in EVERY_40])
    write_levels(Path("videos/uneven.mkv"), UNEVEN)
    return tmp_path


def index(
    monkeypatch,
    rows: str,
    folder: str | None = "videos",
    on_bad: str = "stop",
    head: str = HEAD,
    **source: str,
) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Run the script on a list; return the index, the report on what was left out, and the record."""
    Path("list.csv").write_text(head + rows)
    source |= {"kind": "segments", "list": "list.csv"} | ({"folder": folder} if folder else {})
    options = ["--recipe", json.dumps({"media": "videos", "splits": 1, "listing": ""})]
    options += [
        "--dataset",
        "mine",
        "--source",
        json.dumps(source),
        "--folder",
        folder or "data/official/mine",
    ]
    options += ["--on-bad-video", on_bad, "--skipped", "mine.skipped.csv", "--out", "mine.csv"]
    monkeypatch.setattr(sys, "argv", ["index_segments.py", *options])
    script.main()
    record = json.loads(Path("mine.record.json").read_text())
    return read_index("mine.csv"), pd.read_csv("mine.skipped.csv"), record


def frames(found: pd.DataFrame, file: str, folder: str = "videos") -> list[list[int]]:
    return [levels(f"{folder}/{name}") for name in found["file"] if name.startswith(file)]


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


# --- Fetching ---


def served(server, *names: str) -> None:
    for name in names:
        server.files[f"/v/{name}"] = Served(Path(f"videos/{name}").read_bytes(), type="video/x-matroska")


def addressed(server, *names: str) -> str:
    parts = {"a.mkv": "train", "b.mkv": "test"}
    return "".join(
        f"{server.url(f'/v/{name}')},{label},{start},{start + 0.4},{parts.get(name, 'train')}\n"
        for name in names
        for label, start in (("Run", 0), ("Walk", 0.4))
    )


def test_addresses_are_fetched_once_and_their_checksums_recorded(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    found, _, _ = index(monkeypatch, addressed(server, "a.mkv", "b.mkv"), folder=None)
    place = f"127.0.0.1:{server.server_port}/v"
    assert found["file"].tolist()[0] == f"{place}/a.mkv#frames=0:10"
    assert frames(found, f"{place}/a.mkv", "data/official/mine") == [list(range(10)), list(range(10, 20))]
    known = json.loads(Path("config/checksums/mine.json").read_text())
    digest = sha256(Path("videos/a.mkv").read_bytes()).hexdigest()
    assert known[server.url("/v/a.mkv")]["sha256"] == digest == found["sha256"][0]
    asked = len(server.asked)
    index(monkeypatch, addressed(server, "a.mkv", "b.mkv"), folder=None)
    assert len(server.asked) == asked == 2
    assert sorted(path.name for path in Path("data/official/mine").rglob("*") if path.is_file()) == [
        "a.mkv",
        "b.mkv",
    ]


def test_those_that_are_gone_are_all_named_and_the_next_call_goes_on(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    rows = addressed(server, "a.mkv", "x.mkv", "y.mkv", "b.mkv")
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, rows, folder=None)
    assert str(caught.value).startswith("4 of 8 videos cannot be used")
    for name in ("x.mkv", "y.mkv"):
        assert f"{server.url(f'/v/{name}')}: the server answers 404" in str(caught.value)
    server.asked.clear()
    _, skipped, record = index(monkeypatch, rows, folder=None, on_bad="skip")
    assert [path for path, _ in server.asked] == ["/v/x.mkv", "/v/y.mkv"]
    assert (record["videos"], record["skipped"], record["not_had"]) == (4, 4, 4)
    assert skipped["reason"].str.contains("404").all()
    assert not Path("data/official/mine/.fetching").exists()


def test_a_video_that_is_not_the_listed_one_is_not_taken(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    right = sha256(Path("videos/b.mkv").read_bytes()).hexdigest()
    head = HEAD.replace("file", "sha256,file")
    rows = addressed(server, "a.mkv", "b.mkv").splitlines(keepends=True)
    sums = [f"{'0' * 64},{row}" for row in rows[:2]] + [f"{right.upper()},{row}" for row in rows[2:]]
    with pytest.raises(BadVideoError, match=r"(?s)^2 of 4 .*sha256 is [0-9a-f]{64} and should be 000"):
        index(monkeypatch, "".join(sums), folder=None, head=head)
    mine = f"{'0' * 64},a.mkv,Run,0,1,train\n{right},b.mkv,Run,0,1,test\n"
    with pytest.raises(BadVideoError, match=r"a.mkv: its sha256 is [0-9a-f]{64}, and the list has 000"):
        index(monkeypatch, mine, head=head)


COPY = """
import shutil, sys
from pathlib import Path
address, out = sys.argv[1:]
name = address.rpartition("=")[2]
source = Path("videos", name + ".mkv")
print("looking for", name)
if not source.exists():
    Path(out + ".part").write_text("half of it")
    print("ERROR: Video unavailable; 'gone' $HOME")
    sys.exit(3)
shutil.copy(source, out + ".mkv")
"""


@pytest.fixture
def command(here) -> str:
    Path("copy it.py").write_text(COPY)
    return f"{sys.executable} 'copy it.py' https://example.org/watch?v={{address}} {{out}}"


IDS = "a,Run,0,0.4,train\na,Walk,0.4,0.8,train\nb,Run,0,0.4,test\nb,Walk,0.4,0.8,test\n"


def test_a_command_brings_videos_by_what_is_listed(command, monkeypatch):
    found, _, record = index(monkeypatch, IDS, folder=None, fetch=command)
    assert found["file"].tolist()[0] == "a#frames=0:10" and record["not_had"] == 0
    assert frames(found, "b", "data/official/mine") == [list(range(10)), list(range(10, 20))]
    assert sorted(path.name for path in Path("data/official/mine").iterdir()) == ["a", "b"]
    # What is there is not fetched again.
    index(monkeypatch, IDS, folder=None, fetch="no-such-program {address} {out}")


def test_a_command_that_fails_is_told_with_its_last_lines_and_leaves_no_half_video(command, monkeypatch):
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, IDS + "x,Run,0,1,train\ny,Run,0,1,train\n", folder=None, fetch=command)
    said = str(caught.value)
    assert said.startswith("2 of 6") and "official/mine/x: x: " in said and "official/mine/y: y: " in said
    assert "ends with 3: looking for x | ERROR: Video unavailable; 'gone' $HOME" in said
    assert not Path("data/official/mine/x").exists() and Path("data/official/mine/a").exists()
    # What a program has begun it may go on with, at the next call.
    assert len(list(Path("data/official/mine/.fetching").glob("*/*/video.part"))) == 2
    rows = IDS + "x,Run,0,1,train\n"
    _, skipped, record = index(monkeypatch, rows, folder=None, fetch=command, on_bad="skip")
    assert skipped["file"].tolist() == ["x"] and record["not_had"] == 1


def test_a_command_that_cannot_be_run_ends_at_once(here, monkeypatch):
    with pytest.raises(UserError, match="fetch: no-such-program cannot be run: No such file"):
        index(monkeypatch, IDS, folder=None, fetch="no-such-program {address} {out}", on_bad="skip")
    with pytest.raises(UserError, match="-b would be taken for an option of"):
        index(monkeypatch, IDS.replace("b,", "-b,"), folder=None, fetch="true {address} {out}", on_bad="skip")
    with pytest.raises(BadVideoError, match="a: true ends well, and has written no file where"):
        index(monkeypatch, IDS, folder=None, fetch="true {address} {out}")


WRITES = """
import shutil, sys
from pathlib import Path
how, address, out = sys.argv[1:]
source = Path("videos", address + ".mkv")
if how == "half" and Path(out).exists():
    print("it is there")
elif how == "half":
    Path(out).write_bytes(source.read_bytes()[:900])
    sys.exit(28)
elif how == "page":
    Path(out).write_text("<html>sign in</html>")
elif how == "notes":
    Path(out + ".info.json").write_text("{}")
else:
    Path(out + ".frag").mkdir()
    shutil.copy(source, out + (".mkv" if how == "beside" else ""))
    Path(out + ".info.json").write_text("{}")
"""


def test_only_what_this_very_command_has_written_is_taken(here, monkeypatch):
    Path("it.py").write_text(WRITES)

    def fetched(how: str) -> list[str]:
        fetch = f"{sys.executable} it.py {how} {{address}} {{out}}"
        return index(monkeypatch, IDS, folder=None, fetch=fetch, on_bad="skip")[0]["sha256"].tolist()

    def refused(how: str) -> str:
        with pytest.raises(UserError) as caught:
            fetched(how)
        return str(caught.value)

    halves = Path("data/official/mine/.fetching")
    assert "ends with 28: it says nothing" in refused("half") and halves.exists()
    # A program that leaves alone what it finds, and ends well, has fetched nothing.
    assert "has written no file where one video was to be: it is there" in refused("half")
    assert not halves.exists()
    for how in ("notes", "page"):
        assert "what it has written cannot be used (" in refused(how)
    # Neither what other commands have left matters, nor what is beside a video.
    sums = [sha256(Path(f"videos/{name}.mkv").read_bytes()).hexdigest() for name in "aabb"]
    refused("half")
    assert fetched("beside") == sums
    assert not halves.exists()


def test_what_was_recorded_of_an_address_is_asked_of_the_file_that_is_here(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    rows = addressed(server, "a.mkv", "b.mkv")
    index(monkeypatch, rows, folder=None)
    (place,) = Path("data/official/mine").glob("*/v/a.mkv")
    place.write_bytes(Path("videos/uneven.mkv").read_bytes())
    with pytest.raises(BadVideoError, match=r"(?s)^2 of 4 .*a.mkv: .*but at the first download it was"):
        index(monkeypatch, rows, folder=None)


def test_a_page_in_place_of_a_video_is_not_kept_and_does_not_count_once_the_server_is_mended(
    here, monkeypatch, server
):
    served(server, "a.mkv", "b.mkv")
    server.files["/v/a.mkv"] = Served(b"<html>sign in</html>", type="video/x-matroska")
    rows = addressed(server, "a.mkv", "b.mkv")
    with pytest.raises(BadVideoError, match=r"(?s)^2 of 4 .*a.mkv: what the server sends cannot be used"):
        index(monkeypatch, rows, folder=None)
    served(server, "a.mkv")
    assert len(index(monkeypatch, rows, folder=None)[0]) == 4


@pytest.fixture
def nobody(monkeypatch) -> Iterator[str]:
    """An address at which nobody listens; there is no waiting between tries."""
    monkeypatch.setattr(downloads, "FIRST_WAIT", 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_host_that_cannot_be_reached_is_waited_for_once(here, monkeypatch, nobody):
    rows = "".join(f"http://{nobody}/{name}.mkv,Run,0,1,train\n" for name in "xyz")
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, rows, folder=None)
    assert str(caught.value).count("(5 tries)") == 1
    assert str(caught.value).count(f"as {nobody} could not be reached for http://{nobody}/x.mkv") == 2


@pytest.mark.parametrize("moved", ["to nobody", "nowhere"])
def test_a_host_that_fails_for_one_file_is_asked_for_the_others(here, monkeypatch, server, nobody, moved):
    served(server, "a.mkv", "b.mkv")
    server.files["/v/0.mkv"] = Served(b"", moved=f"http://{nobody}/" if moved == "to nobody" else "")
    rows = addressed(server, "0.mkv", "a.mkv", "b.mkv")
    found, skipped, _ = index(monkeypatch, rows, folder=None, on_bad="skip")
    assert len(found) == 4 and skipped["reason"].str.contains(r"the connection fails.*\(5 tries\)").all()


def test_if_what_is_gone_leaves_nothing_to_train_on_the_reason_is_told(here, monkeypatch, server):
    served(server, "b.mkv")
    with pytest.raises(UserError) as caught:
        index(monkeypatch, addressed(server, "a.mkv", "b.mkv"), folder=None, on_bad="skip")
    said = str(caught.value)
    assert "split1 has no training video of the class Run" in said
    assert "2 of 4 videos were left out:" in said and said.count("the server answers 404") == 2


def test_files_outside_the_folder_are_refused_before_any_is_fetched(here, monkeypatch):
    Path("it.py").write_text(WRITES)
    fetch = f"{sys.executable} it.py beside {{address}} {{out}}"
    with pytest.raises(UserError, match=r"line 2: \.\./a lies outside data/official/mine"):
        index(monkeypatch, "../a,Run,0,1,train\n" + IDS, folder=None, fetch=fetch)
    assert not Path("data/official").exists() or not list(Path("data/official").rglob("*.mkv"))


def test_a_recording_is_a_group_whatever_its_classes(here, monkeypatch):
    found, _, _ = index(monkeypatch, "a.mkv,Run,0,0.4,train\na.mkv,Walk,0.4,0.8,train\n" + SPLIT)
    assert recordings(found) == ["a.mkv", "a.mkv", "b.mkv", "b.mkv"]
    whole = found.drop(columns="recording")
    assert recordings(whole) == ["Run/a.mkv", "Walk/a.mkv", "Run/b.mkv", "Walk/b.mkv"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://h/a/", "is no address of a file"),
        ("http://h/../a", "is no address"),
        ("http://h/a#1", "no `#`"),
    ],
)
def test_addresses_that_cannot_be_files_are_refused(here, monkeypatch, address, said):
    with pytest.raises(UserError, match=said):
        index(monkeypatch, f"{address},Run,0,1,train\n" + SPLIT)
    with pytest.raises(UserError, match="https://h/a and http://h/a would both be videos/h/a"):
        index(monkeypatch, "https://h/a,Run,0,1,train\nHTTP://h/a,Run,0,1,train\n" + SPLIT)
    with pytest.raises(UserError, match=r"https://h/a/b\.mkv: would lie below https://h/a, which is a file"):
        index(monkeypatch, "https://h/a/b.mkv,Run,0,1,train\nhttps://h/a,Run,0,1,train\n" + SPLIT)


# --- The configuration and the plan ---


@pytest.mark.parametrize(
    ("fetch", "said"),
    [
        ("yt-dlp {address}", "has the placeholders {out} and {address}"),
        ("yt-dlp -o {out} {address} {id}", "and no others"),
        ("yt-dlp -o '{out} {address}", "No closing quotation"),
        ("{address} {out}", "begins with a program"),
    ],
)
def test_a_command_that_cannot_work_is_refused(fetch, said):
    with pytest.raises(UserError, match=said):
        parse(Segments, {"kind": "segments", "list": "a.csv", "fetch": fetch}, "test")


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

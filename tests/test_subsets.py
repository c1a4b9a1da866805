"""Some of the videos of a published dataset: by a list with their checksums, with and without the lists."""

import csv
import json
import os
import sys
import threading
from functools import partial
from hashlib import sha256
from pathlib import Path

import download_videos
import pytest
from archive_writers import write_zip
from conftest import textured, write_video
from local_server import Served
from small_lists import UCF, write_ucf101

from twostream.config.loading import parse
from twostream.config.sources import Official
from twostream.files import UserError
from twostream.plan.datasets import OfficialDataset
from twostream.plan.rates import UPPER
from twostream.videos import official
from twostream.videos.index import read_index
from twostream.videos.official import listed_videos
from twostream.videos.official_lists import read_ucf101
from twostream.videos.subsets import read_subset, subset_digest

# Two of the three classes that the small official lists have.
CLASSES = ("HammerThrow", "Hammering")
FILES = [f"{name}/v_{name}_g{group:02d}_c01.avi" for name in CLASSES for group in (1, 2, 3)]
OTHER = "HandstandPushups/v_HandStandPushups_g01_c01.avi"
SUBSET = "subset.csv"


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, bytes]:
    """The videos of the subset and one that is not in it, each with bytes of its own."""
    folder = tmp_path_factory.mktemp("clips")

    def clip(number: int) -> bytes:
        return write_video(folder / "clip.avi", [textured(32, 40, number + t) for t in range(3)]).read_bytes()

    return {file: clip(10 * number) for number, file in enumerate([*FILES, OTHER])}


@pytest.fixture
def here(tmp_path: Path, monkeypatch, clips) -> Path:
    """A working folder with the subset's list, its clips in a bigger folder, and the small official lists."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(official, "READERS", {"ucf101": partial(read_ucf101, counts=UCF)})
    write_ucf101(tmp_path / "lists")
    for file, content in clips.items():
        (tmp_path / "mine/UCF-101" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine/UCF-101" / file).write_bytes(content)
    write_subset(rows(clips))
    return tmp_path


def rows(clips: dict[str, bytes]) -> list[dict[str, str]]:
    """What the subset lists, with the facts of the official lists: split s tests on group s."""
    return [
        {"file": file, "sha256": sha256(clips[file]).hexdigest(), "class": file.partition("/")[0]}
        | {"group": f"{group:02d}"}
        | {f"split{split}": "test" if split == group else "train" for split in (1, 2, 3)}
        for file, group in zip(FILES, (1, 2, 3) * 2, strict=True)
    ]


def write_subset(content: list[dict[str, str]], file: str = SUBSET) -> str:
    with open(file, "w", newline="") as stream:
        writer = csv.DictWriter(stream, list(content[0]))
        writer.writeheader()
        writer.writerows(content)
    return file


def source(**keys) -> dict:
    content = {"kind": "official", "protocol": "ucf101", "subset": SUBSET, "videos": {"folder": "mine"}}
    return content | {name: value for name, value in keys.items() if value is not None}


def listed(content: dict, dataset: str = "few") -> tuple:
    return listed_videos(parse(Official, content, "test"), dataset)


LISTS = {"folder": "lists"}


@pytest.mark.parametrize("lists", [None, LISTS])
@pytest.mark.parametrize("columns", [None, ["file", "sha256"]])
def test_a_bigger_folder_gives_just_the_listed_videos_with_the_official_facts(here, clips, lists, columns):
    known = rows(clips)
    if columns:
        write_subset([{column: row[column] for column in columns} for row in known])
    if columns and not lists:
        with pytest.raises(UserError, match=r"subset\.csv: lacks the column class, group, split1.* `lists`"):
            listed(source())
        return
    table, folder = listed(source(lists=lists))
    assert folder == Path("mine")
    assert table.to_dict("records") == [
        {name: value for name, value in row.items() if name != "sha256"} | {"file": f"UCF-101/{row['file']}"}
        for row in known
    ]


def index_of(monkeypatch, content: dict):
    recipe = {"protocol": "ucf101", "subset": subset_digest(SUBSET)}
    arguments = ["--recipe", json.dumps(recipe), "--source", json.dumps(content), "--dataset", "few"]
    outputs = ["--out", "few.csv", "--skipped", "skipped.csv"]
    monkeypatch.setattr(sys, "argv", ["download_videos.py", *arguments, *outputs])
    download_videos.main()
    return read_index("few.csv")


def test_its_classes_are_those_that_occur(here, clips, monkeypatch):
    index = index_of(monkeypatch, source())
    assert index["class"].to_list() == ["HammerThrow"] * 3 + ["Hammering"] * 3
    assert index["label"].to_list() == [0] * 3 + [1] * 3
    assert index["sha256"].to_list() == [row["sha256"] for row in rows(clips)]


def test_a_list_edited_since_the_job_was_planned_is_refused(here, clips, monkeypatch):
    planned = subset_digest(SUBSET)
    write_subset(rows(clips)[:-1])
    monkeypatch.setattr(sys.modules[__name__], "subset_digest", lambda _: planned)
    with pytest.raises(UserError, match=r"subset\.csv: was edited since"):
        index_of(monkeypatch, source())


def test_a_class_without_a_test_video_in_a_split_is_named(here, clips, monkeypatch):
    write_subset([row for row in rows(clips) if row["file"] != FILES[4]])
    with pytest.raises(UserError, match="split2 has no test video of the class Hammering"):
        index_of(monkeypatch, source())


def test_a_clip_that_is_missing_is_named(here):
    (here / "mine/UCF-101" / FILES[2]).unlink()
    with pytest.raises(UserError, match=f"mine: lacks 1 of the 6 listed videos: {FILES[2]}"):
        listed(source())


def test_a_clip_that_is_altered_is_named_with_what_to_do(here, clips):
    (here / "mine/UCF-101" / FILES[2]).write_bytes(clips[OTHER])
    with pytest.raises(UserError, match=f"1 of the 6 .* SHA-256 is another: UCF-101/{FILES[2]}; put the off"):
        listed(source())


def test_what_is_in_no_official_list_or_otherwise_there_is_named(here, clips):
    known = rows(clips)
    unknown = FILES[0].replace("c01", "c09")
    write_subset([known[0] | {"file": unknown}, *known[1:]])
    with pytest.raises(UserError, match=rf"subset\.csv: lists videos that .* do not have: {unknown}"):
        listed(source(lists=LISTS))
    write_subset([known[0] | {"split3": "none"}, *known[1:]])
    with pytest.raises(UserError, match=f"the official lists have another split3 for {FILES[0]}"):
        listed(source(lists=LISTS))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"file": "v_YoYo_g01_c01.avi"}, "line 2: 'v_YoYo_g01_c01.avi' is not <class>/<name>"),
        ({"file": FILES[1]}, "lists v_hammerthrow_g02_c01.avi twice"),
        ({"sha256": "abc"}, "line 2: 'abc' is no SHA-256"),
        ({"class": "YoYo"}, "the class is 'YoYo', and the video lies in HammerThrow"),
        ({"group": ""}, "has no group"),
        ({"split2": "tset"}, "'tset' is none of train, test and none"),
    ],
)
def test_a_mistake_in_the_list_is_named(here, clips, changed, said):
    write_subset([rows(clips)[0] | changed, *rows(clips)[1:]])
    with pytest.raises(UserError, match=said):
        read_subset(SUBSET)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("file\na/b.avi\n", "lacks the column sha256"),
        ("file,sha256,label\n", "has a column 'label'"),
        ("file,sha256\n", "lists no video"),
        ("file,sha256\na/b.avi\n", "line 2: has another number of values"),
    ],
)
def test_a_list_of_another_form_is_refused(here, content, said):
    Path(SUBSET).write_text(content)
    with pytest.raises(UserError, match=said):
        read_subset(SUBSET)
    with pytest.raises(UserError, match=r"gone\.csv: the subset cannot be read"):
        read_subset("gone.csv")


def test_line_ends_and_order_are_no_part_of_the_digest(here, clips):
    before = subset_digest(SUBSET)
    Path(SUBSET).write_bytes(Path(SUBSET).read_bytes().replace(b"\r\n", b"\n"))
    assert subset_digest(SUBSET) == before
    write_subset(rows(clips)[::-1])
    assert subset_digest(SUBSET) == before
    write_subset(rows(clips)[1:])
    assert subset_digest(SUBSET) != before


def planned(**keys) -> OfficialDataset:
    return OfficialDataset("few", None, parse(Official, source(**keys), "test"), "stop")


def test_the_plan_knows_its_size_and_that_it_is_not_the_papers_data(here):
    few = planned()
    assert few.size(None).count == 6 and few.size(5).count == 5
    fetched = planned(videos={"sources": [{"url": "http://localhost/UCF101.zip"}]})
    seconds = [planned.seconds(planned.size(None), UPPER) for planned in (few, fetched)]
    assert seconds[1] > 1_000 * seconds[0]
    assert few.data("ucf101") == "other"
    assert few.recipe().subset == subset_digest(SUBSET)
    whole = parse(Official, source(lists=LISTS) | {"subset": None}, "test")
    assert OfficialDataset("all", None, whole, "stop").recipe().model_dump(exclude_defaults=True) == {
        "protocol": "ucf101"
    }


def test_only_a_subset_does_without_the_official_lists(here):
    with pytest.raises(UserError, match="say under `lists` where the official lists are"):
        listed(source() | {"subset": None})


def test_two_subsets_at_once_fetch_their_archive_once_and_unpack_their_own(here, clips, server, tmp_path):
    members = {f"UCF101/{Path(file).name}": clips[file] for file in clips}
    content = write_zip(tmp_path / "UCF101.zip", members | {"bulk": os.urandom(200_000)}).read_bytes()
    server.files = {"/UCF101.zip": Served(content)}
    videos = {"sources": [{"url": server.url("/UCF101.zip")}]}
    parts = {"one": rows(clips)[:3], "two": rows(clips)[3:]}
    for name, part in parts.items():
        write_subset(part, f"{name}.csv")
    found = {}

    def bring(name: str) -> None:
        found[name] = listed(source(videos=videos, subset=f"{name}.csv"), name)

    threads = [threading.Thread(target=bring, args=(name,)) for name in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, part in parts.items():
        table, folder = found[name]
        below = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.avi"))
        assert below == table["file"].to_list() == [row["file"] for row in part]
    assert server.asked == [("/UCF101.zip", None)]
    # One that was altered since is brought again, once it is deleted.
    altered = Path("data/official/one") / FILES[0]
    altered.write_bytes(clips[OTHER])
    with pytest.raises(UserError, match="delete them and call again"):
        bring("one")
    altered.unlink()
    bring("one")
    assert altered.read_bytes() == clips[FILES[0]] and len(server.asked) == 1

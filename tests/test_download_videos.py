"""From archives on a server to the index of a published dataset, through the rule and without it."""

import json
import os
import re
import shutil
import sys
from functools import partial
from hashlib import sha256
from pathlib import Path

import download_videos
import pandas as pd
import pytest
import yaml
from archive_writers import rar, write_rar, write_zip
from conftest import copy_project, planned, run, textured, write_video
from local_server import Served, Server
from small_lists import HMDB, UCF, write_hmdb51, write_ucf101

from twostream.config.loading import parse
from twostream.config.sources import Official
from twostream.downloads import CHUNK
from twostream.files import UserError
from twostream.videos import official
from twostream.videos.index import read_index
from twostream.videos.official import listed_videos
from twostream.videos.official_lists import read_hmdb51, read_ucf101

LISTS = {"ucf101": write_ucf101, "hmdb51": write_hmdb51}
READERS = {
    "ucf101": partial(read_ucf101, counts=UCF),
    "hmdb51": partial(read_hmdb51, counts=HMDB),
}
UCF_VIDEOS = [
    f"{name}/v_{name}_g{group:02d}_c01.avi"
    for name in ("Hammering", "HammerThrow", "HandstandPushups")
    for group in (1, 2, 3)
]
# The archives spell the files of this class otherwise than the lists.
LISTED = [file.replace("v_Handstand", "v_HandStand") for file in UCF_VIDEOS]


def some_video(folder: Path, name: str) -> bytes:
    """A small video that no other name has."""
    frames = [textured(32, 40, sum(name.encode()) + t) for t in range(3)]
    return write_video(folder / "video.avi", frames).read_bytes()


@pytest.fixture
def archives(tmp_path: Path) -> dict[str, bytes]:
    """The published archives, small: the ZIP of UCF-101 is flat, HMDB-51 has a RAR in its RAR a class."""
    made = {name: write(tmp_path / "made" / name) for name, write in LISTS.items()}
    ucf = {file: some_video(tmp_path, file) for file in UCF_VIDEOS}
    hmdb: dict[str, dict[str, bytes]] = {}
    for file in READERS["hmdb51"](made["hmdb51"])["file"]:
        class_name = file.partition("/")[0]
        hmdb.setdefault(class_name, {})[file] = some_video(tmp_path, file)

    def texts(dataset: str) -> dict[str, bytes]:
        files = made[dataset].rglob("*.txt")
        return {file.relative_to(made[dataset]).as_posix(): file.read_bytes() for file in files}

    flat = {f"UCF101/{Path(file).name}": ucf[file] for file in ucf}
    written = [
        write_zip(tmp_path / "UCF101_videos.zip", flat | {"bulk": os.urandom(3 * CHUNK)}),
        write_rar(tmp_path / "UCF101.rar", {f"UCF-101/{file}": ucf[file] for file in ucf}),
        write_zip(tmp_path / "UCF101TrainTestSplits.zip", texts("ucf101")),
        write_rar(tmp_path / "hmdb51_org.rar", {f"{name}.rar": rar(hmdb[name]) for name in hmdb}),
        write_rar(tmp_path / "test_train_splits.rar", texts("hmdb51")),
    ]
    return {path.name: path.read_bytes() for path in written}


@pytest.fixture
def serving(server: Server, archives: dict[str, bytes]) -> Server:
    server.files = {f"/{name}": Served(content) for name, content in archives.items()}
    return server


def sources(server: Server, *names: str) -> dict:
    return {"sources": [{"url": server.url(f"/{name}")} for name in names]}


def ucf101(server: Server) -> dict:
    return {
        "kind": "official",
        "protocol": "ucf101",
        "videos": sources(server, "UCF101_videos.zip", "UCF101.rar"),
        "lists": sources(server, "UCF101TrainTestSplits.zip"),
    }


def hmdb51(server: Server) -> dict:
    return {
        "kind": "official",
        "protocol": "hmdb51",
        "videos": sources(server, "hmdb51_org.rar"),
        "lists": sources(server, "test_train_splits.rar"),
    }


# --- Through the rule ---


def set_source(project: Path, dataset: str, source: dict) -> None:
    file = project / "config/scale/demo.yaml"
    scale = yaml.safe_load(file.read_text())
    scale["datasets"][dataset] = {"source": source, "splits": 3, "shards": 1}
    file.write_text(yaml.safe_dump(scale, sort_keys=False))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project, where the published datasets are as small as our archives."""
    folder = copy_project(tmp_path / "project")
    file = folder / "scripts/twostream/videos/official_lists.py"
    text = file.read_text()
    for name, counts in (("UCF101", UCF), ("HMDB51", HMDB)):
        text, found = re.subn(rf"^{name} = Counts\(.*$", f"{name} = {counts!r}", text, flags=re.M)
        assert found == 1
    file.write_text(text)
    return folder


def test_the_rule_makes_the_indexes_whatever_the_servers_do(project, serving, archives):
    ucf, hmdb = ucf101(serving), hmdb51(serving)
    # The first source is gone, and the second breaks off.
    ucf["videos"] = sources(serving, "gone.zip", "UCF101_videos.zip")
    serving.files["/UCF101_videos.zip"].breaks = [CHUNK]
    # The first source has other bytes than it should.
    right = sha256(archives["hmdb51_org.rar"]).hexdigest()
    wrong = {"url": serving.url("/wrong.rar"), "sha256": right}
    serving.files["/wrong.rar"] = Served(archives["hmdb51_org.rar"][::-1])
    hmdb["videos"]["sources"].insert(0, wrong)
    set_source(project, "ucf101", ucf)
    set_source(project, "hmdb51", hmdb)
    indexes = [project / f"data/videos/{dataset}.csv" for dataset in ("ucf101", "hmdb51")]
    targets = [str(index.relative_to(project)) for index in indexes]

    assert planned(project, *targets) == {"download_videos": 2}
    assert serving.asked == []
    run(project, *targets)
    assert ("/UCF101_videos.zip", f"bytes={CHUNK}-") in serving.asked
    assert {"/gone.zip", "/wrong.rar"} <= {path for path, _ in serving.asked}
    index = read_index(indexes[0])
    assert index["file"].to_list() == sorted(LISTED)
    assert index["split2"].to_list() == ["train", "test", "train"] * 3
    assert index["label"].to_list() == [0] * 3 + [1] * 3 + [2] * 3
    assert len(read_index(indexes[1])) == HMDB.videos
    fetched = {
        "ucf101": ["UCF101TrainTestSplits.zip", "UCF101_videos.zip"],
        "hmdb51": ["hmdb51_org.rar", "test_train_splits.rar"],
    }
    for dataset, names in fetched.items():
        known = json.loads((project / f"config/checksums/{dataset}.json").read_text())
        assert {url: known[url]["sha256"] for url in known} == {
            serving.url(f"/{name}"): sha256(archives[name]).hexdigest() for name in names
        }
        record = json.loads((project / f"data/videos/{dataset}.record.json").read_text())
        assert record["recipe"] == {"protocol": dataset, "subset": None} and record["skipped"] == 0

    # Without the archives and the indexes: the videos are there, so nothing is fetched.
    serving.asked.clear()
    before = [index.read_bytes() for index in indexes]
    for archive in [*(project / "data/archives").rglob("*.zip"), *(project / "data/archives").rglob("*.rar")]:
        archive.unlink()
    for index in indexes:
        index.unlink()
    run(project, *targets)
    assert [index.read_bytes() for index in indexes] == before
    assert serving.asked == []

    # Another mirror, or the videos in a folder of the user's, redoes nothing.
    elsewhere = project / "my 'videos' & more"
    (project / "data/official/ucf101").rename(elsewhere)
    set_source(project, "ucf101", ucf | {"videos": {"folder": str(elsewhere)}})
    set_source(project, "hmdb51", hmdb | {"videos": sources(serving, "hmdb51_org.rar")})
    assert planned(project, *targets) == {}
    run(project, "data/frames/ucf101/0.zip")
    assert serving.asked == []


# --- Without it ---


@pytest.fixture
def here(tmp_path: Path, monkeypatch) -> Path:
    """An empty working folder, where the published datasets are as small as our archives."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(official, "READERS", READERS)
    return folder


def listed(source: dict, dataset: str = "ucf101") -> tuple[pd.DataFrame, Path]:
    return listed_videos(parse(Official, source, "test"), dataset)


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_zip_and_rar_lead_to_the_same_videos_under_their_listed_names(here, serving):
    source = ucf101(serving)
    table, folder = listed(source)
    assert folder == Path("data/official/ucf101") and files_below(folder) == sorted(LISTED)
    assert files_below(Path("data/archives/ucf101"))[:2] == ["UCF101TrainTestSplits.zip", "UCF101_videos.zip"]
    assert not Path("data/archives/ucf101/videos").exists()
    videos = {file: (folder / file).read_bytes() for file in LISTED}
    shutil.rmtree("data")
    del serving.files["/UCF101_videos.zip"]
    assert listed(source)[0].equals(table)
    assert {file: (folder / file).read_bytes() for file in LISTED} == videos


@pytest.mark.parametrize("after", [0, 4])
@pytest.mark.parametrize("then", ["UCF101_videos.zip", "UCF101.rar"])
def test_a_call_killed_while_unpacking_goes_on(here, serving, monkeypatch, after, then):
    source, moved = ucf101(serving), []

    def killed(*arguments: Path) -> None:
        if len(moved) == after:
            raise KeyboardInterrupt
        moved.append(arguments)
        shutil.copy(*arguments)

    with monkeypatch.context() as killing:
        killing.setattr(official.shutil, "move", killed)
        # A killed process tidies nothing up.
        killing.setattr(official.shutil, "rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            listed(source)
    assert Path("data/archives/ucf101/videos").exists()
    serving.asked.clear()
    table, folder = listed(source | {"videos": sources(serving, then)})
    # What was fetched is not fetched again; what another source left unpacked is in nobody's way.
    assert serving.asked == ([] if then == "UCF101_videos.zip" else [("/UCF101.rar", None)])
    assert sorted(table["file"]) == sorted(LISTED) == files_below(folder)
    assert not Path("data/archives/ucf101/videos").exists()


def test_lists_that_are_damaged_are_brought_again(here, serving):
    source = ucf101(serving)
    table, _ = listed(source)
    next(Path("data/archives").rglob("testlist02.txt")).unlink()
    assert listed(source)[0].equals(table)


def test_an_archive_that_lacks_videos_is_named_with_what_it_lacks(here, serving, archives, tmp_path):
    members = {f"UCF-101/{file}": b"" for file in UCF_VIDEOS[2:]}
    serving.files["/UCF101_videos.zip"] = Served(write_zip(tmp_path / "few.zip", members).read_bytes())
    with pytest.raises(UserError, match="lacks 2 of the 9 listed videos: Hammering/v_Hammering_g01"):
        listed(ucf101(serving))
    assert not Path("data/official/ucf101").exists()


def test_two_videos_of_one_name_are_named_before_anything_is_fetched(here, serving):
    listed(ucf101(serving))
    serving.asked.clear()
    shutil.copytree("data/official/ucf101/Hammering", "data/official/ucf101/again")
    with pytest.raises(UserError, match="keep one of the videos of the same name"):
        listed(ucf101(serving))
    assert serving.asked == []


@pytest.fixture
def users(here: Path, tmp_path: Path) -> dict:
    """What a user has, in an order of their own."""
    for file in UCF_VIDEOS:
        (here / "mine/deep" / file).parent.mkdir(parents=True, exist_ok=True)
        (here / "mine/deep" / file).write_bytes(some_video(tmp_path, file))
    write_ucf101(here / "lists")
    own = {"videos": {"folder": "mine"}, "lists": {"folder": "lists"}}
    return {"kind": "official", "protocol": "ucf101"} | own


def call(monkeypatch, source: dict, *options: str) -> None:
    arguments = ["--recipe", '{"protocol": "ucf101"}', "--source", json.dumps(source), *options]
    outputs = ["--dataset", "ucf", "--out", "ucf.csv", "--skipped", "skipped.csv"]
    monkeypatch.setattr(sys, "argv", ["download_videos.py", *arguments, *outputs])
    download_videos.main()


def test_what_the_user_has_is_used_as_it_lies(here, users, monkeypatch):
    before = files_below(here)
    call(monkeypatch, users)
    index = read_index("ucf.csv")
    assert index["file"].to_list() == sorted(f"deep/{file}" for file in UCF_VIDEOS)
    made = {file for file in set(files_below(here)) - set(before) if not file.startswith("scratch")}
    assert made == {"ucf.csv", "ucf.record.json", "ucf.run.json", "skipped.csv"}


def test_a_bad_video_stops_or_is_skipped(here, users, monkeypatch):
    (here / "mine/deep" / UCF_VIDEOS[0]).write_bytes(b"broken")
    with pytest.raises(UserError, match=r"g01_c01\.avi: no frame can be decoded"):
        call(monkeypatch, users)
    assert not Path("ucf.csv").exists()
    call(monkeypatch, users, "--on-bad-video", "skip")
    assert len(read_index("ucf.csv")) == 8
    assert UCF_VIDEOS[0] in Path("skipped.csv").read_text()


def test_a_missing_video_of_the_users_is_named(here, users):
    (here / "mine/deep" / UCF_VIDEOS[0]).unlink()
    with pytest.raises(UserError, match=f"mine: lacks 1 of the 9 listed videos: {UCF_VIDEOS[0]}"):
        listed(users)


def test_lists_of_the_users_that_are_not_the_official_ones_are_refused(here, users):
    next(Path("lists").rglob("testlist02.txt")).unlink()
    with pytest.raises(UserError, match=r"lists: holds 0 lists named testlist02\.txt"):
        listed(users)


def test_a_source_that_is_no_json_is_refused(here, users, monkeypatch):
    with pytest.raises(UserError, match="--source: videos: give either `sources`"):
        call(monkeypatch, users | {"videos": {}})

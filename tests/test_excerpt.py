"""Excerpts of a file: some of its frames under a name of their own."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import textured, write_video

from twostream import paths
from twostream.extraction import shards
from twostream.extraction.shards import files_of_shard
from twostream.files import UserError, sha256
from twostream.results.description import described, summary_rows
from twostream.videos import index, replaced
from twostream.videos.content import content_sha256, content_size
from twostream.videos.decoding import (
    BadVideoError,
    announced,
    frame_rate,
    read_frames,
    why_unusable,
)
from twostream.videos.excerpt import excerpt_name, file_of, frames_of, whole
from twostream.videos.index import complete, write_index

COLUMNS = ["file", "class", "group", "split1"]


@pytest.fixture
def file(tmp_path) -> Path:
    """A video of ten different frames."""
    return write_video(tmp_path / "videos/a.avi", [textured(32, 40, seed) for seed in range(10)])


@pytest.fixture
def listed(file) -> pd.DataFrame:
    """Two excerpts of one file to train on, and two of another to test on."""
    write_video(file.with_name("b.avi"), [textured(32, 40, 10 + seed) for seed in range(10)])
    names = [excerpt_name(f"{name}.avi", first, first + 3) for name in "ab" for first in (0, 5)]
    parts = ["train"] * 2 + ["test"] * 2
    return pd.DataFrame(zip(names, "XYXY", "aabb", parts, strict=True), columns=COLUMNS)


def test_a_name_tells_file_and_frames_and_any_other_is_a_file():
    assert excerpt_name("A/a.mp4", 3, 12) == "A/a.mp4#frames=3:12"
    assert file_of("A/a.mp4#frames=3:12") == Path("A/a.mp4") and whole("a#frames=3:12") == "a"
    assert frames_of("A/a.mp4#frames=3:12") == (3, 12)
    for name in ("a.mp4", "#frames=1:2", "a#frames=1:2.mp4", "a#frames=1-2", "a #1.mp4"):
        assert frames_of(name) is None and file_of(name) == Path(name)


def test_an_excerpt_is_its_frames_of_the_whole_file(file):
    all_frames = list(read_frames(file))
    for first, end in ((0, 10), (0, 2), (4, 7), (8, 10)):
        frames = list(read_frames(f"{file}#frames={first}:{end}"))
        assert np.array_equal(frames, all_frames[first:end])
    assert np.array_equal(list(read_frames(f"{file}#frames=2:9", every=3)), all_frames[2:9:3])


def test_an_excerpt_past_the_end_has_the_frames_that_there_are(file):
    assert len(list(read_frames(f"{file}#frames=8:20"))) == 2
    assert why_unusable(Path(f"{file}#frames=8:20")) is None
    assert why_unusable(Path(f"{file}#frames=9:20")) == "it has only 1 frame"
    with pytest.raises(BadVideoError, match="it has only 0 frame"):
        list(read_frames(f"{file}#frames=10:20"))
    assert why_unusable(Path(f"{file}2#frames=0:5")) == "the file does not exist"


def test_what_is_known_of_an_excerpt(file):
    excerpt = Path(f"{file}#frames=2:6")
    said = announced(excerpt)
    assert (said.frames, said.likely_frames, said.height, said.width) == (4, 4, 32, 40)
    assert frame_rate(excerpt) == 25
    assert content_sha256(excerpt) == sha256(file) and content_size(excerpt) == file.stat().st_size


def test_an_index_of_excerpts_has_the_checksum_of_their_file_worked_out_once(listed, file, monkeypatch):
    hashed = counted(monkeypatch, index)
    table, skipped = complete(listed, file.parent, "videos", "stop")
    assert table["file"].tolist() == listed["file"].tolist() and skipped.empty
    assert table["sha256"].tolist() == [sha256(file.with_name(f"{name}.avi")) for name in "aabb"]
    assert [path.name for path in hashed] == ["a.avi", "b.avi"]
    rows = dict(summary_rows(described(table, file.parent, "videos"), skipped, [])[1:])
    size = sum(file.with_name(name).stat().st_size for name in ("a.avi", "b.avi"))
    assert rows["videos"] == f"4 from 2 files, {size / 1e6:,.1f} MB"
    assert rows["frames"].startswith("12, 3 a video")


def test_a_shard_checks_each_file_once_and_names_one_that_is_another(listed, file, monkeypatch, tmp_path):
    table, _ = complete(listed, file.parent, "videos", "stop")
    write_index(table, tmp_path / "index.csv")
    hashed = counted(monkeypatch, shards)
    assert files_of_shard(tmp_path / "index.csv", file.parent, 0, 1) == listed["file"].tolist()
    assert [path.name for path in hashed] == ["a.avi", "b.avi"]
    file.write_bytes(b"another")
    with pytest.raises(UserError, match=r"a\.avi: is not the file that"):
        files_of_shard(tmp_path / "index.csv", file.parent, 0, 1)
    file.unlink()
    with pytest.raises(UserError, match=r"a\.avi: is missing"):
        files_of_shard(tmp_path / "index.csv", file.parent, 0, 1)


def test_a_file_that_was_replaced_is_named_once(listed, file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    table, _ = complete(listed, file.parent, "videos", "stop")
    made = paths.INDEX.format(dataset="mine")
    write_index(table, made)
    state = {made: {"sha256": sha256(made), "size": 1}}
    record = {"spec": "", "recipe": {}, "made_from": {}, "form": 3, "files": state}
    Path(paths.record(made)).write_text(json.dumps(record))
    assert replaced.replaced_videos(file.parent, made) == []
    file.write_bytes(b"another")
    assert replaced.replaced_videos(file.parent, made) == ["a.avi"]


def counted(monkeypatch, module) -> list[Path]:
    """The files of which a module works out the checksum, from now on."""
    hashed: list[Path] = []

    def hash_and_count(path: Path) -> str:
        hashed.append(path)
        return content_sha256(path)

    monkeypatch.setattr(module, "content_sha256", hash_and_count)
    return hashed

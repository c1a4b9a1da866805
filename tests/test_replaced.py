"""A video that was replaced is seen, whatever its size and time say."""

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from twostream import paths
from twostream.files import sha256
from twostream.videos import replaced
from twostream.videos.replaced import replaced_videos

INDEX = "data/videos/mine.csv"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Three videos, one of them a link, and their index."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "elsewhere"):
        Path(f"videos/{name}.avi" if len(name) == 1 else name).parent.mkdir(exist_ok=True)
        Path(f"videos/{name}.avi" if len(name) == 1 else name).write_text(f"content of {name[0]}")
    Path("videos/link.avi").symlink_to(tmp_path / "elsewhere")
    files = ["a.avi", "b.avi", "link.avi"]
    Path(INDEX).parent.mkdir(parents=True)
    rows = pd.DataFrame({"file": files, "class": "A", "label": 0, "group": "1", "split1": "train"})
    rows["sha256"] = [sha256(Path("videos", file)) for file in files]
    rows.to_csv(INDEX, index=False)
    state = {INDEX: {"sha256": sha256(INDEX), "size": 1}}
    record = {"spec": "", "recipe": {}, "made_from": {}, "form": 3, "files": state}
    Path(paths.record(INDEX)).write_text(json.dumps(record))
    # As if it had been written this very moment.
    now = max(Path("videos", file).stat().st_ctime_ns for file in files)
    os.utime(INDEX, ns=(now, now))
    return tmp_path / "videos"


def replace(file: Path) -> None:
    """Put another video in a file's place, of the same size and time."""
    before = file.stat()
    file.with_name("new").write_bytes(b"X" * before.st_size)
    os.utime(file.with_name("new"), ns=(before.st_atime_ns, before.st_mtime_ns))
    file.with_name("new").rename(file)


def test_nothing_was_replaced(folder):
    assert replaced_videos(folder, INDEX) == []


def test_a_file_of_equal_size_and_time_is_seen(folder):
    replace(folder / "b.avi")
    assert replaced_videos(folder, INDEX) == ["b.avi"]


def test_the_target_of_a_link_is_seen_and_the_link(folder):
    replace(folder.parent / "elsewhere")
    assert replaced_videos(folder, INDEX) == ["link.avi"]
    (folder / "a.avi").unlink()
    (folder / "a.avi").symlink_to(folder / "b.avi")
    assert replaced_videos(folder, INDEX) == ["a.avi", "link.avi"]


def test_a_file_that_was_only_touched_is_compared_once(folder, monkeypatch):
    (folder / "a.avi").touch()
    shutil.copy(folder / "b.avi", folder / "copy")
    (folder / "copy").rename(folder / "b.avi")
    assert replaced_videos(folder, INDEX) == []
    monkeypatch.setattr(replaced, "content_sha256", None)
    assert replaced_videos(folder, INDEX) == []


def test_a_file_that_is_gone_is_not_replaced(folder):
    (folder / "a.avi").unlink()
    assert replaced_videos(folder, INDEX) == []


@pytest.mark.parametrize("looked_before", [True, False])
def test_another_folder_in_the_place_of_one_is_seen(folder, looked_before):
    other = folder.parent / "other"
    shutil.copytree(folder, other, symlinks=True)
    (other / "b.avi").write_text("CONTENT OF b")
    # The other folder's files are older than the index.
    now = max(path.stat().st_ctime_ns for path in other.iterdir())
    os.utime(INDEX, ns=(now, now))
    if looked_before:
        assert replaced_videos(folder, INDEX) == []
    folder.rename(folder.parent / "before")
    folder.symlink_to(other)
    assert replaced_videos(folder, INDEX) == ["b.avi"]

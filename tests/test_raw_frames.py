"""Folders of frames and flow, as TSN and MMAction2 read them."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import ROOT, textured, write_video, zero_frame

from twostream.config.flow import Flow
from twostream.extraction import raw_frames
from twostream.extraction.raw_frames import clipped, write_raw_frames
from twostream.files import UserError

FLOW = Flow(method="dis", encoding="range", quality=90)
FILES = ["Run/a.avi", "Walk/b.avi", "Walk/c.avi"]


@pytest.fixture
def videos(tmp_path) -> Path:
    for number, file in enumerate(FILES):
        picture = textured(48, 64, number)
        # Two pixels to the right in each frame.
        write_video(tmp_path / "videos" / file, [np.roll(picture, 2 * t, axis=1) for t in range(3 + number)])
    return tmp_path / "videos"


def test_the_layout_is_that_of_mmaction2(videos, tmp_path):
    command = [
        sys.executable,
        ROOT / "scripts/extract_flow.py",
        "--videos",
        videos,
        "--out",
        tmp_path / "raw",
    ]
    command += ["--layout", "raw-frames", "--method", "dis", "--shorter-side", "24"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "raw/list.txt").read_text() == "Run/a 3 0\nWalk/b 4 1\nWalk/c 5 1\n"
    names = sorted(file.name for file in (tmp_path / "raw/Run/a").iterdir())
    assert names == [
        *("flow_x_00001.jpg", "flow_x_00002.jpg", "flow_y_00001.jpg", "flow_y_00002.jpg"),
        *("img_00001.jpg", "img_00002.jpg", "img_00003.jpg"),
    ]
    image = cv2.imread(str(tmp_path / "raw/Run/a/img_00001.jpg"))
    x, y = (cv2.imread(str(tmp_path / f"raw/Run/a/flow_{axis}_00001.jpg"), -1) for axis in "xy")
    assert image.shape == (24, 32, 3) and x.shape == y.shape == (24, 32)
    # Half of two pixels, of 40 that are 255 steps.
    assert np.median(x) == pytest.approx(127.5 + 255 / 40, abs=1) and np.median(y) == pytest.approx(
        128, abs=1
    )


def test_displacements_are_clipped_and_rescaled_as_denseflow_does():
    field = np.array([[[-30, 30], [-20, 20], [0, 0], [10, -10]]], dtype=np.float32)
    # cvRound(255 * (v + 20) / 40), which rounds a half to the even number.
    assert clipped(field).tolist() == [[[0, 0, 128, 191]], [[255, 255, 128, 64]]]


def test_a_call_that_was_stopped_is_gone_on_with(videos, tmp_path, monkeypatch):
    read = raw_frames.read_frames

    def stops(file: Path, **more):
        if file.name == "c.avi":
            raise KeyboardInterrupt
        return read(file, **more)

    monkeypatch.setattr(raw_frames, "read_frames", stops)
    with pytest.raises(KeyboardInterrupt):
        write_raw_frames(videos, FILES, tmp_path / "raw", FLOW, "cpu")
    assert not list((tmp_path / "raw").rglob("*.part"))
    done = (tmp_path / "raw/Run/a/img_00001.jpg").stat().st_mtime_ns
    monkeypatch.undo()
    write_raw_frames(videos, FILES, tmp_path / "raw", FLOW, "cpu")
    assert (tmp_path / "raw/Run/a/img_00001.jpg").stat().st_mtime_ns == done
    assert len((tmp_path / "raw/list.txt").read_text().splitlines()) == 3


def test_a_damaged_video_is_told(videos, tmp_path, capsys):
    zero_frame(videos / FILES[1], 2)
    write_raw_frames(videos, FILES, tmp_path / "raw", FLOW, "cpu")
    said = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert len(said) == 1
    assert said[0].startswith(
        f"{videos / FILES[1]}: is damaged, and what is left of it is used (packets passed over: 1;"
    )
    assert (tmp_path / "raw/list.txt").read_text() == "Run/a 3 0\nWalk/b 3 1\nWalk/c 5 1\n"


def test_videos_that_would_share_a_folder_are_named(videos, tmp_path):
    with pytest.raises(UserError, match=r"several videos are called Run/a; rename"):
        write_raw_frames(videos, [*FILES, "Run/a.mp4"], tmp_path / "raw", FLOW, "cpu")


def test_a_folder_of_other_settings_is_not_mixed(videos, tmp_path):
    write_raw_frames(videos, FILES[:1], tmp_path / "raw", FLOW, "cpu")
    with pytest.raises(UserError, match="holds what other settings led to"):
        write_raw_frames(videos, FILES, tmp_path / "raw", FLOW.model_copy(update={"short_side": 24}), "cpu")

"""Folders of frames and flow, as TSN and MMAction2 read them."""

import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import ENVIRONMENT, ROOT, textured, write_video, zero_frame

from twostream.config.flow import Flow
from twostream.config.recipes import FlowRecipe
from twostream.extraction.given_flow import have_flow, store_given_flow
from twostream.extraction.raw_frames import clipped, write_raw_frames
from twostream.extraction.store import Store
from twostream.files import UserError
from twostream.videos import decoding
from twostream.videos.class_folders import from_class_folders
from twostream.videos.content import content_sha256, content_size, last_change
from twostream.videos.decoding import announced, read_frames, why_unusable
from twostream.videos.listing import find_videos, passed_over

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
        "python",
        ROOT / "scripts/extract_flow.py",
        "--videos",
        videos,
        "--out",
        tmp_path / "raw",
    ]
    command += ["--layout", "raw-frames", "--method", "dis", "--shorter-side", "24"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
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
    read = decoding._decode

    def stops(file: Path, *more: object):
        if file.name == "c.avi":
            raise KeyboardInterrupt
        return read(file, *more)

    monkeypatch.setattr(decoding, "_decode", stops)
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


def test_every_second_frame_alone(videos, tmp_path):
    write_raw_frames(videos, ["Walk/c.avi"], tmp_path / "raw", FLOW, "cpu", every=2)
    assert (tmp_path / "raw/list.txt").read_text() == "Walk/c 3 0\n"
    x = cv2.imread(str(tmp_path / "raw/Walk/c/flow_x_00001.jpg"), -1)
    # Twice two pixels, of 40 that are 255 steps.
    assert np.median(x) == pytest.approx(127.5 + 4 * 255 / 40, abs=1)
    with pytest.raises(UserError, match="holds what other settings led to"):
        write_raw_frames(videos, ["Walk/c.avi"], tmp_path / "raw", FLOW, "cpu")
    assert why_unusable(videos / "Run/a.avi", every=2) is None
    assert why_unusable(videos / "Run/a.avi", every=3) == "it has only 1 frame, if one of 3 is taken"


@pytest.fixture
def raw(videos, tmp_path) -> Path:
    write_raw_frames(videos, FILES, tmp_path / "raw", FLOW, "cpu")
    return tmp_path / "raw"


def test_a_folder_of_pictures_is_a_video_of_a_dataset(raw, videos):
    assert find_videos(raw, "raw-frames") == ["Run/a", "Walk/b", "Walk/c"]
    assert passed_over(raw, "raw-frames") == ["list.txt", "settings.json"]
    table = from_class_folders(raw, "raw-frames", 1)
    assert table["class"].tolist() == ["Run", "Walk", "Walk"]
    original, read = (list(read_frames(place)) for place in (videos / "Walk/b.avi", raw / "Walk/b"))
    assert len(original) == len(read) == 4
    assert np.abs(np.stack(original).astype(float) - np.stack(read)).mean() < 5
    assert announced(raw / "Walk/b").frames == 4


def test_its_flow_is_taken_and_what_the_bound_took_is_told(raw, capsys):
    file = raw / "Walk/b/flow_x_00001.jpg"
    image = cv2.imread(str(file), -1)
    image[:24] = 255
    cv2.imwrite(str(file), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
    recipe = FlowRecipe(shards=1, flow=FLOW, direction="forward")
    facts = store_given_flow(recipe, raw, ["Walk/b"], raw / "0.zip")
    # Half of one component of one of three fields.
    assert facts == {
        "backend": "given",
        "fields": 3,
        "at_the_bound_percent": pytest.approx(100 / 12, abs=0.5),
    }
    assert "in steps of 0.16 px" in capsys.readouterr().err
    fields = Store([raw / "0.zip"]).read("Walk/b", [0, 1, 2]).displacement()
    assert np.median(fields[0, 0, :20]) == pytest.approx(20, abs=0.3)
    assert np.median(fields[1:, 0]) == pytest.approx(2, abs=0.2)
    assert np.median(fields[:, 1]) == pytest.approx(0, abs=0.2)


def test_what_a_folder_of_pictures_lacks_is_named(raw):
    recipe = FlowRecipe(shards=1, flow=FLOW, direction="forward")
    with pytest.raises(UserError, match=r"hold forward flow alone; leave out the runs that are bi-dir"):
        store_given_flow(recipe.model_copy(update={"direction": "backward"}), raw, ["Run/a"], raw / "0.zip")
    small = recipe.model_copy(update={"flow": FLOW.model_copy(update={"short_side": 24})})
    with pytest.raises(UserError, match=r"shorter side of 48 px, and flow\.short_side is 24"):
        store_given_flow(small, raw, ["Run/a"], raw / "0.zip")
    for file in (raw / "Run/a").glob("flow_*"):
        file.unlink()
    with pytest.raises(UserError, match=r"Run/a: comes without flow_x_00001\.jpg, \.\.\., and Walk/b comes"):
        have_flow(raw, ["Run/a", "Walk/b"])
    assert not have_flow(raw, ["Run/a"]) and have_flow(raw, ["Walk/b", "Walk/c"])
    (raw / "Walk/b/flow_y_00003.jpg").unlink()
    assert why_unusable(raw / "Walk/b").endswith("4 img, 3 flow_x and 2 flow_y; extract it again")
    (raw / "Walk/c/img_00003.jpg").unlink()
    assert why_unusable(raw / "Walk/c").endswith("img_00003 is missing; extract it again")
    (raw / "Run/a/img_00001.jpg").write_bytes(b"none")
    assert why_unusable(raw / "Run/a").endswith("img_00001.jpg is damaged")


def test_a_picture_that_is_replaced_makes_another_video(raw):
    before, changed = content_sha256(raw / "Run/a"), last_change(raw / "Run/a")
    file = raw / "Run/a/img_00002.jpg"
    content = file.read_bytes()
    file.write_bytes(content[:-3] + b"???")
    assert content_sha256(raw / "Run/a") != before and last_change(raw / "Run/a") > changed
    assert content_size(raw / "Run/a") == sum(f.stat().st_size for f in (raw / "Run/a").iterdir())

"""Flow methods against known displacements, and the extraction of a shard."""

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ENVIRONMENT, ROOT, textured, write_video, zero_frame

from twostream.config.flow import ALGORITHMS, FLOW_ALGORITHMS, RAFT_WEIGHTS, Flow
from twostream.config.recipes import FlowRecipe, FramesRecipe
from twostream.extraction import flow as extraction
from twostream.extraction.encoding import encode
from twostream.extraction.flow import store_flow
from twostream.extraction.folder import extract_folder
from twostream.extraction.frames import store_frames
from twostream.extraction.store import Store
from twostream.files import UserError, sha256
from twostream.flow.colour import colour_coded
from twostream.flow.video_flow import load_algorithm, video_flow
from twostream.provenance.records import read_record
from twostream.videos import decoding
from twostream.videos.decoding import BadVideoError, read_frames, rescale
from twostream.videos.index import write_index

# Of the others tests/test_raft.py is.
WITHOUT_WEIGHTS = [method for method in FLOW_ALGORITHMS if method not in RAFT_WEIGHTS]


def settings(method: str = "dis", encoding: str = "range") -> Flow:
    return Flow(method=method, encoding=encoding, quality=90)


def shifted(x: float, y: float) -> np.ndarray:
    """Two frames, the second the first moved by (x, y) pixels."""
    first = textured(64, 80)
    move = np.array([[1, 0, x], [0, 1, y]], dtype=np.float64)
    second = cv2.warpAffine(first, move, (80, 64), borderMode=cv2.BORDER_REFLECT)
    return np.stack([first, second])


@pytest.mark.parametrize("method", WITHOUT_WEIGHTS)
def test_a_shift_is_found_to_a_fraction_of_a_pixel(method):
    (field,) = video_flow(shifted(2.5, -1.5), settings(method), "forward")
    field = field[10:-10, 10:-10]
    assert field.dtype == np.float32
    assert np.linalg.norm(field - (2.5, -1.5), axis=-1).mean() < 0.25


@pytest.mark.parametrize("method", WITHOUT_WEIGHTS)
def test_backward_flow_is_that_of_the_reversed_pair(method):
    frames = np.concatenate([shifted(3, 1), textured(64, 80, 5)[None]])
    backward = list(video_flow(frames, settings(method), "backward"))
    forward = list(video_flow(frames, settings(method), "forward"))
    for t in (0, 1):
        (reversed_pair,) = video_flow(frames[[t + 1, t]], settings(method), "forward")
        assert (backward[t] == reversed_pair).all()
        assert (backward[t] != -forward[t]).any()


def test_frames_are_rescaled_before_their_flow():
    frames = shifted(4, -2)
    small = settings().model_copy(update={"short_side": 32})
    (field,) = video_flow(frames, small, "forward")
    assert field.shape == (32, 40, 2)
    assert np.linalg.norm(field[8:-8, 8:-8] - (2, -1), axis=-1).mean() < 0.25
    halves = [cv2.resize(frame, (40, 32), interpolation=cv2.INTER_AREA) for frame in frames]
    (same,) = video_flow(halves, settings(), "forward")
    assert np.abs(field - same).max() < 0.1  # of frames that were made gray and small in the other order


def test_every_algorithm_in_the_configuration_is_there_and_no_other():
    folder = ROOT / "scripts" / Path(*settings().module.split(".")).parent
    assert set(FLOW_ALGORITHMS) == ALGORITHMS.keys()
    assert {file.stem for file in folder.glob("[a-z]*.py")} == {a.module for a in ALGORITHMS.values()}
    backends = {method: load_algorithm(settings(method)).backend("cuda") for method in FLOW_ALGORITHMS}
    by_torch = dict.fromkeys(("brox", "raft_small", "raft_large"), "torch")
    assert backends == by_torch | dict.fromkeys(("tvl1", "farneback", "dis"), "opencv")


def recipe(shards: int = 1) -> FlowRecipe:
    return FlowRecipe(shards=shards, flow=settings(), direction="forward")


def list_clip(folder: Path) -> None:
    """Write an index of the folder's clip as it is now."""
    checksum = sha256(folder / "clip.avi")
    row = {"file": "clip.avi", "sha256": checksum, "class": "a", "label": 0, "group": "1", "split1": "train"}
    write_index(pd.DataFrame([row]), folder / "index.csv")


@pytest.fixture
def indexed(clip, tmp_path):
    list_clip(tmp_path)
    return tmp_path


def test_a_shard_holds_one_field_fewer_than_frames_decoded(indexed):
    frames = list(read_frames(indexed / "clip.avi"))
    facts = store_flow(recipe(), indexed, indexed / "index.csv", 0, indexed / "0.zip", "cpu")
    store = Store([indexed / "0.zip"])
    assert facts == {"backend": "opencv", "fields": 4, "damaged": {}}
    assert store.length("clip.avi") == len(frames) - 1 == 4
    # The picture moves two pixels to the right in each frame.
    means = store.read("clip.avi", [0, 1, 2, 3]).ranges[:, 2]
    np.testing.assert_allclose(means, [[2, 0]] * 4, atol=0.3)


def test_a_shard_without_videos_is_whole_and_empty(indexed):
    facts = store_flow(recipe(3), indexed, indexed / "index.csv", 2, indexed / "2.zip", "cpu")
    assert facts["fields"] == 0
    assert Store([indexed / "2.zip"])


def test_a_video_that_can_no_longer_be_read_leaves_no_shard(indexed):
    (indexed / "clip.avi").write_bytes(b"gone")
    list_clip(indexed)
    with pytest.raises(BadVideoError, match=r"clip\.avi: no frame can be decoded"):
        store_flow(recipe(), indexed, indexed / "index.csv", 0, indexed / "0.zip", "cpu")
    assert sorted(path.name for path in indexed.iterdir()) == ["clip.avi", "index.csv"]


def test_a_video_that_is_not_the_listed_one_is_refused(indexed):
    with (indexed / "clip.avi").open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(UserError, match=r"clip\.avi: is not the file that .*index\.csv lists"):
        store_flow(recipe(), indexed, indexed / "index.csv", 0, indexed / "0.zip", "cpu")
    (indexed / "clip.avi").unlink()
    with pytest.raises(UserError, match=r"clip\.avi: is missing, though"):
        store_flow(recipe(), indexed, indexed / "index.csv", 0, indexed / "0.zip", "cpu")


def test_frames_are_rescaled_to_their_shorter_side(indexed):
    frames = FramesRecipe(media="videos", shards=1, frames={"short_side": 96, "quality": 95})
    facts = store_frames(frames, indexed, indexed / "index.csv", 0, indexed / "0.zip")
    assert facts == {"frames": 5, "damaged": {}, "all_frames_equal": []}
    assert Store([indexed / "0.zip"]).read("clip.avi", [0]).images.shape == (1, 3, 96, 128)
    assert rescale(np.zeros((200, 100, 3), np.uint8), 50).shape == (100, 50, 3)


def test_a_video_that_stands_still_is_told(indexed, capsys):
    write_video(indexed / "clip.avi", [textured(48, 64)] * 4)
    list_clip(indexed)
    frames = FramesRecipe(media="videos", shards=1, frames={"short_side": 48, "quality": 95})
    facts = store_frames(frames, indexed, indexed / "index.csv", 0, indexed / "0.zip")
    assert facts["all_frames_equal"] == ["clip.avi"]
    assert "all frames are equal, so that there is no motion in it: clip.avi" in capsys.readouterr().err


def test_a_video_that_two_decodings_differ_of_is_told(indexed, monkeypatch, capsys):
    decode, noise = decoding._decode, itertools.count()

    def differs(path: Path, media: str, *more: object) -> Iterator[np.ndarray]:
        for frame in decode(path, media, *more):
            frame[0, 0] = next(noise)
            yield frame

    monkeypatch.setattr(decoding, "_decode", differs)
    frames = FramesRecipe(media="videos", shards=1, frames={"short_side": 48, "quality": 95})
    facts = store_frames(frames, indexed, indexed / "index.csv", 0, indexed / "0.zip")
    assert facts["damaged"] == {"clip.avi": "two decodings gave different frames"}
    assert "is used (two decodings gave different frames)" in capsys.readouterr().err


def test_a_full_disk_is_seen_before_the_work_begins(indexed, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(UserError, match=r"may take 0\.0 GB, but .* has\n? ?0\.0 GB free"):
        store_flow(recipe(), indexed, indexed / "index.csv", 0, indexed / "0.zip", "cpu")


def test_clip20_is_zero_at_128_and_safe_to_mirror():
    field = np.array([[[0, -30], [10, 3], [-10, -3], [25, 20]]], np.float32)
    image = encode(field, "clip20").image
    assert image[:, 0].tolist() == [128, 1]
    assert (encode(-field, "clip20").image == 256 - image.astype(int)).all()
    assert image[0].tolist() == [128, 128 + round(10 * 127 / 20), 128 - round(10 * 127 / 20), 255]


def test_a_folder_is_extracted_by_the_script_alone(clip, tmp_path):
    (tmp_path / "videos/it's (1) & #2").mkdir(parents=True)
    clip.rename(tmp_path / "videos/it's (1) & #2/a b.avi")
    (tmp_path / "videos/one.avi").write_bytes(b"")
    command = ["python", ROOT / "scripts/extract_flow.py", "--videos", tmp_path / "videos"]
    command += ["--out", tmp_path / "flow", "--method", "dis", "--direction", "both"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 1 and "one.avi: the file is empty" in done.stderr
    assert not list(tmp_path.glob("flow/*.zip"))
    command += ["--skip-bad", "--preview", tmp_path / "preview.png"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for direction, sign in (("forward", 1), ("backward", -1)):
        store = Store([tmp_path / f"flow/{direction}.zip"])
        mean = store.read("it's (1) & #2/a b.avi", [1]).ranges[0, 2]
        np.testing.assert_allclose(mean, [2 * sign, 0], atol=0.3)
    assert "one.avi" in (tmp_path / "flow/skipped.csv").read_text()
    assert cv2.imread(str(tmp_path / "preview.png")).shape == (52, 128, 3)
    assert re.search(r"a b\.avi: no motion is white, (1\.9|2\.\d) px and more", done.stdout)


def test_a_folder_whose_extraction_was_stopped_is_gone_on_with(clip, tmp_path, monkeypatch):
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a", "b", "c"):
        shutil.copy(clip, videos / f"{name}.avi")
    read: list[str] = []
    stops = ["c.avi"]

    def reads(file: Path, **more) -> Iterator[np.ndarray]:
        if file.name in stops:
            raise KeyboardInterrupt
        read.append(file.name)
        return read_frames(file, **more)

    monkeypatch.setattr(extraction, "read_frames", reads)
    more = {"directions": ["forward"], "device": "cpu", "skip_bad": False, "preview": None}
    with pytest.raises(KeyboardInterrupt):
        extract_folder(videos, tmp_path / "flow", settings(), **more)
    stops.clear()
    extract_folder(videos, tmp_path / "flow", settings(), **more)
    assert read == ["a.avi", "b.avi", "c.avi"]
    extract_folder(videos, tmp_path / "undisturbed", settings(), **more)
    assert (tmp_path / "flow/forward.zip").read_bytes() == (tmp_path / "undisturbed/forward.zip").read_bytes()


@pytest.mark.parametrize(("displacement", "colour"), [((1, 0), "red"), ((-1, 0), "cyan"), ((0, 0), "white")])
def test_directions_have_their_colours(displacement, colour):
    blue, green, red = colour_coded(np.full((2, 2, 2), displacement, np.float32), longest=1)[0, 0]
    expected = {"red": (255, 0, 0), "cyan": (0, 255, 255), "white": (255, 255, 255)}[colour]
    assert (red, green, blue) == expected


def test_a_video_that_breaks_off_is_told_in_log_and_record(indexed, capsys):
    content = (indexed / "clip.avi").read_bytes()
    end = content.rindex(b"idx1")
    (indexed / "clip.avi").write_bytes(content[: end * 3 // 5])
    list_clip(indexed)
    settings = FramesRecipe(media="videos", shards=1, frames={"short_side": 48, "quality": 95})
    facts = store_frames(settings, indexed, indexed / "index.csv", 0, indexed / "0.zip")
    assert facts["frames"] < 5
    told = f"frames: {facts['frames']} of 5 announced"
    assert told in facts["damaged"]["clip.avi"]
    assert f"{indexed / 'clip.avi'}: is damaged" in (said := capsys.readouterr().err) and told in said
    flow = store_flow(recipe(), indexed, indexed / "index.csv", 0, indexed / "1.zip", "cpu")
    assert flow["fields"] == facts["frames"] - 1 and flow["damaged"] == facts["damaged"]
    assert told in capsys.readouterr().err


def test_a_damaged_packet_is_told_by_the_script_alone_once_for_both_directions(clip, tmp_path):
    zero_frame(clip, 2)
    (tmp_path / "videos").mkdir()
    clip.rename(tmp_path / "videos/clip.avi")
    command = ["python", ROOT / "scripts/extract_flow.py", "--videos", tmp_path / "videos"]
    command += ["--out", tmp_path / "flow", "--method", "dis", "--direction", "both"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr.count("clip.avi: is damaged, and what is left of it is used (packets passed over: 1") == 1
    )
    for direction in ("forward", "backward"):
        record = read_record(tmp_path / f"flow/{direction}.zip")
        assert record["fields"] == 3 and record["damaged"]["clip.avi"].startswith("packets passed over: 1")


def test_a_gpu_that_is_not_there_is_a_clear_error(indexed):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    brox = recipe().model_copy(update={"flow": settings("brox")})
    with pytest.raises(UserError, match="no GPU is usable"):
        store_flow(brox, indexed, indexed / "index.csv", 0, indexed / "0.zip", "cuda")

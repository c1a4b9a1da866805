"""RAFT as a flow algorithm: against torchvision called as it documents it, and where its weights come from.

Random weights do for most of it. Where real ones lie (data/archives/raft_small), known shifts are found.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from conftest import ENVIRONMENT, ROOT, copy_project, run, textured
from local_server import Served
from test_config import edit
from test_extract_flow import shifted

from twostream.config import flow as flow_settings
from twostream.config.flow import Flow, SmallRaftSettings
from twostream.config.loading import load_config
from twostream.extraction.folder import extract_folder, with_weights_here
from twostream.extraction.raw_frames import write_raw_frames
from twostream.extraction.store import Store
from twostream.files import UserError, sha256
from twostream.flow.algorithms import raft
from twostream.flow.video_flow import video_flow
from twostream.plan.plan import Plan
from twostream.provenance.records import read_record

optical_flow = pytest.importorskip("torchvision.models.optical_flow")
FOLDER = Path("data/archives/raft_small")
OWN = {"directions": ["forward"], "device": "cpu", "skip_bad": False, "preview": None}
REAL = sorted((ROOT / FOLDER).glob("*.pth"))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def content(tmp_path_factory) -> bytes:
    """A file with random weights of raft_small."""
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "weights.pth"
    torch.save(optical_flow.raft_small().state_dict(), file)
    return file.read_bytes()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """The folder for weights, in a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    raft._network.cache_clear()
    FOLDER.mkdir(parents=True)
    return FOLDER


@pytest.fixture
def weights(content) -> str:
    """What the SHA-256 of weights begins with that lie there under another name."""
    (FOLDER / "mine.pth").write_bytes(content)
    return hashlib.sha256(content).hexdigest()[:8]


def settings(weights: str, **more: object) -> Flow:
    own = SmallRaftSettings(weights=weights, updates=3)
    return Flow(**({"method": "raft_small", "encoding": "range", "quality": 90, "raft_small": own} | more))


def documented(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The field of two gray frames whose sides torchvision takes, by its own preprocessing."""
    network = optical_flow.raft_small()
    network.load_state_dict(torch.load(FOLDER / "mine.pth"))
    colours = [torch.from_numpy(np.stack([frame] * 3))[None] for frame in (first, second)]
    pictures = optical_flow.Raft_Small_Weights.DEFAULT.transforms()(*colours)
    with torch.no_grad():
        return network.eval()(*pictures, num_flow_updates=3)[-1][0].permute(1, 2, 0).numpy()


def gray(height: int, width: int, count: int = 2) -> list[np.ndarray]:
    return [cv2.cvtColor(textured(height, width, seed), cv2.COLOR_BGR2GRAY) for seed in range(count)]


def test_a_field_is_torchvisions(weights):
    (field,) = raft.fields(gray(128, 136), False, settings(weights), "cpu")
    expected = documented(*gray(128, 136))
    assert field.dtype == np.float32 and np.abs(expected).max() > 0.1
    np.testing.assert_allclose(field, expected, atol=1e-4)


def test_sides_are_padded_by_their_outermost_pixels(weights):
    (field,) = raft.fields(gray(131, 141), False, settings(weights), "cpu")
    padded = [np.pad(frame, ((2, 3), (1, 2)), mode="edge") for frame in gray(131, 141)]
    np.testing.assert_allclose(field, documented(*padded)[2:-3, 1:-2], atol=1e-4)


def test_small_frames_are_enlarged(weights):
    (field,) = raft.fields(gray(64, 80), False, settings(weights), "cpu")
    assert field.shape == (64, 80, 2)
    network, device = raft._network("raft_small", weights, CPU), CPU
    large = [
        cv2.resize(f.astype(np.float32), (160, 128), interpolation=cv2.INTER_CUBIC) for f in gray(64, 80)
    ]
    found = raft.flow_between(network, large[0][None], large[1][None], 3, device)[0]
    expected = cv2.resize(found, (80, 64), interpolation=cv2.INTER_AREA) / 2
    np.testing.assert_allclose(field, expected, atol=1e-3)
    assert raft.enlarged(20, 16) == (160, 128) and raft.enlarged(128, 171) == (128, 171)


def test_backward_flow_is_that_of_the_reversed_pair(weights):
    frames = gray(128, 128, 3)
    backward = list(raft.fields(frames, True, settings(weights), "cpu"))
    for t in (0, 1):
        (reversed_pair,) = raft.fields([frames[t + 1], frames[t]], False, settings(weights), "cpu")
        assert (backward[t] == reversed_pair).all()


def test_a_batch_is_its_pairs(weights, monkeypatch):
    frames = np.stack(gray(128, 136, 6))
    alone = np.stack(list(raft.fields(frames, False, settings(weights), "cpu")))
    network = raft._network("raft_small", weights, CPU)
    together = raft.flow_between(network, frames[:-1], frames[1:], 3, CPU)
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_batch_that_fits_no_memory_is_shared_out(weights, monkeypatch):
    solve, sizes = raft.flow_between, []

    def with_room_for_two(network, first, *others):
        sizes.append(len(first))
        if len(first) > 2:
            raise torch.OutOfMemoryError
        return solve(network, first, *others)

    monkeypatch.setattr(raft, "flow_between", with_room_for_two)
    frames = np.stack(gray(128, 128, 6))
    network = raft._network("raft_small", weights, CPU)
    fields = list(raft._in_parts(network, frames[:-1], frames[1:], 3, CPU))
    assert sizes == [5, 3, 2, 2, 1]
    alone = list(raft.fields(frames, False, settings(weights), "cpu"))
    np.testing.assert_allclose(np.stack(fields), np.stack(alone), atol=1e-4)


def test_on_a_gpu_pairs_are_computed_in_batches(weights):
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    frames = gray(128, 136, 6)
    on_cpu = np.stack(list(raft.fields(frames, False, settings(weights), "cpu")))
    on_gpu = np.stack(list(raft.fields(frames, False, settings(weights), "cuda")))
    assert np.linalg.norm(on_gpu - on_cpu, axis=-1).mean() < 0.05


def fields_by(weights: str, method: str = "raft_small") -> list[np.ndarray]:
    own = {"weights": weights, "updates": 1}
    return list(raft.fields(gray(128, 128), False, settings(weights, method=method, raft_large=own), "cpu"))


def test_weights_that_are_not_there_are_named_with_those_that_are(weights):
    with pytest.raises(
        UserError, match=r"raft_small: put the weights there whose SHA-256 begins with 0000abcd"
    ):
        fields_by("0000abcd")
    with pytest.raises(UserError, match=rf"mine\.pth: {weights}"):
        fields_by("0000abcd")


@pytest.mark.parametrize("what", ["text", "a list", "numbers", "cut", "another network"])
def test_a_file_of_something_else_is_named(place, what):
    file = place.parent / "raft_large/wrong.pth"
    file.parent.mkdir()
    if what == "text":
        file.write_bytes(b"no weights")
    else:
        held = {"a list": [1, 2], "numbers": {1: 2}}.get(what, optical_flow.raft_small().state_dict())
        torch.save(held, file, _use_new_zipfile_serialization=what != "cut")
    if what == "cut":
        file.write_bytes(file.read_bytes()[:60] + bytes(range(190, 250)) + file.read_bytes()[120:])
    with pytest.raises(
        UserError, match=r"wrong\.pth: does not hold the weights of torchvision's raft_large: "
    ):
        fields_by(sha256(file)[:8], "raft_large")


def test_a_damaged_copy_is_not_taken_for_weights_of_ones_own(place, content):
    (place / "raft_small_C_T_V2-01064c6d.pth").write_bytes(content)
    with pytest.raises(UserError, match=r"its SHA-256 is [0-9a-f]{64}, and by its name begins with 01064c6d"):
        with_weights_here(flow := Flow(method="raft_small", encoding="range", quality=90))
    (place / "raft_small_C_T_V2-01064c6d.pth").rename(place / "mine-20240115.pth")
    assert with_weights_here(flow).raft.weights == sha256(place / "mine-20240115.pth")[:8]


def test_weights_that_are_no_numbers_are_named(place):
    held = optical_flow.raft_small().state_dict()
    held["update_block.flow_head.conv2.bias"][0] = float("nan")
    torch.save(held, place / "mine.pth")
    with pytest.raises(UserError, match=r"mine\.pth: holds weights that are not finite"):
        fields_by(sha256(place / "mine.pth")[:8])


def test_whoever_sets_updates_alone_keeps_the_published_weights():
    own = {"raft_small": {"updates": 6}, "raft_large": {"updates": 6}}
    set_so = Flow(method="raft_small", encoding="range", quality=90, **own)
    assert (set_so.raft_small.weights, set_so.raft_large.weights) == ("01064c6d", "ff5fadd5")


def test_without_torchvision_is_said_what_to_do(weights, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(
        UserError, match="raft_small: is torchvision's, which is not installed: `make pretrained`"
    ):
        fields_by(weights)


@pytest.fixture
def published(server, content, monkeypatch) -> Served:
    """The published file, on a server of this machine."""
    name = f"/raft_small_X-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    server.files[name] = Served(content)
    monkeypatch.setitem(flow_settings.RAFT_WEIGHTS, "raft_small", server.url(name))
    return server.files[name]


def test_published_weights_are_fetched_once(server, published, content, capsys):
    digits = hashlib.sha256(content).hexdigest()[:8]
    expected = fields_by(digits)
    raft._network.cache_clear()
    assert (fields_by(digits)[0] == expected[0]).all()
    assert len(server.asked) == 1 and sha256(FOLDER / f"raft_small_X-{digits}.pth").startswith(digits)
    assert "raft_small_X" in capsys.readouterr().err, "a bar of the transfer"
    known = json.loads(Path("config/checksums/raft_small.json").read_text())
    assert [file["size"] for file in known.values()] == [len(content)]


def test_what_a_server_brings_in_place_of_them_is_not_kept(server, published, content):
    published.content = b"another file"
    digits = hashlib.sha256(content).hexdigest()[:8]
    with pytest.raises(UserError, match=rf"should begin with {digits}; the file was deleted"):
        fields_by(digits)
    assert list(FOLDER.iterdir()) == []
    published.content, published.version = content, '"2"'
    assert len(fields_by(digits)) == 1


def test_without_a_network_is_said_where_the_file_goes(server, published, content):
    server.files.clear()
    with pytest.raises(UserError, match=r"404(.|\n)*goes into data/archives/raft_small"):
        fields_by(hashlib.sha256(content).hexdigest()[:8])


def test_torchvisions_addresses_are_its_own():
    for name, weights in (("raft_small", "Raft_Small_Weights"), ("raft_large", "Raft_Large_Weights")):
        url = getattr(optical_flow, weights).DEFAULT.url
        assert flow_settings.RAFT_WEIGHTS[name] == url
        assert f"-{Flow(method=name, encoding='range', quality=90).raft.weights}.pth" in url


def test_settings_of_raft_are_in_no_record_of_other_flow():
    brox = Flow(method="brox", encoding="range", quality=90, raft_small=SmallRaftSettings(weights="0" * 8))
    assert not flow_settings.RAFT_WEIGHTS.keys() & brox.model_dump().keys()
    large = Flow(method="raft_large", encoding="range", quality=90).model_dump()
    assert large["raft_large"] == {"weights": "ff5fadd5", "updates": 12} and "raft_small" not in large


def test_other_weights_are_another_flow_and_of_nothing_else(tmp_path):
    config = load_config(ROOT / "config")
    own = config.scale.flow.model_copy(update={"raft_small": SmallRaftSettings(weights="1" * 8)})
    plans = [
        Plan(config.model_copy(update={"scale": config.scale.model_copy(update={"flow": flow})}))
        for flow in (config.scale.flow, own)
    ]
    by_raft = [plan.extraction.extract_other_flow("demo_a", "forward", "raft_small") for plan in plans]
    assert by_raft[0].spec != by_raft[1].spec
    assert by_raft[1].recipe.model_dump(mode="json")["flow"]["raft_small"]["weights"] == "1" * 8
    assert len({plan.extraction.extract_flow("demo_a", "forward").spec for plan in plans}) == 1
    other = [plan.extraction.extract_other_flow("demo_a", "forward", "dis").spec for plan in plans]
    assert other[0] == other[1]


def test_a_folder_is_extracted_with_the_weights_that_lie_there(clip, tmp_path, weights, capsys):
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.move(clip, videos / "clip.avi")
    command = ["python", ROOT / "scripts/extract_flow.py", "--videos", videos, "--method", "raft_small"]
    command += ["--out", "flow", "--direction", "both"]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"the weights are those in {FOLDER}/mine.pth (SHA-256 {weights}...)" in done.stderr
    for direction in ("forward", "backward"):
        assert Store([Path(f"flow/{direction}.zip")]).length("clip.avi") == 4
        recipe = read_record(f"flow/{direction}.zip")["recipe"]
        assert recipe["flow"]["raft_small"] == {"weights": weights, "updates": 12}
    write_raw_frames(videos, ["clip.avi"], tmp_path / "raw", Flow(**COMMON), "cpu")
    assert json.loads((tmp_path / "raw/settings.json").read_text())["raft_small"]["weights"] == weights
    (FOLDER / "another.pth").write_bytes(b"others")
    with pytest.raises(UserError, match=r"raft_small: holds several files of weights; leave one there"):
        extract_folder(videos, tmp_path / "flow", Flow(**COMMON), **OWN)


COMMON = {"method": "raft_small", "encoding": "range", "quality": 90}


def with_real_weights() -> Flow:
    if len(REAL) != 1:
        pytest.skip(f"no weights in {FOLDER}")
    (FOLDER / "real.pth").symlink_to(REAL[0].resolve())
    return Flow(**COMMON, raft_small=SmallRaftSettings(weights=sha256(REAL[0])[:8]))


@pytest.mark.parametrize("zoom", [0.25, 0.5, 1, 2])
def test_a_shift_is_found_with_real_weights(zoom):
    frames = [cv2.resize(frame, None, fx=zoom, fy=zoom) for frame in shifted(2.5, -1.5)]
    (field,) = video_flow(frames, with_real_weights(), "forward")
    edge = int(10 * zoom)
    inner = field[edge:-edge, edge:-edge]
    assert np.linalg.norm(inner - zoom * np.array([2.5, -1.5]), axis=-1).mean() < 0.25


def test_a_project_has_a_stream_trained_on_it_with_real_weights(tmp_path, monkeypatch):
    own = {"weights": with_real_weights().raft.weights, "updates": 1}
    project = copy_project(tmp_path / "project")
    shutil.copytree(FOLDER, project / FOLDER, symlinks=True)
    edit(project / "config/scale/demo.yaml", "flow.raft_small", own)
    run(project, "--", "scores/temporal/flow-10-raft/demo_a-split1-seed0.npz")
    monkeypatch.chdir(project)
    record = read_record("data/flow/demo_a/forward-raft_small/0.zip")
    assert record["recipe"]["flow"]["raft_small"] == own
    assert (record["backend"], record["arithmetic"]) == ("torch", ["portable"])

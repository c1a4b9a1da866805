"""What is said of streams and kinds of input, by hand, and that a new one needs to say no more."""

import shutil
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT, planned
from conftest import run as run_project

from twostream import paths
from twostream.config.benchmark import Fusion, Input, Run
from twostream.config.loading import load_config
from twostream.config.streams import KINDS, PIXEL_SCALE, STREAMS, KindName, StreamName
from twostream.extraction.store import ShardWriter, Store
from twostream.networks.input_format import channels
from twostream.networks.model_file import Description, copy_hidden_layers, save_model
from twostream.networks.network import StreamNetwork, first_convolution
from twostream.scores.score_file import read_scores
from twostream.training.batch import Batch
from twostream.training.preprocessing import prepare
from twostream.training.reader import VideoReader
from twostream.training.squares import stack_squares

SIZE = 4


def batch(values: torch.Tensor, flip: bool) -> Batch:
    """One input of stored values [length, channels, SIZE, SIZE], which displacements keep as they are."""
    ranges = torch.zeros(1, len(values), 3, 2)
    ranges[:, :, 1] = 255
    zero = torch.tensor([0])
    return Batch(values[None], ranges, zero, zero, zero + SIZE, torch.tensor([flip]), torch.zeros(1, 3))


def stored(length: int, count: int) -> torch.Tensor:
    return (torch.arange(length * count * SIZE * SIZE) % 251).to(torch.uint8).view(length, count, SIZE, SIZE)


def test_each_name_has_its_entry_and_each_kind_its_stream():
    assert set(get_args(KindName)) == KINDS.keys()
    assert set(get_args(StreamName)) == STREAMS.keys()
    assert {kind for stream in STREAMS.values() for kind in stream.kinds} == KINDS.keys()
    for kind in KINDS.values():
        assert len(kind.channels) == len(kind.mirror_signs) == len(kind.mean)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "frames", "length": 1}, (["frames"], 3)),
        ({"kind": "frames", "length": 11}, (["frames"], 33)),
        ({"kind": "difference", "length": 5}, (["frames"], 15)),
        ({"kind": "stacking", "length": 10}, (["flow"], 20)),
        ({"kind": "trajectory", "length": 10, "bidirectional": True}, (["flow", "backward_flow"], 20)),
    ],
)
def test_an_input_says_what_it_reads_and_how_many_channels_it_has(settings, expected):
    what = Input(**settings)
    assert (what.extracted, channels(what)) == expected


@pytest.mark.parametrize(("kind", "signs"), [("frames", [1, 1, 1]), ("stacking", [-1, 1])])
def test_a_mirrored_input_is_turned_over_and_horizontal_displacements_negated(kind, signs):
    what = Input(kind=kind, length=1)
    values = stored(1, len(signs))
    plain, mirrored = (prepare(batch(values, flip), what, SIZE)[0] for flip in (False, True))
    for channel, sign in enumerate(signs):
        assert torch.equal(mirrored[channel], sign * plain[channel].flip(-1))


def test_of_mirrored_trajectories_horizontal_displacements_are_negated():
    what = Input(kind="trajectory", length=3)
    plain, mirrored = (prepare(batch(stored(3, 2), flip), what, SIZE)[0] for flip in (False, True))
    for channel, sign in enumerate([-1, 1] * 3):
        assert torch.equal(mirrored[channel], sign * plain[channel].flip(-1))


def test_differences_are_each_frame_less_the_one_before_it():
    what = Input(kind="difference", length=3)
    assert what.images == 4
    frames = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 3, SIZE, SIZE), np.uint8))
    frames[0, 0, 0, 0], frames[1, 0, 0, 0], frames[2, 0, 0, 0] = 0, 255, 0  # The ends of the range.
    made = prepare(batch(frames, flip=False), what, SIZE)[0].numpy() * PIXEL_SCALE
    by_hand = np.diff(frames.numpy().astype(int), axis=0).reshape(9, SIZE, SIZE)
    np.testing.assert_allclose(made, by_hand, atol=1e-4)
    assert by_hand.max() == 255 and by_hand.min() == -255


def test_mirrored_differences_are_those_of_mirrored_frames():
    what, frames = Input(kind="difference", length=2), stored(3, 3)
    mirrored = prepare(batch(frames, flip=True), what, SIZE)
    assert torch.equal(mirrored, prepare(batch(frames.flip(-1), flip=False), what, SIZE))


def test_resampled_differences_are_differences_of_resampled_frames():
    one, stack = Input(kind="frames", length=1), Input(kind="difference", length=2)
    frames, size = stored(3, 3), SIZE // 2
    first, second, third = (prepare(batch(frame[None], flip=False), one, size)[0] for frame in frames)
    made = prepare(batch(frames, flip=False), stack, size)[0]
    torch.testing.assert_close(made, torch.cat([second - first, third - second]))


def test_a_reader_takes_one_frame_more_than_there_are_differences(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (6, SIZE, SIZE, 3), np.uint8)
    with ShardWriter(tmp_path / "0.zip", 95) as writer:
        writer.add_frames("long", frames)
        writer.add_frames("short", frames[:2])
    store = Store([tmp_path / "0.zip"])
    reader = VideoReader(Input(kind="difference", length=3), {"frames": store})
    assert list(reader.positions("long")) == [0, 1, 2]
    images = reader.read("long", [0, 2]).images
    assert (images == np.stack([store.read("long", range(s, s + 4)).images for s in (0, 2)])).all()
    # The last frame is repeated: what a short video lacks are differences of zero.
    assert list(reader.positions("short")) == [0]
    short = reader.read("short", [0]).images[0].astype(int)
    assert np.diff(short, axis=0)[0].any() and not np.diff(short, axis=0)[1:].any()


def test_a_fusion_names_its_streams_in_one_order_and_one_may_be_of_any():
    three = {"difference": "c", "temporal": "b", "spatial": "a", "method": "average"}
    fusion = Fusion(**three)
    assert list(fusion.streams.items()) == [("spatial", "a"), ("temporal", "b"), ("difference", "c")]
    assert not fusion.is_two_stream
    assert Fusion(temporal="b", spatial="a", method="svm").is_two_stream


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        ({"temporal": "b"}, "a fusion is of two streams or more"),
        (
            {"temporal": "b", "sound": "c"},
            "there is no stream 'sound'; streams: spatial, temporal, difference",
        ),
    ],
)
def test_fusions_of_one_stream_or_an_unknown_one_are_refused(streams, message):
    with pytest.raises(ValueError, match=message):
        Fusion(**streams, method="average")


def test_the_first_layer_for_differences_is_the_mean_over_the_colours_of_one_for_frames(tmp_path):
    settings = load_config(ROOT / "config").scale.networks["spatial"]
    one = Run(stream="spatial", input=Input(kind="frames", length=1), initialisation="scratch", dropout=0.5)
    stack = Input(kind="difference", length=5)
    run = Run(stream="difference", input=stack, initialisation="images", dropout=0.5)
    start, network = (StreamNetwork(settings, r, {"x": 2}, 56) for r in (one, run))
    described = Description(run=one, network=settings, crop=56, short_side=64, heads={"x": ["a", "b"]})
    save_model(start, described, tmp_path / "m.safetensors")
    copy_hidden_layers(tmp_path / "m.safetensors", network)
    first = f"{first_convolution(network)}.weight"
    mean = start.state_dict()[first].mean(dim=1)
    copied = network.state_dict()[first]
    assert copied.shape[1] == 15
    for channel in range(15):
        torch.testing.assert_close(copied[:, channel], mean)


def test_a_table_of_streams_is_made_if_it_is_asked_for(built, tmp_path):
    folder = shutil.copytree(built, tmp_path / "project")
    file = folder / "config/benchmark.yaml"
    benchmark = yaml.safe_load(file.read_text())
    rows = benchmark["more_tables"]["streams"]["rows"]
    for row in rows:
        row["splits"] = [1]
    file.write_text(yaml.safe_dump(benchmark))
    assert not planned(folder, "--", "all", "figures")
    made = planned(folder, "--", "results/streams.csv")
    assert {"train_stream", "score_videos", "fuse_streams", "make_table"} <= made.keys()
    assert "extract_frames" not in made
    run_project(folder, "--", "results/streams.csv")
    table = pd.read_csv(folder / "results/streams.csv")
    assert table["run"].tolist() == [row["run"] for row in rows] and table["ours"].between(0, 100).all()
    # As by hand from the files of each stream.
    names = {"spatial": "spatial-last-d05", "multitask": "flow-10-multitask", "difference": "difference-5"}
    files = [f"scores/{stream}/{name}/demo_a-split1-seed0.npz" for stream, name in names.items()]
    each = [read_scores(folder / file).part("test") for file in files]
    right = np.mean([s.scores for s in each], axis=0).argmax(axis=1) == each[0].labels
    ours = table.set_index("run")["ours"]
    assert ours["three-average"] == pytest.approx(100 * right.mean(), abs=0.01)


def test_a_new_kind_without_signs_is_mirrored_without_negation(monkeypatch):
    """Differences of frames, say: their even channels were negated when all but frames was taken for flow."""
    kind = replace(KINDS["frames"], mean=(0.0, 0.0, 0.0), scale=2.0, lengths=(), slow_fusion=False)
    monkeypatch.setitem(KINDS, "made_up", kind)
    items = partial(stack_squares, items=lambda images, ranges, jitter, what: images.float())
    what = Input.model_construct(kind="made_up", length=2, bidirectional=False, mean_subtraction=False)
    monkeypatch.setitem(sys.modules, what.module, SimpleNamespace(stack=items))
    values = stored(2, 3)
    made = prepare(batch(values, flip=True), what, SIZE)[0]
    assert torch.equal(made, (values.float() / 2).flatten(0, 1).flip(-1)) and (made >= 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "frames", "length": 2}, "the length of frames is 1 or 11"),
        ({"kind": "frames", "length": 1, "mean_subtraction": True}, "is for flow, not for frames"),
        ({"kind": "frames", "length": 1, "bidirectional": True}, "is made of flow"),
        ({"kind": "stacking", "length": 5, "bidirectional": True}, "its length is even"),
    ],
)
def test_inputs_that_a_kind_does_not_have_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Input(**settings)


def test_a_stream_sees_its_own_kinds_alone():
    flow = Input(kind="stacking", length=1)
    with pytest.raises(ValueError, match="a spatial run sees frames, not stacking"):
        Run(stream="spatial", input=flow, initialisation="scratch", dropout=0.5)


def test_any_stream_may_have_a_folder_and_those_of_fusions_are_none():
    for name in (*STREAMS, "multitask", "another"):
        assert [rule for rule, _ in paths.parse_path(f"scores/{name}/r/d-split1-seed0.npz")] == [
            "score_videos"
        ]
    assert [rule for rule, _ in paths.parse_path("scores/fused/r/d-split1-seed0.npz")] == ["fuse_streams"]

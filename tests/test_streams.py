"""What is said of streams and kinds of input, by hand, and that a new one needs to say no more."""

import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import get_args

import pytest
import torch

from twostream import paths
from twostream.config.benchmark import Input, Run
from twostream.config.streams import KINDS, STREAMS, KindName, StreamName
from twostream.networks.input_format import channels
from twostream.training.batch import Batch
from twostream.training.preprocessing import prepare
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

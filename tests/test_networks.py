"""The networks at the paper's settings, worked out by hand from Chatfield et al. (2014), Table 1."""

import math

import numpy as np
import pytest
import torch
from bench_initialisation import flow_like, recipe_of
from conftest import ROOT
from torch import nn
from torch.nn.functional import interpolate

from twostream.config.benchmark import Run
from twostream.config.loading import load_config, parse
from twostream.networks.network import StreamNetwork

CNN_M_2048 = load_config(ROOT / "config", {"scale": "paper"}).scale.networks["spatial"]
SPATIAL = {"stream": "spatial", "input": {"kind": "frames", "length": 1}}
SLOW_FUSION = {"stream": "spatial", "input": {"kind": "frames", "length": 11}}
TEMPORAL = {"stream": "temporal", "input": {"kind": "stacking", "length": 10}}
HEADS = {"ucf101": 101}


def run(settings: dict) -> Run:
    return parse(Run, settings | {"initialisation": "scratch", "dropout": 0.5}, "test")


def built(settings: dict) -> StreamNetwork:
    """CNN-M-2048 with UCF-101's classes, its shapes only: the weights would take 360 MB."""
    with torch.device("meta"):
        return StreamNetwork(CNN_M_2048, run(settings), HEADS, 224)


def weights(inputs: int, outputs: int, kernel: int = 1) -> int:
    """How many numbers a layer learns: its weights and biases."""
    return inputs * outputs * kernel**2 + outputs


@pytest.mark.parametrize(("settings", "channels"), [(SPATIAL, 3), (TEMPORAL, 20)])
def test_cnn_m_2048_has_the_papers_number_of_parameters(settings, channels):
    expected = (
        weights(channels, 96, 7)
        + weights(96, 256, 5)
        + weights(256, 512, 3)
        + 2 * weights(512, 512, 3)
        + weights(6 * 6 * 512, 4096)
        + weights(4096, 2048)
        + weights(2048, 101)
    )
    assert expected == {3: 90_627_813, 20: 90_707_781}[channels]
    assert sum(p.numel() for p in built(settings).parameters()) == expected


def shapes(network: StreamNetwork, x: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Each layer's name and the shape of what it gives."""
    found = {}
    for name, layer in network.features.named_children():
        x = layer(x)
        found[name] = tuple(x.shape)
    return found


def test_cnn_m_2048_has_the_papers_activations():
    found = shapes(built(SPATIAL), torch.empty(1, 3, 224, 224, device="meta"))
    assert found == {
        "conv1": (1, 96, 109, 109),
        "relu1": (1, 96, 109, 109),
        "norm1": (1, 96, 109, 109),
        "pool1": (1, 96, 54, 54),
        "conv2": (1, 256, 26, 26),
        "relu2": (1, 256, 26, 26),
        "norm2": (1, 256, 26, 26),
        # Ceil mode: floor mode would give 12 here, and 5 in the end.
        "pool2": (1, 256, 13, 13),
        "conv3": (1, 512, 13, 13),
        "relu3": (1, 512, 13, 13),
        "conv4": (1, 512, 13, 13),
        "relu4": (1, 512, 13, 13),
        "conv5": (1, 512, 13, 13),
        "relu5": (1, 512, 13, 13),
        "pool5": (1, 512, 6, 6),
    }
    full = [layer[0] for layer in built(SPATIAL).full]
    assert [(f.in_features, f.out_features) for f in full] == [(18_432, 4096), (4096, 2048)]


def test_the_temporal_cnn_m_2048_differs_by_its_input_and_the_second_normalisation_alone():
    spatial, temporal = (built(s).features for s in (SPATIAL, TEMPORAL))
    names = [name for name, _ in spatial.named_children()]
    assert [name for name, _ in temporal.named_children()] == [n for n in names if n != "norm2"]
    assert temporal.conv1.in_channels == 20
    assert [str(layer) for layer in list(temporal)[1:]] == [
        str(layer) for name, layer in list(spatial.named_children())[1:] if name != "norm2"
    ]


def test_slow_fusion_at_the_papers_settings_fuses_11_frames_in_three_layers():
    found = shapes(built(SLOW_FUSION), torch.empty(11, 3, 224, 224, device="meta"))
    # The first number counts what is left of time: 11 frames, 4 groups of 5, 2 of 2, 1 of 2.
    expected = {
        "group1": (4, 15, 224, 224),
        "conv1": (4, 96, 109, 109),
        "pool1": (4, 96, 54, 54),
        "group2": (2, 192, 54, 54),
        "conv2": (2, 256, 26, 26),
        "pool2": (2, 256, 13, 13),
        "group3": (1, 512, 13, 13),
        "conv3": (1, 512, 13, 13),
        "conv4": (1, 512, 13, 13),
        "pool5": (1, 512, 6, 6),
    }
    assert {name: found[name] for name in expected} == expected
    assert [name for name in found if name.startswith("group")] == ["group1", "group2", "group3"]


@pytest.mark.parametrize("inputs", ["noise", "smooth"])
@pytest.mark.parametrize("dropout", [0.5, 0.9])
def test_the_temporal_cnn_m_2048_starts_at_the_loss_of_guessing(dropout, inputs):
    torch.manual_seed(0)
    network = StreamNetwork(CNN_M_2048, run(TEMPORAL).model_copy(update={"dropout": dropout}), HEADS, 224)
    x = torch.randn(4, 20, *((224, 224) if inputs == "noise" else (8, 8)))
    x = interpolate(x, (224, 224), mode="bicubic")
    keep = torch.rand(4, network.units) >= dropout
    with torch.no_grad():
        scores = network({"ucf101": x / x.std()}, keep)["ucf101"]
    # The mean over all labels, which depends less on the few inputs.
    loss = (scores.logsumexp(dim=1).mean() - scores.mean()).item()
    assert loss == pytest.approx(math.log(101), abs=0.7)


def test_the_benchmark_of_initial_weights_is_of_that_network_and_of_inputs_of_unit_variance():
    recipe = recipe_of(load_config(ROOT / "config", {"scale": "paper"}), 0.8)
    assert recipe.network == CNN_M_2048 and recipe.run.dropout == 0.8
    fields = flow_like(4, 10, 32, torch.Generator().manual_seed(0))
    assert fields.shape == (4, 20, 32, 32) and fields.std().item() == pytest.approx(1)
    assert fields.mean(dim=(2, 3)).abs().max() < 1e-4


@pytest.mark.parametrize("dropout", [0.0, 0.5, 0.9])
def test_dropout_leaves_the_variance_of_what_follows_it_as_it_is_without(dropout):
    settings = CNN_M_2048.model_copy(update={"full": [300, 300]})
    torch.manual_seed(0)
    network = StreamNetwork(settings, run(TEMPORAL).model_copy(update={"dropout": dropout}), HEADS, 64)
    # He et al.: a variance of 2 / inputs; and 0.01 for the softmax layer, without dropout.
    first, second = (layer[0].weight for layer in network.full)
    assert first.var().item() * first.shape[1] == pytest.approx(2, rel=0.02)
    hidden = torch.rand(2000, 300)
    kept = hidden * (torch.rand(2000, 300) >= dropout) / (1 - dropout)
    dropped = (kept @ second.T).pow(2).mean().item()
    assert dropped == pytest.approx(hidden.pow(2).sum(dim=1).mean().item() * 2 / 300, rel=0.1)
    assert network.heads["ucf101"].weight.std().item() == pytest.approx(0.01 * (1 - dropout) ** 0.5, rel=0.05)


def test_local_response_normalisation_is_alexnets():
    a = np.random.default_rng(0).normal(0, 100, (7, 3, 4))
    expected = np.empty_like(a)
    for i in range(7):
        nearby = a[max(0, i - 2) : min(6, i + 2) + 1]
        expected[i] = a[i] / (2 + 1e-4 * (nearby**2).sum(axis=0)) ** 0.75
    (norm,) = (layer for name, layer in built(SPATIAL).features.named_children() if name == "norm1")
    assert isinstance(norm, nn.LocalResponseNorm)
    np.testing.assert_allclose(norm(torch.from_numpy(a)[None])[0], expected, rtol=1e-9)

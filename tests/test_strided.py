"""Gradients of strided convolutions, against PyTorch's own."""

from collections.abc import Callable

import pytest
import torch
from timm.layers import BlurPool2d, Conv2dSame, ScaledStdConv2dSame
from torch import Tensor, nn

from twostream.networks import strided
from twostream.networks.strided import with_portable_gradients

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "CNN-M conv2": lambda: nn.Conv2d(4, 8, 5, stride=2, padding=1),
    "ResNet stem": lambda: nn.Conv2d(4, 8, 7, stride=2, padding=3, bias=False),
    "ResNet shortcut": lambda: nn.Conv2d(4, 8, 1, stride=2, bias=False),
    "depthwise": lambda: nn.Conv2d(4, 8, 3, stride=2, padding=1, groups=4),
    "groups, uneven": lambda: nn.Conv2d(4, 8, (3, 2), stride=(2, 3), padding=(0, 1), groups=2),
    "dilated": lambda: nn.Conv2d(4, 8, 3, stride=2, padding=2, dilation=2),
    "padding beyond the kernel": lambda: nn.Conv2d(4, 8, 1, stride=2, padding=1),
    "patches": lambda: nn.Conv2d(4, 8, 4, stride=4),
    "mirrored at the borders": lambda: nn.Conv2d(4, 8, 3, stride=2, padding=1, padding_mode="reflect"),
    "TensorFlow's padding": lambda: Conv2dSame(4, 8, 3, stride=2),
    "TensorFlow's padding, depthwise": lambda: Conv2dSame(4, 4, 5, stride=2, groups=4, bias=False),
    "standardised weights": lambda: ScaledStdConv2dSame(4, 8, 3, stride=2),
    "blurred": lambda: BlurPool2d(4),
}


@pytest.fixture
def seen(monkeypatch) -> list[tuple[int, ...]]:
    """The strides of the convolutions whose gradients are our own, as they come."""
    found: list[tuple[int, ...]] = []
    own = strided._input_gradient

    def spied(x: Tensor, weight: Tensor, gradient: Tensor, geometry: tuple) -> Tensor:
        found.append(geometry[0])
        return own(x, weight, gradient, geometry)

    monkeypatch.setattr(strided, "_input_gradient", spied)
    return found


def gradients(layer: nn.Module, size: int = 13, channels: int = 4) -> list[Tensor]:
    """A layer's values, and the gradients of its input and its parameters."""
    layer.zero_grad()
    seed = torch.Generator().manual_seed(2)
    x = torch.randn(2, channels, size, size - 1, generator=seed, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    (y * torch.randn(y.shape, generator=seed, dtype=torch.float64)).sum().backward()
    return [y, x.grad, *(parameter.grad for parameter in layer.parameters())]


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_pytorchs(name, seen):
    torch.manual_seed(1)
    reference, layer = LAYERS[name]().double(), LAYERS[name]().double()
    layer.load_state_dict(reference.state_dict())
    with_portable_gradients(layer)
    expected = gradients(reference)
    assert not seen
    for wanted, value in zip(expected, gradients(layer), strict=True):
        torch.testing.assert_close(value, wanted, rtol=0, atol=1e-12)
    assert len(seen) == 1


@pytest.mark.parametrize("kind", [nn.Conv2d, Conv2dSame])
def test_all_strided_convolutions_of_a_network_are_meant_and_no_others(kind, seen):
    inner = nn.Sequential(nn.Conv2d(4, 4, 3), kind(4, 4, 3, stride=(2, 1)))
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding="same"), inner, nn.Conv2d(4, 4, 3, stride=3)).double()
    before = gradients(network, channels=1)
    with_portable_gradients(network)
    for wanted, value in zip(before, gradients(network, channels=1), strict=True):
        torch.testing.assert_close(value, wanted)
    assert seen == [(3, 3), (2, 1)]
    assert list(network.state_dict()) == list(nn.Sequential(*network).state_dict())

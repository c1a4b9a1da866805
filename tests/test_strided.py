"""Gradients of strided convolutions, against PyTorch's own."""

import pytest
import torch
from torch import nn

from twostream.networks.strided import StridedConvolution, with_portable_gradients

LAYERS = {
    "CNN-M conv2": {"kernel_size": 5, "stride": 2, "padding": 1},
    "ResNet stem": {"kernel_size": 7, "stride": 2, "padding": 3, "bias": False},
    "ResNet shortcut": {"kernel_size": 1, "stride": 2, "bias": False},
    "depthwise": {"kernel_size": 3, "stride": 2, "padding": 1, "groups": 4},
    "groups, uneven": {"kernel_size": (3, 2), "stride": (2, 3), "padding": (0, 1), "groups": 2},
    "dilated": {"kernel_size": 3, "stride": 2, "padding": 2, "dilation": 2},
    "padding beyond the kernel": {"kernel_size": 1, "stride": 2, "padding": 1},
    "patches": {"kernel_size": 4, "stride": 4},
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_pytorchs(name):
    torch.manual_seed(1)
    reference = nn.Conv2d(4, 8, **LAYERS[name]).double()
    layer = nn.Conv2d(4, 8, **LAYERS[name]).double()
    layer.load_state_dict(reference.state_dict())
    with_portable_gradients(layer)
    assert isinstance(layer, StridedConvolution)
    found = []
    for convolution in (reference, layer):
        x = torch.randn(2, 4, 13, 12, generator=torch.manual_seed(2), dtype=torch.float64, requires_grad=True)
        y = convolution(x)
        (y * torch.randn(y.shape, generator=torch.manual_seed(3), dtype=torch.float64)).sum().backward()
        found.append([y, x.grad, *(parameter.grad for parameter in convolution.parameters())])
    for expected, value in zip(*found, strict=True):
        torch.testing.assert_close(value, expected, rtol=0, atol=1e-12)


def test_what_is_not_strided_stays():
    network = nn.Sequential(
        nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3, stride=2, padding_mode="reflect", padding=1)
    )
    with_portable_gradients(network)
    assert type(network[0]) is nn.Conv2d
    x = torch.randn(1, 1, 9, 9, requires_grad=True)
    network(x).sum().backward()
    assert x.grad is not None

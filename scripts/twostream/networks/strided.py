"""Strided convolutions whose gradients are the same on every processor.

The kernel that oneDNN takes for the gradient of a strided convolution's input sums in blocks as large as
the processor's caches allow. That of a convolution that is not strided does not, and gives the same gradient
of the same values with zeros between them.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad


def with_portable_gradients(network: nn.Module) -> None:
    """Have a network on a CPU compute its strided convolutions' gradients alike on every processor."""
    for layer in network.modules():
        if type(layer) is nn.Conv2d and max(layer.stride) > 1 and not isinstance(layer.padding, str):
            layer.__class__ = StridedConvolution


class StridedConvolution(nn.Conv2d):
    """A convolution with padding by zeros; weights and values are those of `nn.Conv2d`."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.padding_mode != "zeros":
            return super()._conv_forward(input, weight, bias)
        geometry = (self.stride, self.padding, self.dilation, self.groups)
        return _StridedConvolution.apply(input, weight, bias, geometry)  # type: ignore[no-untyped-call]


class _StridedConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: tuple[Any, ...]
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = geometry
        return conv2d(x, weight, bias, *geometry)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.geometry
        wanted = ctx.needs_input_grad
        _, of_weight, of_bias = torch.ops.aten.convolution_backward(
            *(gradient, x, weight, [len(weight)]),
            *(stride, padding, dilation, False, [0, 0], groups),
            [False, wanted[1], wanted[2]],
        )
        of_input = _input_gradient(x, weight, gradient, ctx.geometry) if wanted[0] else None
        return of_input, of_weight, of_bias, None


def _input_gradient(x: Tensor, weight: Tensor, gradient: Tensor, geometry: tuple[Any, ...]) -> Tensor:
    """Return the gradient [batch, inputs, height, width] of a convolution's input, from its output's."""
    stride, padding, dilation, groups = geometry
    spread = gradient.new_zeros(*gradient.shape[:2], *_spread_size(x, weight, geometry))
    spread[..., :: stride[0], :: stride[1]] = gradient
    # Inputs and outputs change places within each group, and the kernel is turned round.
    turned = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1).flip(2, 3)
    rim = [d * (k - 1) - p for d, k, p in zip(dilation, weight.shape[2:], padding, strict=True)]
    around = pad(spread, (rim[1], rim[1], rim[0], rim[0]))
    return conv2d(around, turned, None, 1, 0, dilation, groups)


def _spread_size(x: Tensor, weight: Tensor, geometry: tuple[Any, ...]) -> list[int]:
    """The size of the output, were the convolution not strided."""
    _, padding, dilation, _ = geometry
    sizes = zip(x.shape[2:], padding, dilation, weight.shape[2:], strict=True)
    return [size + 2 * p - d * (k - 1) for size, p, d, k in sizes]

"""Strided convolutions whose gradients are the same on every processor.

The kernel that oneDNN takes for the gradient of a strided convolution's input sums in blocks as large as
the processor's caches allow. That of a convolution that is not strided does not, and gives the same gradient
of the same values with zeros between them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.overrides import TorchFunctionMode


def with_portable_gradients(network: nn.Module) -> None:
    """Have a network on a CPU compute its strided convolutions' gradients alike on every processor.

    All two-dimensional ones are meant that go through `torch.nn.functional.conv2d`. Libraries of networks
    call it in classes of their own (with TensorFlow's padding, or to blur), so each call of such a network
    is looked at. Where all layers are PyTorch's or ours, only those that matter are, which is quicker.
    """
    layers = list(network.modules())
    if all(type(layer).__module__.startswith(("torch.nn.", "twostream.")) for layer in layers):
        layers = [layer for layer in layers if isinstance(layer, nn.Conv2d) and max(layer.stride) > 1]
    else:
        layers = [network]
    for layer in layers:
        layer.__class__ = _portable(type(layer))  # type: ignore[arg-type]


@cache
def _portable(kind: type[nn.Module]) -> type[nn.Module]:
    """The same class but for its forward pass, in which all convolutions are looked at."""

    def forward(self: nn.Module, *inputs: Any, **more: Any) -> Any:
        with PortableConvolutions():
            return kind.forward(self, *inputs, **more)

    return type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})


class PortableConvolutions(TorchFunctionMode):
    """While it is entered, strided convolutions have the gradients of ones that are not; values stay."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func is conv2d:
            return _convolution(*args, **kwargs or {})
        return func(*args, **kwargs or {})


def _convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | tuple[int, ...] = 1,
    padding: str | int | tuple[int, ...] = 0,
    dilation: int | tuple[int, ...] = 1,
    groups: int = 1,
) -> Tensor:
    """`conv2d`, with its parameters' names; padding by name is for convolutions that are not strided."""
    if isinstance(padding, str) or max(_two(stride)) == 1:
        return conv2d(input, weight, bias, stride, padding, dilation, groups)
    geometry = (_two(stride), _two(padding), _two(dilation), groups)
    return _StridedConvolution.apply(input, weight, bias, geometry)  # type: ignore[no-untyped-call,no-any-return]


def _two(size: int | tuple[int, ...]) -> tuple[int, ...]:
    """Rows and columns, of which one number is for both."""
    return (size, size) if isinstance(size, int) else tuple(size) * (2 // len(size))


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

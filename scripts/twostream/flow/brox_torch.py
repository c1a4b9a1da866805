"""Brox optical flow for batches of frame pairs in PyTorch, on any device.

The discretisation is that of `brox_numba`; results differ by rounding only. Tensors are
[batch, channel, height, width].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from twostream.flow.brox import (
    DIAGONAL_FLOOR,
    PENALISER_FLOOR,
    level_sizes,
    resampling_taps,
)

if TYPE_CHECKING:
    from twostream.config.flow import BroxSettings

# Peak memory of `brox_flow_batch` per pixel of a pair, in bytes, with a third to spare.
BYTES_PER_PIXEL = 400

# Share of the free memory that a batch may take: other users of the device may want some too.
_MEMORY_SHARE = 0.8

HalfSweep: TypeAlias = Callable[[Tensor, Tensor, int, float], None]


class _DataTerm(NamedTuple):
    """Constraints residual + slope_u * u + slope_v * v = 0, each [batch, 3, height, width].

    Channels: brightness, horizontal and vertical gradient, weighted by the square root of their
    share in the energy.
    """

    residual: Tensor
    slope_u: Tensor
    slope_v: Tensor


@torch.no_grad()
def brox_flow_batch(first: Tensor, second: Tensor, settings: BroxSettings) -> Tensor:
    """Displacement of every pixel of the frames `first` to its place in the frames `second`.

    first, second: gray frames, uint8 [batch, height, width], of equal size, on one device.
    Returns float32 [batch, 2, height, width] on that device: horizontal (right) and vertical
    (down) displacement in pixels; always finite.
    Raises ValueError for other shapes, dtypes or devices, or frames that differ in size.
    """
    _check_frames(first, second)
    half_sweep = _half_sweep_for(first.device)
    sizes = level_sizes(first.shape[1], first.shape[2], settings)
    pyramids = zip(_pyramid(first, sizes), _pyramid(second, sizes), strict=True)
    flow = torch.zeros((len(first), 2, *sizes[-1]), device=first.device)
    for one, two in reversed(list(pyramids)):
        flow = _upsampled(flow, one.shape[2], one.shape[3])
        data = _linearise(one, two, flow, settings.gamma)
        for _ in range(settings.inner_iterations):
            system = _linear_system(flow, data, settings)
            for _ in range(settings.solver_iterations):
                half_sweep(flow, system, 0, settings.omega)
                half_sweep(flow, system, 1, settings.omega)
    return flow


def brox_flow_in_batches(
    first: Tensor,
    second: Tensor,
    settings: BroxSettings,
    device: torch.device | str = "cpu",
) -> Tensor:
    """`brox_flow_batch` for any number of pairs, computed on `device` in batches that fit there.

    first, second: uint8 [pairs, height, width] on any device.
    Returns float32 [pairs, 2, height, width] on the device of `first`.
    Raises ValueError as `brox_flow_batch` does, and torch.OutOfMemoryError if not even a single
    pair fits.
    """
    _check_frames(first, second)
    pairs, height, width = first.shape
    batch = min(pairs, batch_size(height, width, device))
    flow = torch.empty((pairs, 2, height, width), device=first.device)
    start = 0
    while start < pairs:
        part = slice(start, start + batch)
        try:
            flow[part] = brox_flow_batch(first[part].to(device), second[part].to(device), settings)
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
        else:
            start += batch
    return flow


def batch_size(height: int, width: int, device: torch.device | str) -> int:
    """Number of frame pairs of this size (pixels) that `brox_flow_batch` can take on `device`.

    One for devices other than CUDA: they gain nothing from a larger batch.
    """
    device = torch.device(device)
    if device.type != "cuda":
        return 1
    # Memory that PyTorch holds in reserve counts as taken for the driver but is free for us.
    reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + reserve
    return max(1, int(_MEMORY_SHARE * free / (BYTES_PER_PIXEL * height * width)))


def half_sweep_eager(flow: Tensor, system: Tensor, colour: int, omega: float) -> None:
    """Relax the pixels of one colour, those with (x + y) % 2 == colour, in place.

    flow: [batch, 2, height, width]. system: [batch, 7, height, width], the weights of the links
    to the right and lower neighbour (0 at the edge), the coupling of u and v, the inverse
    diagonal for u and v, and the right-hand side for u and v.
    """
    right, down, cross = system[:, 0:1, :, :-1], system[:, 1:2, :-1], system[:, 2]
    total = system[:, 5:7].clone()
    total[..., :-1] += right * flow[..., 1:]
    total[..., 1:] += right * flow[..., :-1]
    total[..., :-1, :] += down * flow[..., 1:, :]
    total[..., 1:, :] += down * flow[..., :-1, :]
    mask = _colour_mask(flow.shape[2], flow.shape[3], colour, flow.device)
    u, v = flow[:, 0], flow[:, 1]
    step_u, step_v = omega * system[:, 3], omega * system[:, 4]
    u.copy_(torch.where(mask, (1 - omega) * u + step_u * (total[:, 0] - cross * v), u))
    v.copy_(torch.where(mask, (1 - omega) * v + step_v * (total[:, 1] - cross * u), v))


def _half_sweep_for(device: torch.device) -> HalfSweep:
    """One kernel on CUDA, where a chain of operations would be bound by their launches."""
    if device.type == "cuda":
        try:
            from twostream.flow.brox_triton import half_sweep
        except ImportError:  # PyTorch comes without Triton on some platforms.
            return half_sweep_eager
        return half_sweep
    return half_sweep_eager


def _check_frames(first: Tensor, second: Tensor) -> None:
    for frames in (first, second):
        if frames.ndim != 3 or frames.dtype != torch.uint8:
            raise ValueError(
                f"expected gray uint8 frames [batch, height, width], got {frames.dtype} {tuple(frames.shape)}"
            )
    if first.shape != second.shape:
        raise ValueError(f"frames differ in size: {tuple(first.shape)}, {tuple(second.shape)}")
    if first.device != second.device:
        raise ValueError(f"frames are on different devices: {first.device}, {second.device}")


def _pyramid(frames: Tensor, sizes: list[tuple[int, int]]) -> list[Tensor]:
    """Levels, finest first: intensity in [0, 1] and its horizontal and vertical derivative."""
    level = frames[:, None].to(torch.float32) / 255
    levels = []
    for height, width in sizes:
        level = _resized(level, height, width)
        gradient = [_differentiate(level, 3), _differentiate(level, 2)]
        levels.append(torch.cat([level, *gradient], dim=1))
    return levels


@lru_cache(maxsize=1024)
def _taps(size_in: int, size_out: int, device: torch.device) -> tuple[Tensor, Tensor]:
    start, weights = resampling_taps(size_in, size_out)
    return torch.from_numpy(start).to(device), torch.from_numpy(weights).to(device)


@lru_cache(maxsize=64)
def _colour_mask(height: int, width: int, colour: int, device: torch.device) -> Tensor:
    y, x = torch.arange(height, device=device), torch.arange(width, device=device)
    return (y[:, None] + x) % 2 == colour


def _resized(image: Tensor, height: int, width: int) -> Tensor:
    """Resample the last two dimensions."""
    # Taps instead of a matrix product, which may be set to a lower precision.
    for dim, size in ((2, height), (3, width)):
        if image.shape[dim] != size:
            start, weights = _taps(image.shape[dim], size, image.device)
            shape = (-1, 1) if dim == 2 else (-1,)
            image = torch.stack(
                [
                    image.index_select(dim, start + tap) * weights[:, tap].reshape(shape)
                    for tap in range(weights.shape[1])
                ]
            ).sum(dim=0)
    return image


def _upsampled(flow: Tensor, height: int, width: int) -> Tensor:
    """Displacement of a level brought to the size and the pixels of the next finer one."""
    scale_y, scale_x = height / flow.shape[2], width / flow.shape[3]
    flow = _resized(flow, height, width)
    return torch.stack([flow[:, 0] * scale_x, flow[:, 1] * scale_y], dim=1)


def _differentiate(image: Tensor, dim: int) -> Tensor:
    """Five-point derivative; the frame is continued by its outermost pixels."""
    size = image.shape[dim]
    padding = (2, 2, 0, 0) if dim == 3 else (0, 0, 2, 2)
    padded = functional.pad(image, padding, mode="replicate")
    near = padded.narrow(dim, 3, size) - padded.narrow(dim, 1, size)
    far = padded.narrow(dim, 4, size) - padded.narrow(dim, 0, size)
    return (8 * near - far) / 12


def _cubic_weights(t: Tensor) -> list[Tensor]:
    """Weights of the samples at -1, 0, 1, 2 for cubic convolution at t in [0, 1)."""
    s = 1 - t
    outer_left, outer_right = -0.75 * t * s * s, -0.75 * s * t * t
    left = (1.25 * t - 2.25) * t * t + 1
    return [outer_left, left, 1 - outer_left - left - outer_right, outer_right]


def _warp(frames: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Frames sampled at the displaced pixels, and a mask [batch, 1, ...] of those inside."""
    batch, channels, height, width = frames.shape
    goal_x = torch.arange(width, device=flow.device) + flow[:, 0]
    goal_y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    at_x, at_y = goal_x.clamp(0, width - 1), goal_y.clamp(0, height - 1)
    inside = (at_x == goal_x) & (at_y == goal_y)
    x, y = at_x.long(), at_y.long()
    columns = [(x + offset).clamp(0, width - 1) for offset in (-1, 0, 1, 2)]
    rows = [(y + offset).clamp(0, height - 1) * width for offset in (-1, 0, 1, 2)]
    # Not grid_sample: rounding in its normalised coordinates moves even pixels at rest.
    pixels = frames.flatten(2)
    warped = torch.zeros_like(frames)
    for row, weight_y in zip(rows, _cubic_weights(at_y - y), strict=True):
        for column, weight_x in zip(columns, _cubic_weights(at_x - x), strict=True):
            index = (row + column).reshape(batch, 1, -1).expand(-1, channels, -1)
            sample = pixels.gather(2, index).reshape(frames.shape)
            warped += (weight_y * weight_x)[:, None] * sample
    return warped, inside[:, None]


def _linearise(first: Tensor, second: Tensor, flow: Tensor, gamma: float) -> _DataTerm:
    """Data term of a level, linear around `flow`."""
    warped, inside = _warp(second, flow)
    # Derivatives are averaged over both frames: the line through their intensities then meets
    # the midpoint of the motion, which linearises with a smaller error than either end.
    mean = (first[:, 1:] + warped[:, 1:]) / 2
    ix, iy = mean[:, :1], mean[:, 1:]
    ixx, ixy, iyy = _differentiate(ix, 3), _differentiate(ix, 2), _differentiate(iy, 2)
    root = math.sqrt(gamma)
    # Nothing is known of pixels that leave the frame: their data term vanishes.
    weight = inside * torch.tensor([1.0, root, root], device=flow.device).reshape(3, 1, 1)
    slope_u = weight * torch.cat([ix, ixx, ixy], dim=1)
    slope_v = weight * torch.cat([iy, ixy, iyy], dim=1)
    residual = weight * (warped - first) - slope_u * flow[:, :1] - slope_v * flow[:, 1:]
    return _DataTerm(residual, slope_u, slope_v)


def _smoothness_weights(flow: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """Robust weights of the links to the right and lower neighbour, 0 at the edge."""
    padded = functional.pad(flow, (1, 1, 1, 1), mode="replicate")
    along_x = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    along_y = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    square = (along_x.square() + along_y.square()).sum(dim=1)
    diffusivity = alpha / (square + PENALISER_FLOOR).sqrt()
    right, down = torch.zeros_like(diffusivity), torch.zeros_like(diffusivity)
    right[..., :-1] = (diffusivity[..., 1:] + diffusivity[..., :-1]) / 2
    down[..., :-1, :] = (diffusivity[..., 1:, :] + diffusivity[..., :-1, :]) / 2
    return right, down


def _linear_system(flow: Tensor, data: _DataTerm, settings: BroxSettings) -> Tensor:
    """Fix the robust weights at `flow`; the system they leave, as `half_sweep_eager` takes it."""
    right, down = _smoothness_weights(flow, settings.alpha)
    links = right + down + DIAGONAL_FLOOR
    links[..., 1:] += right[..., :-1]
    links[..., 1:, :] += down[..., :-1, :]
    residual, slope_u, slope_v = data
    now = residual + slope_u * flow[:, :1] + slope_v * flow[:, 1:]
    weight = 1 / (now.square().sum(dim=1) + PENALISER_FLOOR).sqrt()
    return torch.stack(
        [
            right,
            down,
            weight * (slope_u * slope_v).sum(dim=1),
            1 / (links + weight * slope_u.square().sum(dim=1)),
            1 / (links + weight * slope_v.square().sum(dim=1)),
            -weight * (slope_u * residual).sum(dim=1),
            -weight * (slope_v * residual).sum(dim=1),
        ],
        dim=1,
    )

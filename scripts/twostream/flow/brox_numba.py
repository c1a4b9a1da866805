"""Brox optical flow for CPUs, compiled with numba; every call runs on one thread.

Red-black relaxation updates every second pixel, so a level keeps its unknowns and coefficients in
a checkerboard layout that puts the pixels of one colour next to each other:

    array[field, colour, y + 1, x // 2 + 1]    with    colour = (x + y) % 2

All four neighbours of a pixel of colour c have colour 1 - c. Those above and below share its index
k; the left one is at k - 1 + shift and the right one at k + shift, where shift = (y + c) % 2 is
also the column of the row's first pixel of that colour. Every loop over a row thereby runs over
contiguous memory. The rim of one entry on each side stands for pixels outside of the frame, and
so do the last entries of a row, which is lengthened to a whole number of vector registers; no
pixel of the frame is linked to them.

The fields are whole planes, not interleaved row by row, and the kernels index them in full: only
so can the compiler tell, once per plane, that what a loop writes does not overlap what it reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from twostream.flow.brox import (
    DIAGONAL_FLOOR,
    PENALISER_FLOOR,
    level_sizes,
    resampling_taps,
)

if TYPE_CHECKING:
    from twostream.config.flow import BroxSettings

Floats: TypeAlias = npt.NDArray[np.float32]
Pyramid: TypeAlias = tuple[Floats, ...]

# Fields of the linear system: displacement, weights of the links to the right and lower
# neighbour, coupling of u and v, over-relaxed inverse diagonal, right-hand side, diffusivity.
_U, _V, _RIGHT, _DOWN, _CROSS, _STEP_U, _STEP_V, _RHS_U, _RHS_V, _DIFFUSIVITY = range(10)
# Fields of the data term: the residual of each constraint at zero displacement (brightness,
# horizontal and vertical gradient), then the derivatives that make the residuals linear.
_R, _RX, _RY, _IX, _IY, _IXX, _IXY, _IYY = range(8)

_VECTOR = 16  # float32 entries in the widest vector register in use

# float32 constants: plain Python numbers would turn the arithmetic into float64.
_QUARTER, _HALF, _ONE = np.float32(0.25), np.float32(0.5), np.float32(1.0)
_NEAR, _FAR = np.float32(8 / 12), np.float32(1 / 12)
_PENALISER_FLOOR = np.float32(PENALISER_FLOOR)
_DIAGONAL_FLOOR = np.float32(DIAGONAL_FLOOR)
_CUBIC, _CUBIC_2, _CUBIC_3 = np.float32(-0.75), np.float32(2.25), np.float32(1.25)

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _compiled(function: _Function) -> _Function:
    # "contract" permits fused multiply-adds and, unlike the rest of fastmath, nothing that
    # would assume finite numbers.
    compiled = njit(error_model="numpy", fastmath={"contract"})(function)
    # Where neither the code's folder nor the home can be written to, each process compiles it.
    with suppress(RuntimeError):
        compiled.enable_caching()
    return cast(_Function, compiled)


def brox_flow(
    first: npt.NDArray[np.uint8],
    second: npt.NDArray[np.uint8],
    settings: BroxSettings,
) -> Floats:
    """Displacement of every pixel of `first` to its place in `second`.

    first, second: gray frames, uint8 [height, width], of equal size.
    Returns float32 [height, width, 2]: horizontal (right) and vertical (down) displacement in
    pixels; always finite, and the same bytes for the same input.
    Raises ValueError for other shapes or dtypes, or frames that differ in size.
    """
    return flow_between(pyramid(first, settings), pyramid(second, settings), settings)


def pyramid(image: npt.NDArray[np.uint8], settings: BroxSettings) -> Pyramid:
    """Pyramid of a gray frame for `flow_between`; a frame of a video needs it only once.

    image: uint8 [height, width].
    Returns the levels, finest first, each float32 [3, height, width]: intensity in [0, 1], and
    its horizontal and vertical derivative per pixel.
    Raises ValueError for another shape or dtype.
    """
    if image.ndim != 2 or image.dtype != np.uint8:
        raise ValueError(f"expected a gray uint8 image, got {image.dtype} {image.shape}")
    level = image.astype(np.float32, order="C") / np.float32(255)
    levels = []
    for height, width in level_sizes(image.shape[0], image.shape[1], settings):
        level = _resized(level, height, width)
        levels.append(_with_gradient(level))
    return tuple(levels)


def flow_between(first: Pyramid, second: Pyramid, settings: BroxSettings) -> Floats:
    """Displacement between two frames given by pyramids that `pyramid` made with `settings`.

    Returns what `brox_flow` returns.
    Raises ValueError if the pyramids differ in their sizes.
    """
    if [level.shape for level in first] != [level.shape for level in second]:
        raise ValueError(
            f"frames differ in size: {first[0].shape[1:]} and {second[0].shape[1:]}, "
            f"with {len(first)} and {len(second)} levels"
        )
    alpha, omega = np.float32(settings.alpha), np.float32(settings.omega)
    root_gamma = np.float32(np.sqrt(settings.gamma))
    u = v = np.zeros(first[-1].shape[1:], np.float32)
    # One allocation serves all levels: the first touch of fresh memory costs more than the
    # arithmetic on it.
    memory = np.empty(sum(map(math.prod, _level_shapes(*first[0].shape[1:]))), np.float32)
    for one, two in zip(reversed(first), reversed(second), strict=True):
        _, height, width = one.shape
        u, v = _upsampled(u, v, height, width)
        system, data, warped, slope, inside = _carve(memory, _level_shapes(height, width))
        _warp(two, u, v, warped, inside)
        _linearise(one, warped, inside, u, v, root_gamma, slope, data)
        _start_system(u, v, system)
        for _ in range(settings.inner_iterations):
            _weigh_smoothness(system, width, alpha)
            _weigh_data(system, data, omega)
            _relax(system, omega, settings.solver_iterations)
        _merge_colours(system[_U], u)
        _merge_colours(system[_V], v)
    return np.stack([u, v], axis=-1)


def _level_shapes(height: int, width: int) -> list[tuple[int, ...]]:
    """Shapes of the arrays of a level: system, data, warped frame, slopes, inside the frame."""
    half = (width + 1) // 2
    length = (half + _VECTOR - 1) // _VECTOR * _VECTOR + 2
    checkerboard, plane = (2, height + 2, length), (height, width)
    return [(10, *checkerboard), (8, *checkerboard), (3, *plane), (5, *plane), plane]


def _carve(memory: Floats, shapes: list[tuple[int, ...]]) -> list[Floats]:
    """Consecutive parts of `memory` in the given shapes."""
    parts, start = [], 0
    for shape in shapes:
        end = start + math.prod(shape)
        parts.append(memory[start:end].reshape(shape))
        start = end
    return parts


def _upsampled(u: Floats, v: Floats, height: int, width: int) -> tuple[Floats, Floats]:
    """Displacement of a level brought to the size and the pixels of the next finer one."""
    scale_x, scale_y = np.float32(width / u.shape[1]), np.float32(height / u.shape[0])
    return _resized(u, height, width) * scale_x, _resized(v, height, width) * scale_y


def _resized(image: Floats, height: int, width: int) -> Floats:
    if image.shape == (height, width):
        return image
    rows, columns = _taps(image.shape[0], height), _taps(image.shape[1], width)
    return _resample(image, *rows, *columns)


# The levels of one pyramid need few taps, and all frames of a video need the same.
_taps = lru_cache(maxsize=1024)(resampling_taps)


@_compiled
def _resample(
    image: Floats,
    row_start: npt.NDArray[np.int64],
    row_weights: Floats,
    column_start: npt.NDArray[np.int64],
    column_weights: Floats,
) -> Floats:
    out = np.empty((row_start.size, column_start.size), np.float32)
    line = np.empty(image.shape[1], np.float32)
    for y in range(out.shape[0]):
        line[:] = 0
        for tap in range(row_weights.shape[1]):
            weight, row = row_weights[y, tap], image[row_start[y] + tap]
            for x in range(line.size):
                line[x] += weight * row[x]
        for x in range(out.shape[1]):
            total = np.float32(0)
            for tap in range(column_weights.shape[1]):
                total += column_weights[x, tap] * line[column_start[x] + tap]
            out[y, x] = total
    return out


@_compiled
def _with_gradient(image: Floats) -> Floats:
    out = np.empty((3, image.shape[0], image.shape[1]), np.float32)
    out[0] = image
    _differentiate_x(image, out[1])
    _differentiate_y(image, out[2])
    return out


@_compiled
def _differentiate_x(image: Floats, out: Floats) -> None:
    """Five-point derivative along x; the frame is continued by its outermost pixels."""
    height, width = image.shape
    line = np.empty(width + 4, np.float32)
    for y in range(height):
        line[:2], line[width + 2 :] = image[y, 0], image[y, width - 1]
        line[2 : width + 2] = image[y]
        for x in range(width):
            near, far = line[x + 3] - line[x + 1], line[x + 4] - line[x]
            out[y, x] = _NEAR * near - _FAR * far


@_compiled
def _differentiate_y(image: Floats, out: Floats) -> None:
    """Five-point derivative along y; the frame is continued by its outermost pixels."""
    height, width = image.shape
    last = height - 1
    for y in range(height):
        above, below = image[max(y - 1, 0)], image[min(y + 1, last)]
        far_above, far_below = image[max(y - 2, 0)], image[min(y + 2, last)]
        for x in range(width):
            near, far = below[x] - above[x], far_below[x] - far_above[x]
            out[y, x] = _NEAR * near - _FAR * far


@_compiled
def _cubic_weights(t: np.float32) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Weights of the samples at -1, 0, 1, 2 for cubic convolution at t in [0, 1)."""
    s = _ONE - t
    outer_left, outer_right = _CUBIC * t * s * s, _CUBIC * s * t * t
    left = (_CUBIC_3 * t - _CUBIC_2) * t * t + _ONE
    return outer_left, left, _ONE - outer_left - left - outer_right, outer_right


@_compiled
def _warp(frame: Floats, u: Floats, v: Floats, warped: Floats, inside: Floats) -> None:
    """Sample `frame` at the displaced pixels; `inside` is 1 where these lie in it, else 0."""
    _, height, width = frame.shape
    last_x, last_y = width - 1, height - 1
    for y in range(height):
        for x in range(width):
            goal_x, goal_y = np.float32(x) + u[y, x], np.float32(y) + v[y, x]
            at_x = min(max(goal_x, np.float32(0)), np.float32(last_x))
            at_y = min(max(goal_y, np.float32(0)), np.float32(last_y))
            inside[y, x] = np.float32(at_x == goal_x and at_y == goal_y)
            x1, y1 = int(at_x), int(at_y)
            x0, x2, x3 = max(x1 - 1, 0), min(x1 + 1, last_x), min(x1 + 2, last_x)
            y0, y2, y3 = max(y1 - 1, 0), min(y1 + 1, last_y), min(y1 + 2, last_y)
            a0, a1, a2, a3 = _cubic_weights(at_x - np.float32(x1))
            b0, b1, b2, b3 = _cubic_weights(at_y - np.float32(y1))
            for channel in range(3):
                f = frame[channel]
                warped[channel, y, x] = (
                    b0 * (a0 * f[y0, x0] + a1 * f[y0, x1] + a2 * f[y0, x2] + a3 * f[y0, x3])
                    + b1 * (a0 * f[y1, x0] + a1 * f[y1, x1] + a2 * f[y1, x2] + a3 * f[y1, x3])
                    + b2 * (a0 * f[y2, x0] + a1 * f[y2, x1] + a2 * f[y2, x2] + a3 * f[y2, x3])
                    + b3 * (a0 * f[y3, x0] + a1 * f[y3, x1] + a2 * f[y3, x2] + a3 * f[y3, x3])
                )


@_compiled
def _linearise(
    first: Floats,
    warped: Floats,
    inside: Floats,
    u: Floats,
    v: Floats,
    root_gamma: np.float32,
    slope: Floats,
    data: Floats,
) -> None:
    """Fill `data`, the constraints made linear around (u, v); `slope` is scratch space."""
    # Derivatives are averaged over both frames: the line through their intensities then meets
    # the midpoint of the motion, which linearises with a smaller error than either end.
    slope[:2] = _HALF * (first[1:] + warped[1:])
    _differentiate_x(slope[0], slope[2])
    _differentiate_y(slope[0], slope[3])
    _differentiate_y(slope[1], slope[4])
    data[:] = 0
    _, height, width = first.shape
    for y in range(height):
        for x in range(width):
            # Nothing is known of pixels that leave the frame: their data term vanishes.
            weight, root = inside[y, x], inside[y, x] * root_gamma
            ix, iy = weight * slope[0, y, x], weight * slope[1, y, x]
            ixx, ixy, iyy = root * slope[2, y, x], root * slope[3, y, x], root * slope[4, y, x]
            r = weight * (warped[0, y, x] - first[0, y, x])
            rx = root * (warped[1, y, x] - first[1, y, x])
            ry = root * (warped[2, y, x] - first[2, y, x])
            du, dv = u[y, x], v[y, x]
            colour, k = (x + y) & 1, (x >> 1) + 1
            data[_R, colour, y + 1, k] = r - ix * du - iy * dv
            data[_RX, colour, y + 1, k] = rx - ixx * du - ixy * dv
            data[_RY, colour, y + 1, k] = ry - ixy * du - iyy * dv
            data[_IX, colour, y + 1, k] = ix
            data[_IY, colour, y + 1, k] = iy
            data[_IXX, colour, y + 1, k] = ixx
            data[_IXY, colour, y + 1, k] = ixy
            data[_IYY, colour, y + 1, k] = iyy


@_compiled
def _start_system(u: Floats, v: Floats, system: Floats) -> None:
    system[:] = 0
    height, width = u.shape
    for y in range(height):
        for x in range(width):
            system[_U, (x + y) & 1, y + 1, (x >> 1) + 1] = u[y, x]
            system[_V, (x + y) & 1, y + 1, (x >> 1) + 1] = v[y, x]


@_compiled
def _merge_colours(plane: Floats, out: Floats) -> None:
    height, width = out.shape
    for y in range(height):
        for x in range(width):
            out[y, x] = plane[(x + y) & 1, y + 1, (x >> 1) + 1]


@_compiled
def _extend(plane: Floats, width: int) -> None:
    """Continue a field over the edges of the frame by its outermost pixels."""
    height = plane.shape[1] - 2
    for y in range(1, height + 1):
        left, right = (y - 1) & 1, (y + width) & 1
        plane[1 - left, y, 0] = plane[left, y, 1]
        plane[1 - right, y, width // 2 + 1] = plane[right, y, (width - 1) // 2 + 1]
    for colour in range(2):
        plane[colour, 0] = plane[1 - colour, 1]
        plane[colour, height + 1] = plane[1 - colour, height]


@_compiled
def _weigh_smoothness(system: Floats, width: int, alpha: np.float32) -> None:
    """Fix the robust weights of the smoothness term: one for each pair of neighbours."""
    u, v, right, down = system[_U], system[_V], system[_RIGHT], system[_DOWN]
    diffusivity = system[_DIFFUSIVITY]
    _, rows, length = u.shape
    _extend(u, width)
    _extend(v, width)
    for c in range(2):
        for y in range(1, rows - 1):
            shift = (y - 1 + c) & 1
            for k in range(1, length - 1):
                ux = u[1 - c, y, k + shift] - u[1 - c, y, k - 1 + shift]
                vx = v[1 - c, y, k + shift] - v[1 - c, y, k - 1 + shift]
                uy = u[1 - c, y + 1, k] - u[1 - c, y - 1, k]
                vy = v[1 - c, y + 1, k] - v[1 - c, y - 1, k]
                square = _QUARTER * (ux * ux + uy * uy + vx * vx + vy * vy)
                diffusivity[c, y, k] = alpha * _HALF / np.sqrt(square + _PENALISER_FLOOR)
    for c in range(2):
        for y in range(1, rows - 1):
            shift = (y - 1 + c) & 1
            for k in range(1, length - 1):
                right[c, y, k] = diffusivity[c, y, k] + diffusivity[1 - c, y, k + shift]
                down[c, y, k] = diffusivity[c, y, k] + diffusivity[1 - c, y + 1, k]
    # No link leaves the frame.
    down[:, rows - 2] = 0
    for y in range(1, rows - 1):
        right[(y + width) & 1, y, (width - 1) // 2 + 1] = 0


@_compiled
def _weigh_data(system: Floats, data: Floats, omega: np.float32) -> None:
    """Fix the robust weights of the data term and set up the linear system they leave."""
    u, v, right, down = system[_U], system[_V], system[_RIGHT], system[_DOWN]
    _, rows, length = u.shape
    for c in range(2):
        for y in range(1, rows - 1):
            shift = (y - 1 + c) & 1
            for k in range(1, length - 1):
                r, rx, ry = data[_R, c, y, k], data[_RX, c, y, k], data[_RY, c, y, k]
                ix, iy = data[_IX, c, y, k], data[_IY, c, y, k]
                ixx, ixy, iyy = data[_IXX, c, y, k], data[_IXY, c, y, k], data[_IYY, c, y, k]
                now = r + ix * u[c, y, k] + iy * v[c, y, k]
                now_x = rx + ixx * u[c, y, k] + ixy * v[c, y, k]
                now_y = ry + ixy * u[c, y, k] + iyy * v[c, y, k]
                square = now * now + now_x * now_x + now_y * now_y
                weight = _ONE / np.sqrt(square + _PENALISER_FLOOR)
                links = right[c, y, k] + right[1 - c, y, k - 1 + shift]
                links += down[c, y, k] + down[1 - c, y - 1, k] + _DIAGONAL_FLOOR
                diagonal_u = links + weight * (ix * ix + ixx * ixx + ixy * ixy)
                diagonal_v = links + weight * (iy * iy + ixy * ixy + iyy * iyy)
                system[_CROSS, c, y, k] = weight * (ix * iy + ixy * (ixx + iyy))
                system[_STEP_U, c, y, k] = omega / diagonal_u
                system[_STEP_V, c, y, k] = omega / diagonal_v
                system[_RHS_U, c, y, k] = -weight * (ix * r + ixx * rx + ixy * ry)
                system[_RHS_V, c, y, k] = -weight * (iy * r + ixy * rx + iyy * ry)


@_compiled
def _relax(system: Floats, omega: np.float32, iterations: int) -> None:
    """Red-black SOR, in place."""
    u, v, right, down = system[_U], system[_V], system[_RIGHT], system[_DOWN]
    cross, step_u, step_v = system[_CROSS], system[_STEP_U], system[_STEP_V]
    rhs_u, rhs_v = system[_RHS_U], system[_RHS_V]
    _, rows, length = u.shape
    keep = _ONE - omega
    for half_sweep in range(2 * iterations):
        c = half_sweep & 1
        for y in range(1, rows - 1):
            shift = (y - 1 + c) & 1
            for k in range(1, length - 1):
                to_left, to_right = right[1 - c, y, k - 1 + shift], right[c, y, k]
                to_above, to_below = down[1 - c, y - 1, k], down[c, y, k]
                sum_u = to_left * u[1 - c, y, k - 1 + shift] + to_right * u[1 - c, y, k + shift]
                sum_v = to_left * v[1 - c, y, k - 1 + shift] + to_right * v[1 - c, y, k + shift]
                sum_u += to_above * u[1 - c, y - 1, k] + to_below * u[1 - c, y + 1, k]
                sum_v += to_above * v[1 - c, y - 1, k] + to_below * v[1 - c, y + 1, k]
                sum_u += rhs_u[c, y, k] - cross[c, y, k] * v[c, y, k]
                new_u = keep * u[c, y, k] + step_u[c, y, k] * sum_u
                sum_v += rhs_v[c, y, k] - cross[c, y, k] * new_u
                u[c, y, k] = new_u
                v[c, y, k] = keep * v[c, y, k] + step_v[c, y, k] * sum_v

"""Pyramid plan and resampling weights shared by both Brox optical-flow backends.

The method is that of Brox, Bruhn, Papenberg and Weickert, "High accuracy optical flow estimation
based on a theory for warping" (ECCV 2004): brightness and gradient constancy under one robust
penaliser, a robust smoothness term, and coarse-to-fine warping. Each level warps the second frame
once by the displacement found so far, then alternates between fixing the robust weights (inner
iterations) and relaxing the linear system they leave with red-black SOR (solver iterations).

Both backends compute on intensities in [0, 1]; `alpha` and `gamma` refer to that range.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from twostream.config.flow import BroxSettings

# Squared epsilon of the robust penaliser sqrt(s^2 + eps^2), eps = 1e-3.
PENALISER_FLOOR = 1e-6

# Keeps the diagonal of the linear system positive where a pixel has neither texture nor
# neighbours (a frame of one pixel); far below any weight that occurs elsewhere.
DIAGONAL_FLOOR = 1e-9


def level_sizes(height: int, width: int, settings: BroxSettings) -> list[tuple[int, int]]:
    """Sizes (height, width) in pixels of the pyramid levels, finest (full size) first.

    Raises ValueError if a side is not positive.
    """
    if height < 1 or width < 1:
        raise ValueError(f"frames must have at least one pixel, got {height}x{width}")
    sizes = [(height, width)]
    while True:
        factor = settings.scale ** len(sizes)
        size = (round(height * factor), round(width * factor))
        # The second test ends pyramids whose levels are too small for the scale to shrink them.
        if min(size) < settings.smallest_side or size == sizes[-1]:
            return sizes
        sizes.append(size)


def resampling_taps(size_in: int, size_out: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Weights that resample a line of `size_in` samples to `size_out` with a triangle filter.

    The triangle spans one sample spacing of the coarser side: upsampling is linear interpolation,
    downsampling is anti-aliased. Sample i covers [i, i + 1), and weights that would fall outside
    the line are dropped and the others renormalised.

    Returns (start, weights): output i is sum_k weights[i, k] * line[start[i] + k], with
    start [size_out] and weights [size_out, taps]; every start[i] + taps is at most `size_in`.
    """
    ratio = size_in / size_out
    support = max(ratio, 1.0)
    centre = (np.arange(size_out) + 0.5) * ratio - 0.5
    taps = min(size_in, math.ceil(2 * support))
    start = np.clip(np.floor(centre - support).astype(np.int64) + 1, 0, size_in - taps)
    distance = np.abs(start[:, None] + np.arange(taps) - centre[:, None])
    weights = np.maximum(1.0 - distance / support, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return start, weights.astype(np.float32)

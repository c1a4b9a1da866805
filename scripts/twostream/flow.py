"""Optical flow of videos, by method name.

A displacement field d_t(u, v) carries pixel (u, v) of one frame to the next; float32
[height, width, 2], the x component (to the right) first, then y (down), in pixels.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np

from twostream.config import Flow
from twostream.files import UserError

# From consecutive gray frames, uint8 [height, width], to the fields between them.
FlowMethod = Callable[[Sequence[np.ndarray], Flow, str], list[np.ndarray]]
PairMethod = Callable[[np.ndarray, np.ndarray], np.ndarray]


def video_flow(
    frames: Sequence[np.ndarray], settings: Flow, direction: str, device: str = "cpu"
) -> list[np.ndarray]:
    """Return the flow of a video, a field for each two consecutive frames.

    `frames` are uint8 [height, width, 3], BGR. Field t is computed from frame t to t + 1
    (`forward`) or from frame t + 1 to t (`backward`: the reversed pair, not a change of sign).
    Raises UserError for fewer than two frames.
    """
    if len(frames) < 2:
        raise UserError("a video of one frame has no flow")
    gray = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]
    compute = METHODS[settings.method]
    if direction == "forward":
        return compute(gray, settings, device)
    return compute(gray[::-1], settings, device)[::-1]


def backend(settings: Flow, device: str) -> str:
    """Return what computes the flow: `numba`, `torch` or `opencv`."""
    if settings.method != "brox":
        return "opencv"
    return "numba" if device == "cpu" else "torch"


def _brox(gray: Sequence[np.ndarray], settings: Flow, device: str) -> list[np.ndarray]:
    """Brox et al. (2004): numba on a CPU, batches in PyTorch on a GPU."""
    if backend(settings, device) == "numba":
        from twostream.brox_numba import flow_between, pyramid

        pyramids = (pyramid(frame, settings.brox) for frame in gray)
        return [flow_between(a, b, settings.brox) for a, b in pairwise(pyramids)]
    import torch

    from twostream.brox_torch import brox_flow_in_batches

    stacked = torch.from_numpy(np.stack(gray))
    fields = brox_flow_in_batches(stacked[:-1], stacked[1:], settings.brox, device)
    return list(fields.permute(0, 2, 3, 1).numpy())


def _pairwise(make: Callable[[], PairMethod]) -> FlowMethod:
    """Make a method of a solver for pairs; these are OpenCV's, on the CPU whatever the device."""

    def compute(gray: Sequence[np.ndarray], settings: Flow, device: str) -> list[np.ndarray]:
        solve = make()
        return [np.asarray(solve(a, b), np.float32) for a, b in pairwise(gray)]

    return compute


def _solver(solver: cv2.DenseOpticalFlow) -> PairMethod:
    return lambda first, second: solver.calc(first, second, np.empty(0))


def _dis() -> PairMethod:
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # The preset stops at half resolution, which loses small things in small videos.
    solver.setFinestScale(0)
    return _solver(solver)


def _tvl1() -> PairMethod:
    return _solver(cv2.optflow.DualTVL1OpticalFlow.create())


def _farneback() -> PairMethod:
    return lambda first, second: cv2.calcOpticalFlowFarneback(
        first, second, np.empty(0), 0.5, 5, 15, 3, 5, 1.2, 0
    )


METHODS: dict[str, FlowMethod] = {
    "brox": _brox,
    "tvl1": _pairwise(_tvl1),
    "farneback": _pairwise(_farneback),
    "dis": _pairwise(_dis),
}

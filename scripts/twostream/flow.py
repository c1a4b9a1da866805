"""Optical flow of videos, by method name.

A displacement field d_t(u, v) carries pixel (u, v) of one frame to the next; float32
[height, width, 2], the x component (to the right) first, then y (down), in pixels.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, pairwise
from typing import TypeVar

import cv2
import numpy as np

from twostream.devices import use_device
from twostream.scale import Flow

# From the gray frames of a video, uint8 [height, width], in order, to the fields between them;
# the flag asks for backward flow.
FlowMethod = Callable[[Iterable[np.ndarray], bool, Flow, str], Iterator[np.ndarray]]
PairMethod = Callable[[np.ndarray, np.ndarray], np.ndarray]
Item = TypeVar("Item")

# Pairs that go to a GPU at once, before they are divided by what its memory holds.
GPU_PAIRS = 256


def video_flow(
    frames: Iterable[np.ndarray], settings: Flow, direction: str, device: str = "cpu"
) -> Iterator[np.ndarray]:
    """Yield the flow of a video, a field for each two consecutive frames.

    `frames` are uint8 [height, width, 3], BGR; a few are held at a time. Field t is computed from
    frame t to t + 1 (`forward`) or from frame t + 1 to t (`backward`: the reversed pair, not a
    change of sign). Raises UserError if the device is not there.
    """
    gray = (cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames)
    return METHODS[settings.method](gray, direction == "backward", settings, device)


def backend(settings: Flow, device: str) -> str:
    """Return what computes the flow: `numba`, `torch` or `opencv`."""
    if settings.method != "brox":
        return "opencv"
    return "numba" if device == "cpu" else "torch"


def _ordered_pairs(items: Iterable[Item], backward: bool) -> Iterator[tuple[Item, Item]]:
    for earlier, later in pairwise(items):
        yield (later, earlier) if backward else (earlier, later)


def _brox(gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str) -> Iterator[np.ndarray]:
    """Brox et al. (2004): numba on a CPU, batches in PyTorch on a GPU."""
    if backend(settings, device) == "torch":
        yield from _brox_in_batches(gray, backward, settings, device)
        return
    from twostream.brox_numba import flow_between, pyramid

    pyramids = (pyramid(frame, settings.brox) for frame in gray)
    for first, second in _ordered_pairs(pyramids, backward):
        yield flow_between(first, second, settings.brox)


def _brox_in_batches(
    gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str
) -> Iterator[np.ndarray]:
    import torch

    from twostream.brox_torch import brox_flow_in_batches

    use_device(device)
    pairs = _ordered_pairs(gray, backward)
    while batch := list(islice(pairs, GPU_PAIRS)):
        first, second = (torch.from_numpy(np.stack(frames)) for frames in zip(*batch, strict=True))
        fields = brox_flow_in_batches(first, second, settings.brox, device)
        yield from fields.permute(0, 2, 3, 1).numpy()


def _pairwise(make: Callable[[], PairMethod]) -> FlowMethod:
    """Make a method of a solver for pairs; these are OpenCV's, on the CPU whatever the device."""

    def compute(
        gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str
    ) -> Iterator[np.ndarray]:
        solve = make()
        for first, second in _ordered_pairs(gray, backward):
            yield np.asarray(solve(first, second), np.float32)

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

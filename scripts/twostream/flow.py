"""Optical flow between consecutive frames, by method name.

A displacement field d_t(u, v) carries pixel (u, v) of one frame to the next; float32
[height, width, 2], the x component first, in pixels.
"""

import itertools
from collections.abc import Callable

import cv2
import numpy as np

from twostream.files import UserError

FlowMethod = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _dis() -> FlowMethod:
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # The preset stops at half resolution, which loses small things in small videos.
    solver.setFinestScale(0)
    return lambda first, second: solver.calc(first, second, np.empty(0))


def _farneback() -> FlowMethod:
    return lambda first, second: cv2.calcOpticalFlowFarneback(
        first, second, np.empty(0), 0.5, 5, 15, 3, 5, 1.2, 0
    )


METHODS: dict[str, Callable[[], FlowMethod]] = {"dis": _dis, "farneback": _farneback}


def video_flow(frames: np.ndarray, method: str, direction: str) -> np.ndarray:
    """Return the flow of a video, float32 [frames - 1, height, width, 2].

    `frames` is uint8 [frames, height, width, 3], BGR. Field t is computed from frame t to t + 1
    (`forward`) or from frame t + 1 to t (`backward`: the reversed pair, not a change of sign).
    """
    if len(frames) < 2:
        raise UserError("flow needs at least two frames")
    compute = METHODS[method]()
    gray = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]
    pairs = list(itertools.pairwise(gray))
    if direction == "backward":
        pairs = [(second, first) for first, second in pairs]
    return np.stack([compute(first, second) for first, second in pairs]).astype(np.float32)

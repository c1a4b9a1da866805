"""TV-L1 (Zach et al., 2007), by OpenCV."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from twostream.config.scale import Flow
from twostream.flow.frame_pairs import pair_by_pair


def backend(device: str) -> str:
    """Return what computes: OpenCV, on the CPU whatever the device."""
    return "opencv"


def fields(gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str) -> Iterator[np.ndarray]:
    """Yield the fields between consecutive frames."""
    solver = cv2.optflow.DualTVL1OpticalFlow.create()
    yield from pair_by_pair(lambda first, second: solver.calc(first, second, np.empty(0)), gray, backward)

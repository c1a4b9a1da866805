"""TV-L1 (Zach et al., 2007), by OpenCV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

from twostream.flow.frame_pairs import pair_by_pair

if TYPE_CHECKING:
    from twostream.config.flow import Flow


def backend(device: str) -> str:
    """Return what computes: OpenCV, on the CPU whatever the device."""
    return "opencv"


def fields(gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str) -> Iterator[np.ndarray]:
    """Yield the fields between consecutive frames."""
    solver = cv2.optflow.DualTVL1OpticalFlow.create()
    yield from pair_by_pair(lambda first, second: solver.calc(first, second, np.empty(0)), gray, backward)

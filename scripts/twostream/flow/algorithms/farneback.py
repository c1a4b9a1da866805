"""Polynomial expansion (Farneback, 2003), by OpenCV."""

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
    yield from pair_by_pair(_solve, gray, backward)


def _solve(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return cv2.calcOpticalFlowFarneback(first, second, np.empty(0), 0.5, 5, 15, 3, 5, 1.2, 0)

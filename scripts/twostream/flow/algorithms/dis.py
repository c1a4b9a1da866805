"""Dense inverse search (Kroeger et al., 2016), by OpenCV."""

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
    solver = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # The preset stops at half resolution, which loses small things in small videos.
    solver.setFinestScale(0)
    yield from pair_by_pair(lambda first, second: solver.calc(first, second, np.empty(0)), gray, backward)

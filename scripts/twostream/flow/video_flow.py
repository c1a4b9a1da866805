"""Optical flow of videos, by the name of an algorithm.

A displacement field d_t(u, v) carries pixel (u, v) of one frame to the next; float32
[height, width, 2], the x component (to the right) first, then y (down), in pixels.

Each algorithm is a module of its own in `algorithms`, found by its name. So the spec of what one made does
not depend on the others, and one more makes nothing stale. It has `fields`, from the gray frames of a
video, uint8 [height, width], in order, to the displacement fields between them (the flag asks for backward
flow), and `backend`, which says what computes them on a device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

import cv2
import numpy as np

from twostream.videos.decoding import rescale

if TYPE_CHECKING:
    from twostream.config.flow import Flow


class FlowAlgorithm(Protocol):
    """What a module in `algorithms` offers."""

    def fields(
        self, gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str
    ) -> Iterator[np.ndarray]:
        """Yield a field for each two consecutive frames."""

    def backend(self, device: str) -> str:
        """Return `numba`, `torch` or `opencv`."""


def load_algorithm(settings: Flow) -> FlowAlgorithm:
    """Return the algorithm that the configuration names."""
    return cast(FlowAlgorithm, import_module(settings.module))


def video_flow(
    frames: Iterable[np.ndarray], settings: Flow, direction: str, device: str = "cpu"
) -> Iterator[np.ndarray]:
    """Yield the flow of a video, a field for each two consecutive frames, in pixels of the field's own size.

    `frames` are uint8 [height, width, 3], BGR; a few are held at a time. Field t is computed from
    frame t to t + 1 (`forward`) or from frame t + 1 to t (`backward`: the reversed pair, not a
    change of sign). Raises UserError if the device is not there.
    """
    gray = (cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames)
    if settings.short_side:
        gray = (rescale(frame, settings.short_side) for frame in gray)
    return load_algorithm(settings).fields(gray, direction == "backward", settings, device)


def backend(settings: Flow, device: str) -> str:
    """Return what computes the flow: `numba`, `torch` or `opencv`."""
    return load_algorithm(settings).backend(device)

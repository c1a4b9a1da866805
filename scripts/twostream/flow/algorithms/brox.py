"""Brox et al. (2004): numba on a CPU, batches in PyTorch on a GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from twostream.flow.frame_pairs import ordered_pairs

if TYPE_CHECKING:
    from twostream.config.flow import Flow

# Pairs that go to a GPU at once, before they are divided by what its memory holds.
GPU_PAIRS = 256


def backend(device: str) -> str:
    """Return what computes on a device."""
    return "numba" if device == "cpu" else "torch"


def fields(gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str) -> Iterator[np.ndarray]:
    """Yield the fields between consecutive frames. Raises UserError if the device is not there."""
    if backend(device) == "torch":
        yield from _in_batches(gray, backward, settings, device)
        return
    from twostream.flow.brox_numba import flow_between, pyramid

    pyramids = (pyramid(frame, settings.brox) for frame in gray)
    for first, second in ordered_pairs(pyramids, backward):
        yield flow_between(first, second, settings.brox)


def _in_batches(
    gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str
) -> Iterator[np.ndarray]:
    import torch

    from twostream.devices import use_device
    from twostream.flow.brox_torch import brox_flow_in_batches

    use_device(device)
    pairs = ordered_pairs(gray, backward)
    while batch := list(islice(pairs, GPU_PAIRS)):
        first, second = (torch.from_numpy(np.stack(frames)) for frames in zip(*batch, strict=True))
        found = brox_flow_in_batches(first, second, settings.brox, device)
        yield from found.permute(0, 2, 3, 1).numpy()

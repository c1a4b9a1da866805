"""Inputs on their way to a network, as they are stored."""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass
class Batch:
    """Inputs on their way to a network: stored images, and which square of each to take.

    images uint8 [batch, images, channels, height, width]; ranges [batch, images, 3, 2] as in
    `Stored`; jitter [batch, 3], added to the colours (of 255). top, left and side [batch] of the square, in
    stored pixels, and flip [batch], whether to mirror it, stay on the CPU, where it is decided what is done.
    """

    images: Tensor
    ranges: Tensor
    top: Tensor
    left: Tensor
    side: Tensor
    flip: Tensor
    jitter: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        moved = {n: getattr(self, n).to(device, non_blocking=True) for n in ("images", "ranges", "jitter")}
        return replace(self, **moved)

    def pin_memory(self) -> "Batch":
        """Return the batch in memory from which a GPU can fetch it by itself."""
        return Batch(**{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})


# A batch, its dropout masks [batch, units] and its labels [batch].
Drawn = tuple[Batch, Tensor, Tensor]

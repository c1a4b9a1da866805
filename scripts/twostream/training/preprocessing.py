"""How stored frames or fields become what the networks see (section 3.1 of the paper).

Restoring displacements, mean subtraction, trajectories, crops, flips and normalisation work on
batches of tensors, on any device. How the items of a kind of input are stacked is a module of its own in
`stackings`, found by the kind's name: so one more kind makes no training stale.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import Tensor

from twostream.config.streams import KINDS
from twostream.training.batch import Batch

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


class Stacking(Protocol):
    """What a module in `stackings` offers."""

    def stack(self, batch: Batch, what: Input, size: int) -> Tensor:
        """Return the items of a batch, stacked and normalised, float [batch, channels, size, size]."""


def prepare(batch: Batch, what: Input, size: int) -> Tensor:
    """Return network input, float [batch, channels, size, size], on the batch's device."""
    x = cast(Stacking, import_module(what.module)).stack(batch, what, size)
    flipped = torch.nonzero(batch.flip).squeeze(1)
    if not len(flipped):
        return x
    flipped = flipped.to(x.device, non_blocking=True)
    mirrored = x[flipped].flip(-1)
    signs = KINDS[what.kind].mirror_signs
    for channel, sign in enumerate(signs):
        # One channel of all items at a time, as a tensor of signs would have to be copied to the device.
        if sign != 1:
            mirrored[:, channel :: len(signs)] *= sign
    return x.index_copy_(0, flipped, mirrored)

"""Optical flow stacking (section 3.1, equation 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from twostream.training.batch import Batch
from twostream.training.displacements import decode_displacement
from twostream.training.squares import stack_squares

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


def stack(batch: Batch, what: Input, size: int) -> Tensor:
    """Return fields as networks see them, float [batch, 2 * length, size, size].

    Channels 2k-1 and 2k are d^x and d^y of field k.
    """
    return stack_squares(batch, what, size, displacements)


def displacements(images: Tensor, ranges: Tensor, jitter: Tensor, what: Input) -> Tensor:
    """Return fields, less their mean vectors if so wanted, in px, float [batch, length, 2, side, side]."""
    displacement = decode_displacement(images, ranges)
    if what.mean_subtraction:
        displacement -= ranges[:, :, 2, :, None, None]
    return displacement

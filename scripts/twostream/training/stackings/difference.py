"""Stacked RGB differences (Wang et al., 2016, "Temporal Segment Networks", section 3.2); not the paper's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from twostream.training.batch import Batch
from twostream.training.squares import stack_squares

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


def stack(batch: Batch, what: Input, size: int) -> Tensor:
    """Return differences as networks see them, float [batch, 3 * length, size, size].

    The batch has one frame more than there are differences. Channels 3k-2 to 3k are frame k + 1 less frame k:
    R, G and B, from -255 to 255, divided by the scale that colours are divided by. Differences of resampled
    frames are the resampled differences, as resampling is linear.
    """
    return stack_squares(batch, what, size, differences)


def differences(images: Tensor, ranges: Tensor, jitter: Tensor, what: Input) -> Tensor:
    """Return each frame less the one before it, -255 to 255, float [batch, length, 3, side, side]."""
    frames = images.float()
    return frames[:, 1:] - frames[:, :-1]

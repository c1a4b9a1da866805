"""Frames, one or several, with jittered colours (section 2; slow fusion, section 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from twostream.training.batch import Batch
from twostream.training.squares import stack_squares

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


def stack(batch: Batch, what: Input, size: int) -> Tensor:
    """Return frames as networks see them, float [batch, 3 * length, size, size]."""
    return stack_squares(batch, what, size, jittered)


def jittered(images: Tensor, ranges: Tensor, jitter: Tensor, what: Input) -> Tensor:
    """Return frames with jittered colours, 0 to 255, float [batch, length, 3, side, side]."""
    return images.float().add_(jitter[:, None, :, None, None]).clamp_(0, 255)

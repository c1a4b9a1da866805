"""Squares of frames or fields, resampled and normalised."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from twostream.config.streams import KINDS, Kind
from twostream.training.batch import Batch

if TYPE_CHECKING:
    from twostream.config.benchmark import Input

# From images, ranges and the jitter of colours, as in `Batch`, and the kind of input, to its items
# [batch, length, channels, side, side], a tensor of their own.
Items = Callable[[Tensor, Tensor, Tensor, "Input"], Tensor]


def square_side(size: int, short_side: int, height: int, width: int) -> int:
    """Return the side, in stored pixels, of what is `size` px once the shorter side is `short_side`.

    Flow may be stored at another size; its squares are cut there and resampled.
    """
    return max(1, round(size * min(height, width) / short_side))


def stack_squares(batch: Batch, what: Input, size: int, items: Items) -> Tensor:
    """Return items stacked as networks see them, all squares of one size and place at a time.

    Float [batch, length * channels, size, size]; `items` makes them of what lies in their square.
    """
    settings = KINDS[what.kind]
    squares = torch.stack([batch.top, batch.left, batch.side], dim=1)
    kinds, kind = squares.unique(dim=0, return_inverse=True)
    made = []
    for number, (top, left, side) in enumerate(kinds.tolist()):
        images, ranges, jitter = batch.images, batch.ranges, batch.jitter
        rows = torch.nonzero(kind == number).squeeze(1).to(images.device)
        if len(kinds) > 1:
            images, ranges, jitter = images[rows], ranges[rows], jitter[rows]
        cut = images[..., top : top + side, left : left + side]
        made.append((rows, normalise(items(cut, ranges, jitter, what), settings, size)))
    if len(made) == 1:
        return made[0][1]
    rows, inputs = (torch.cat(parts) for parts in zip(*made, strict=True))
    return inputs[rows.argsort()]


def normalise(items: Tensor, kind: Kind, size: int) -> Tensor:
    """Return items [batch, length, channels, side, side] as networks see them.

    Float [batch, length * channels, size, size]: resampled, less the kind's mean, divided by its scale.
    Channels 2k-1 and 2k of flow are d^x and d^y of field k. What `items` held is lost.
    """
    if kind.displacements:
        return resize(items.flatten(1, 2), size).mul_(size / items.shape[-1] / kind.scale)
    mean = torch.tensor(kind.mean, device=items.device)[:, None, None]
    return resize(items.sub_(mean).div_(kind.scale).flatten(1, 2), size)


def resize(images: Tensor, size: int) -> Tensor:
    """Return images [batch, channels, side, side] resampled to `size` x `size`."""
    if images.shape[-1] == size:
        return images
    return interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)

"""Trajectory stacking (section 3.1, equation 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from twostream.config.streams import KINDS
from twostream.training.batch import Batch
from twostream.training.displacements import decode_displacement

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


def stack(batch: Batch, what: Input, size: int) -> Tensor:
    """Return trajectory stacking (equation 2), normalised, float [batch, 2 * length, size, size].

    The points move by the displacements themselves, the camera's motion included; mean subtraction
    applies to the values taken along the way. Backward fields start from the same points again.
    """
    displacement = decode_displacement(batch.images, batch.ranges)
    top, left, side = (n.to(displacement.device)[:, None] for n in (batch.top, batch.left, batch.side))
    per_point = side / size
    steps = (torch.arange(size, device=displacement.device) + 0.5) * per_point - 0.5
    x = (left + steps)[:, None, :].expand(-1, size, -1)
    y = (top + steps)[:, :, None].expand(-1, -1, size)
    start = torch.stack([x, y], dim=1)
    turn = what.length // 2 if what.bidirectional else what.length
    points, values = start, []
    for k in range(what.length):
        if k == turn:
            points = start
        step = sample(displacement[:, k], points)
        points = points + step
        if what.mean_subtraction:
            step = step - batch.ranges[:, k, 2, :, None, None]
        values.append(step)
    return torch.cat(values, dim=1) / per_point[..., None, None] / KINDS[what.kind].scale


def sample(field: Tensor, points: Tensor) -> Tensor:
    """Return a field [batch, 2, height, width] at points [batch, 2 (x, y), h, w] in px.

    Bilinear between pixels; points outside take the value at the border.
    """
    height, width = field.shape[-2:]
    extent = torch.tensor([width, height], device=field.device, dtype=field.dtype)
    grid = (2 * points.permute(0, 2, 3, 1) + 1) / extent - 1
    return grid_sample(field, grid, mode="bilinear", padding_mode="border", align_corners=False)

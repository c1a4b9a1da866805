"""How stored frames or fields become what the networks see (section 3.1 of the paper).

Restoring displacements, mean subtraction, trajectories, crops, flips and normalisation work on
batches of tensors, on any device.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, interpolate

from twostream.config.benchmark import Input
from twostream.config.streams import KINDS, Kind, KindName


@dataclass
class Batch:
    """Inputs on their way to a network: stored images, and which square of each to take.

    images uint8 [batch, length, channels, height, width]; ranges [batch, length, 3, 2] as in
    `Stored`; flip [batch], whether to mirror the square; jitter [batch, 3], added to the colours (of
    255). top, left and side [batch] of the square, in stored pixels, stay on the CPU, where it is
    decided what is cut.
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
        moved = {
            n: getattr(self, n).to(device, non_blocking=True) for n in ("images", "ranges", "flip", "jitter")
        }
        return replace(self, **moved)

    def pin_memory(self) -> "Batch":
        """Return the batch in memory from which a GPU can fetch it by itself."""
        return Batch(**{f.name: getattr(self, f.name).pin_memory() for f in fields(self)})


def square_side(size: int, short_side: int, height: int, width: int) -> int:
    """Return the side, in stored pixels, of what is `size` px once the shorter side is `short_side`.

    Flow is stored at the video's own size, so its squares are cut there and resampled.
    """
    return max(1, round(size * min(height, width) / short_side))


def prepare(batch: Batch, what: Input, size: int) -> Tensor:
    """Return network input, float [batch, channels, size, size], on the batch's device."""
    kind = KINDS[what.kind]
    x = stack_trajectories(batch, what, size) if kind.leaves_crop else _stack_squares(batch, what, size)
    mirrored = x.flip(-1)
    for channel, sign in enumerate(kind.mirror_signs):
        # One channel of all items at a time, as a tensor of signs would have to be copied to the device.
        if sign != 1:
            mirrored[:, channel :: len(kind.mirror_signs)] *= sign
    return torch.where(batch.flip[:, None, None, None], mirrored, x)


def _stack_squares(batch: Batch, what: Input, size: int) -> Tensor:
    """Return frames or fields stacked, all squares of one size and place at a time."""
    stack, settings = STACKINGS[what.kind], KINDS[what.kind]
    squares = torch.stack([batch.top, batch.left, batch.side], dim=1)
    kinds, kind = squares.unique(dim=0, return_inverse=True)
    made = []
    for number, (top, left, side) in enumerate(kinds.tolist()):
        images, ranges, jitter = batch.images, batch.ranges, batch.jitter
        rows = torch.nonzero(kind == number).squeeze(1).to(images.device)
        if len(kinds) > 1:
            images, ranges, jitter = images[rows], ranges[rows], jitter[rows]
        cut = images[..., top : top + side, left : left + side]
        made.append((rows, normalise(stack(cut, ranges, jitter, what), settings, size)))
    if len(made) == 1:
        return made[0][1]
    rows, inputs = (torch.cat(parts) for parts in zip(*made, strict=True))
    return inputs[rows.argsort()]


def decode_displacement(images: Tensor, ranges: Tensor) -> Tensor:
    """Return displacements in px, float, from uint8 images [..., 2, h, w] and ranges [..., 3, 2]."""
    low, high = ranges[..., 0, :, None, None], ranges[..., 1, :, None, None]
    return low + images.float() * ((high - low) / 255)


def stack_frames(images: Tensor, ranges: Tensor, jitter: Tensor, what: Input) -> Tensor:
    """Return frames with jittered colours, 0 to 255, float [batch, length, 3, side, side]."""
    return (images.float() + jitter[:, None, :, None, None]).clamp(0, 255)


def stack_flow(images: Tensor, ranges: Tensor, jitter: Tensor, what: Input) -> Tensor:
    """Return flow stacking (equation 1), in px, float [batch, length, 2 (x, y), side, side]."""
    displacement = decode_displacement(images, ranges)
    if what.mean_subtraction:
        displacement -= ranges[:, :, 2, :, None, None]
    return displacement


# How the items of each kind are made of stored images, ranges and the jitter of colours, as in `Batch`,
# where all that is needed lies in the crop.
STACKINGS: dict[KindName, Callable[[Tensor, Tensor, Tensor, Input], Tensor]] = {
    "frames": stack_frames,
    "stacking": stack_flow,
}


def normalise(items: Tensor, kind: Kind, size: int) -> Tensor:
    """Return items [batch, length, channels, side, side] as networks see them.

    Float [batch, length * channels, size, size]: resampled, less the kind's mean, divided by its scale.
    Channels 2k-1 and 2k of flow are d^x and d^y of field k.
    """
    if kind.displacements:
        return resize(items.flatten(1, 2), size) * (size / items.shape[-1] / kind.scale)
    mean = torch.tensor(kind.mean, device=items.device)[:, None, None]
    return resize(((items - mean) / kind.scale).flatten(1, 2), size)


def stack_trajectories(batch: Batch, what: Input, size: int) -> Tensor:
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


def resize(images: Tensor, size: int) -> Tensor:
    """Return images [batch, channels, side, side] resampled to `size` x `size`."""
    if images.shape[-1] == size:
        return images
    return interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)

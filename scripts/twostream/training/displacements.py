"""Displacement fields from what is stored of them."""

from torch import Tensor


def decode_displacement(images: Tensor, ranges: Tensor) -> Tensor:
    """Return displacements in px, float, from uint8 images [..., 2, h, w] and ranges [..., 3, 2]."""
    low, high = ranges[..., 0, :, None, None], ranges[..., 1, :, None, None]
    return images.float().mul_((high - low) / 255).add_(low)

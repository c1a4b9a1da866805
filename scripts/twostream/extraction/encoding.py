"""Displacement fields as JPEG images (the paper, section 5).

A field is stored as u above v in one grayscale image, each component rescaled linearly to
[0, 255]; its range is kept beside it, so that decoding restores displacements in pixels.
"""

from dataclasses import dataclass

import numpy as np

# `clip20`: 128 is zero displacement, 1 and 255 are -20 and 20 px, so that a mirrored image is
# 256 minus the image.
CLIP = 20.0
CLIP_LOW, CLIP_HIGH = -128 * CLIP / 127, CLIP


@dataclass(frozen=True)
class Encoded:
    """A field ready for JPEG: image uint8 [2 * height, width]; ranges [3, 2]: low, high, mean (px).

    A component's displacement is low + image * (high - low) / 255.
    """

    image: np.ndarray
    ranges: np.ndarray


def encode(field: np.ndarray, encoding: str) -> Encoded:
    """Encode a field [height, width, 2] in px, with `range` or `clip20`; raise ValueError for NaN.

    `range` rescales each component from its own range in the field; one that is constant is
    restored exactly. `clip20` is what others publish: displacements clipped to +-20 px.
    """
    if not np.isfinite(field).all():
        raise ValueError("the field holds values that are not finite")
    if encoding == "clip20":
        field = field.clip(-CLIP, CLIP)
    # Component by component in contiguous memory, which is several times faster.
    planes = np.ascontiguousarray(field.transpose(2, 0, 1))
    if encoding == "clip20":
        low, high = np.full(2, CLIP_LOW, np.float32), np.full(2, CLIP_HIGH, np.float32)
    else:
        low, high = planes.min(axis=(1, 2)), planes.max(axis=(1, 2))
    scale = 255 / np.where(high > low, high - low, np.inf)
    image = np.rint((planes - low[:, None, None]) * scale[:, None, None]).astype(np.uint8)
    ranges = np.stack([low, high, field.mean(axis=(0, 1))]).astype(np.float32)
    return Encoded(image.reshape(-1, image.shape[2]), ranges)

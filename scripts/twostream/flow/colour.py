"""The colour code of flow."""

import cv2
import numpy as np


def strongest(field: np.ndarray) -> float:
    """Return the length (px) that is to have the deepest colour: the 99th percentile, but 1 px at least.

    A few vectors that are off would else make all others pale, and noise look like motion.
    """
    return max(float(np.percentile(np.linalg.norm(field, axis=-1), 99)), 1.0)


def colour_coded(field: np.ndarray, longest: float | None = None) -> np.ndarray:
    """Return a field [height, width, 2] in px as a picture, uint8 [height, width, 3], BGR.

    The hue is the direction (right is red, down yellow-green, left cyan, up violet), the colour's
    depth the length: zero is white, `longest` (px; by default that of `strongest`) the deepest.
    """
    length = np.linalg.norm(field, axis=-1)
    deepest = longest or strongest(field)
    hue = np.rad2deg(np.arctan2(field[..., 1], field[..., 0])) % 360
    depth = np.minimum(length / deepest, 1)
    coded = np.stack([hue, depth, np.ones_like(hue)], axis=-1).astype(np.float32)
    return np.rint(cv2.cvtColor(coded, cv2.COLOR_HSV2BGR) * 255).astype(np.uint8)

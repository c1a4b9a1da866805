"""Pairs of textured pictures whose displacement is known exactly, made by NumPy alone.

A texture is a sum of waves, which has a value at every point, so nothing is interpolated.
"""

from dataclasses import dataclass

import numpy as np

WAVES = 60
# Wavelengths in px, from what is just seen in a picture to half of one.
FINEST, COARSEST = 5.0, 120.0
# A film's, in gray values: without any its fields would be stored in far fewer bytes than those of real ones.
NOISE = 6.0


@dataclass(frozen=True)
class Pair:
    """Two gray pictures, uint8 [height, width], and the displacement between them, [height, width, 2]."""

    first: np.ndarray
    second: np.ndarray
    displacement: np.ndarray


class Texture:
    """Gray values, about 0 to 255, at every point."""

    def __init__(self, seed: int, finest: float = FINEST, coarsest: float = COARSEST) -> None:
        random = np.random.default_rng(seed)
        wavelength = finest * (coarsest / finest) ** random.random(WAVES)
        angle, self._phase = random.random((2, WAVES)) * 2 * np.pi
        self._x, self._y = 2 * np.pi / wavelength * np.stack([np.cos(angle), np.sin(angle)])
        # Coarse waves are the stronger ones, as in pictures of the world.
        self._strength = wavelength**0.5
        self._strength *= 128 / np.sqrt((self._strength**2).sum())

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return its values at points in px."""
        values = np.full(np.shape(x), 128.0)
        waves = zip(self._x, self._y, self._phase, self._strength, strict=True)
        for along_x, along_y, phase, strength in waves:
            values += strength / 2 * np.cos(along_x * x + along_y * y + phase)
        return values

    def seen_from(self, x: np.ndarray, y: np.ndarray, right: np.ndarray, down: np.ndarray) -> np.ndarray:
        """Return its values at points once it has moved by each of several displacements, [moves, ...]."""
        # cos(a - b) of all moves is a product of matrices.
        at_rest = np.multiply.outer(self._x, x) + np.multiply.outer(self._y, y) + self._phase[:, None, None]
        moved = np.outer(right, self._x) + np.outer(down, self._y)
        waves = np.concatenate([np.cos(at_rest), np.sin(at_rest)])
        weights = np.concatenate([np.cos(moved), np.sin(moved)], axis=1) * np.tile(self._strength / 2, 2)
        return 128 + np.tensordot(weights, waves, axes=1)


def smooth_pair(seed: int, height: int, width: int, largest: float) -> Pair:
    """Return a texture that moves smoothly, by `largest` px at most."""
    x, y = _points(height, width)
    displacement = np.stack(
        [Texture(seed + part, width, 3 * width).at(x, y) - 128 for part in (1, 2)], axis=-1
    )
    displacement *= largest / np.linalg.norm(displacement, axis=-1).max()
    texture = Texture(seed)
    first = texture.at(x + displacement[..., 0], y + displacement[..., 1])
    return Pair(_picture(first), _picture(texture.at(x, y)), displacement.astype(np.float32))


def layered_pair(
    seed: int, height: int, width: int, back: tuple[float, float], front: tuple[float, float]
) -> Pair:
    """Return a textured ellipse that moves by `front` before a texture that moves by `back`."""
    x, y = _points(height, width)
    behind, before = Texture(seed), Texture(seed + 1)

    def inside(right: float, down: float) -> np.ndarray:
        across, along = (x - right - width / 2) / (width / 5), (y - down - height / 2) / (height / 4)
        return np.hypot(across, along) < 1

    first = np.where(inside(0, 0), before.at(x, y), behind.at(x, y))
    moved = before.at(x - front[0], y - front[1]), behind.at(x - back[0], y - back[1])
    second = np.where(inside(*front), *moved)
    displacement = np.where(inside(0, 0)[..., None], front, back).astype(np.float32)
    return Pair(_picture(first), _picture(second), displacement)


def pairs(height: int, width: int, displacements: tuple[float, ...]) -> list[Pair]:
    """Return a smooth pair for each largest displacement, and two with an occlusion."""
    smooth = [smooth_pair(10 * i, height, width, largest) for i, largest in enumerate(displacements)]
    motions = [((-1.5, 0.6), (2.4, -1.2)), ((3.3, 1.2), (-3.6, 2.1))]
    return smooth + [layered_pair(100 + 10 * i, height, width, *m) for i, m in enumerate(motions)]


def film(seed: int, height: int, width: int, frames: int) -> np.ndarray:
    """Return gray frames of an ellipse that moves before what moves too, uint8 [frames, height, width]."""
    x, y = _points(height, width)
    time = np.arange(frames)
    right, down = 20 * np.sin(time / 5 + seed), 12 * np.cos(time / 4)
    behind = Texture(seed).seen_from(x, y, right, down)
    before = Texture(seed + 1).seen_from(x, y, -2 * right, down)
    across = (x - width / 2 + 2 * right[:, None, None]) / (width / 5)
    along = (y - height / 2 - down[:, None, None]) / (height / 4)
    noise = np.random.default_rng(seed).normal(0, NOISE, before.shape)
    return _picture(np.where(np.hypot(across, along) < 1, before, behind) + noise)


def _points(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return x, y


def _picture(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)

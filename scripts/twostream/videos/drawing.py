"""Generated videos: a look performs a motion in a scene, seen by a camera that pans and shakes.

A working model of an action data set, small enough for two cores. A class is a look (shape) and a
motion; clips of one group share scene, colours and camera. The module knows looks, motions and
cameras, and nothing of networks or results.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from twostream.config.sources import GeneratedClass, Look, Motion

SPRITE = 48
MARGIN = 24
MIN_FRAMES, MAX_FRAMES = 26, 35

Pose = tuple[float, float, float, float]


def _regular(corners: int, inner: float = 1.0, turn: float = 0.0) -> np.ndarray:
    """Return a polygon around the origin, of radius 1; every other corner is pulled to `inner`."""
    angles = turn + np.arange(corners) * 2 * np.pi / corners
    radii = np.where(np.arange(corners) % 2, inner, 1.0)
    return np.stack([radii * np.sin(angles), -radii * np.cos(angles)], axis=1)


_ARM = np.array([(-1, -1), (-1, -3), (1, -3)]) / 3.2
_QUARTER_TURN = np.array([[0, 1], [-1, 0]])
_CROSS = np.concatenate([_ARM @ np.linalg.matrix_power(_QUARTER_TURN, k) for k in range(4)])
_BAR = np.array([(-0.2, -0.9), (0.2, -0.9), (0.2, 0.9), (-0.2, 0.9)])
_BARS = [_BAR - (0.7, 0.0), _BAR, _BAR + (0.7, 0.0)]  # noqa: RUF005

# Outlines to fill, and outlines to cut out of them again.
OUTLINES: dict[Look, tuple[list[np.ndarray], list[np.ndarray]]] = {
    "disc": ([_regular(40)], []),
    "square": ([_regular(4, turn=np.pi / 4)], []),
    "triangle": ([_regular(3)], []),
    "star": ([_regular(10, inner=0.42)], []),
    "cross": ([_CROSS], []),
    "ring": ([_regular(40)], [0.55 * _regular(40)]),
    "bars": (_BARS, []),
    "crescent": ([_regular(40)], [0.85 * _regular(40) + (0.5, 0.0)]),
}


def _wave(phase: float) -> float:
    return float(np.sin(phase))


# Where the look is at a phase (radians): shift right and down (in strokes), turn (radians), size.
MOTIONS: dict[Motion, Callable[[float], Pose]] = {
    "horizontal": lambda p: (_wave(p), 0.0, 0.0, 1.0),
    "vertical": lambda p: (0.0, _wave(p), 0.0, 1.0),
    "diagonal": lambda p: (0.7 * _wave(p), 0.7 * _wave(p), 0.0, 1.0),
    "circle": lambda p: (0.8 * np.cos(p), 0.8 * np.sin(p), 0.0, 1.0),
    "spin": lambda p: (0.0, 0.0, 0.5 * p, 1.0),
    "swing": lambda p: (0.0, 0.0, 0.7 * _wave(p), 1.0),
    "pulse": lambda p: (0.0, 0.0, 0.0, 1.0 + 0.35 * _wave(p)),
    "zigzag": lambda p: (_wave(p), 0.6 * _wave(2 * p), 0.0, 1.0),
}


@dataclass(frozen=True)
class Scene:
    """What the clips of a group share: background, object colours, and how the camera moves."""

    background: np.ndarray
    sprite: np.ndarray
    mask: np.ndarray
    pan: np.ndarray
    shake: float


def draw_clip(
    what: GeneratedClass, height: int, width: int, group_seed: list[int], clip: int
) -> Iterator[np.ndarray]:
    """Yield the 26 to 35 frames of a clip, uint8 [height, width, 3] in OpenCV's channel order.

    Equal arguments give equal frames. `group_seed` identifies the group, `clip` the clip in it.
    """
    assert what.motion is not None
    scene = _scene(what.look, height, width, np.random.default_rng(group_seed))
    rng = np.random.default_rng([*group_seed, clip])
    radius, centre, turn = _placement(height, width, rng)
    stroke = rng.uniform(3.5, 8.0)
    period = rng.uniform(11.0, 20.0)
    start = rng.uniform(0, 2 * np.pi)
    drift = scene.pan + rng.normal(0, 0.2, size=2)
    for t in range(rng.integers(MIN_FRAMES, MAX_FRAMES + 1)):
        dx, dy, angle, size = MOTIONS[what.motion](start + 2 * np.pi * t / period)
        shake = rng.normal(0, scene.shake, size=2)
        position = centre + stroke * np.array([dx, dy]) + shake
        yield _render(scene, drift * t - shake, position, turn + angle, radius * size, height, width)


def draw_still(what: GeneratedClass, height: int, width: int, group_seed: list[int], clip: int) -> np.ndarray:
    """Return a picture of a look, uint8 [height, width, 3] in OpenCV's channel order."""
    scene = _scene(what.look, height, width, np.random.default_rng(group_seed))
    rng = np.random.default_rng([*group_seed, clip])
    radius, centre, turn = _placement(height, width, rng)
    centre = centre + rng.uniform(-6, 6, size=2)
    offset = rng.uniform(-MARGIN, MARGIN, size=2)
    size = rng.uniform(0.8, 1.2)
    return _render(scene, offset, centre, turn, radius * size, height, width)


def _placement(height: int, width: int, rng: np.random.Generator) -> tuple[float, np.ndarray, float]:
    """Return radius (px), centre (x, y in px) and turn (radians) of a look in its frame."""
    radius = rng.uniform(0.2, 0.3) * height
    centre = np.array([width, height]) / 2 + rng.uniform(-0.12, 0.12, size=2) * (width, height)
    return radius, centre, rng.uniform(-0.5, 0.5)


def _scene(look: Look, height: int, width: int, rng: np.random.Generator) -> Scene:
    colour = rng.uniform(30, 225, size=3)
    # Half of the range away in each channel, so that a look stands out from its scene.
    other = (colour + rng.uniform(60, 135, size=3)) % 195 + 30
    background = _texture(height + 2 * MARGIN, width + 2 * MARGIN, colour, rng)
    _clutter(background, rng)
    sprite = _texture(SPRITE, SPRITE, other, rng)
    speed, direction = rng.uniform(0.0, 2.4), rng.uniform(0, 2 * np.pi)
    return Scene(
        background=background,
        sprite=sprite,
        mask=_mask(look),
        pan=speed * np.array([np.cos(direction), np.sin(direction)]),
        shake=rng.uniform(0.1, 1.2),
    )


def _texture(height: int, width: int, colour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random texture around a colour, float32 [height, width, 3] in [0, 255]."""
    image = np.tile(colour.astype(np.float32), (height, width, 1))
    for cell, contrast in ((24, 20), (8, 15), (3, 12)):
        grid = rng.normal(0, contrast, size=(height // cell + 2, width // cell + 2, 3))
        image += cv2.resize(grid.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255)


def _clutter(image: np.ndarray, rng: np.random.Generator) -> None:
    """Paint a few small polygons of any colour over a background."""
    size = image.shape[1::-1]
    for _ in range(rng.integers(3, 8)):
        corners = rng.uniform(0, 1, size=2) * size + rng.uniform(-10, 10, size=(4, 2))
        hull = cv2.convexHull(corners.astype(np.int32))
        cv2.fillConvexPoly(image, hull, rng.uniform(20, 235, size=3).tolist(), cv2.LINE_AA)


def _mask(look: Look) -> np.ndarray:
    """Return the opacity of a look, float32 [SPRITE, SPRITE] in [0, 1]; its radius is 20 px."""
    mask = np.zeros((SPRITE, SPRITE), np.uint8)
    for outlines, value in zip(OUTLINES[look], (255, 0), strict=True):
        for outline in outlines:
            points = np.round((outline * 20 + SPRITE / 2) * 16).astype(np.int32)
            cv2.fillPoly(mask, [points], value, cv2.LINE_AA, shift=4)
    return mask.astype(np.float32) / 255


def _render(
    scene: Scene,
    offset: np.ndarray,
    position: np.ndarray,
    turn: float,
    radius: float,
    height: int,
    width: int,
) -> np.ndarray:
    # The texture is mirrored at its rim, so a long pan never runs out of scene.
    view = np.array([[1, 0, MARGIN + offset[0]], [0, 1, MARGIN + offset[1]]])
    frame = cv2.warpAffine(
        scene.background,
        view,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    scale = radius / 20
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    placed = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
    placed[:, 2] = position - placed[:, :2] @ (SPRITE / 2, SPRITE / 2)
    sprite = cv2.warpAffine(scene.sprite, placed, (width, height))
    mask = cv2.warpAffine(scene.mask, placed, (width, height))[..., None]
    return np.clip(frame * (1 - mask) + sprite * mask + 0.5, 0, 255).astype(np.uint8)

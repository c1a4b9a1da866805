"""Image pairs whose flow is known, for tests and benchmarks: textures that are warped."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Flow = npt.NDArray[np.float32]
Pair = tuple[Image, Image, Flow]

HEIGHT, WIDTH = 120, 160
MARGIN = 32  # of the textures, so that motion brings in texture and not a border


def texture(random: np.random.Generator, height: int, width: int) -> Flow:
    """Texture with detail at several scales, values 0 to 255."""
    out: Flow = np.zeros((height + 2 * MARGIN, width + 2 * MARGIN), np.float32)
    for sigma, amplitude in ((1.0, 1), (2.5, 2), (6, 4), (15, 8)):
        noise = random.standard_normal(out.shape).astype(np.float32)
        out += amplitude * cv2.GaussianBlur(noise, (0, 0), sigma)
    out -= out.min()
    out *= 255 / out.max()
    return out


def view(image: Flow, u: Flow | float, v: Flow | float) -> Flow:
    """The part of a texture seen through the frame when the frame's pixels look at x + (u, v)."""
    height, width = image.shape[0] - 2 * MARGIN, image.shape[1] - 2 * MARGIN
    y, x = np.mgrid[:height, :width].astype(np.float32)
    at_x, at_y = (x + u + MARGIN).astype(np.float32), (y + v + MARGIN).astype(np.float32)
    return cv2.remap(image, at_x, at_y, cv2.INTER_CUBIC).astype(np.float32)


def as_image(values: Flow) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def smooth_pair(seed: int, largest: float, height: int = HEIGHT, width: int = WIDTH) -> Pair:
    """A texture under a smooth, non-constant displacement of at most `largest` pixels."""
    random = np.random.default_rng(seed)
    flow = random.standard_normal((height, width, 2)).astype(np.float32)
    cv2.GaussianBlur(flow, (0, 0), 40, dst=flow, borderType=cv2.BORDER_REFLECT)
    flow *= largest / np.abs(flow).max()
    image = texture(random, height, width)
    first = view(image, flow[..., 0], flow[..., 1])
    return as_image(first), as_image(view(image, 0, 0)), flow


def layered_pair(seed: int, back: tuple[float, float], front: tuple[float, float]) -> Pair:
    """A textured ellipse that moves by `front` before a texture that moves by `back`."""
    random = np.random.default_rng(seed)
    background, foreground = texture(random, HEIGHT, WIDTH), texture(random, HEIGHT, WIDTH)
    y, x = np.mgrid[:HEIGHT, :WIDTH]

    def ellipse(u: float, v: float) -> npt.NDArray[np.bool_]:
        centred = (x - u - WIDTH / 2) / (WIDTH / 5), (y - v - HEIGHT / 2) / (HEIGHT / 4)
        return np.hypot(*centred) < 1

    first = np.where(ellipse(0, 0), view(foreground, 0, 0), view(background, 0, 0))
    moved = view(foreground, -front[0], -front[1]), view(background, -back[0], -back[1])
    second = np.where(ellipse(*front), *moved)
    flow = np.where(ellipse(0, 0)[..., None], front, back).astype(np.float32)
    return as_image(first), as_image(second), flow


def smooth_pairs() -> list[Pair]:
    """Pairs under smooth displacements of up to 1, 3, 6 and 10 px."""
    return [smooth_pair(seed, largest) for seed, largest in enumerate((1, 3, 6, 10))]


def layered_pairs() -> list[Pair]:
    """Pairs with occlusion, slower and faster."""
    motions = [
        ((-1.5, 0.6), (2.4, -1.2)),
        ((3.3, 1.2), (-3.6, 2.1)),
        ((-4.0, 2.5), (5.5, -3.0)),
        ((6.0, -2.0), (-3.0, 5.0)),
    ]
    return [layered_pair(10 + seed, *motion) for seed, motion in enumerate(motions)]


def middlebury_pair(flo: Path) -> Pair:
    """A pair of Middlebury's: `X.flo` with `X1.png` and `X2.png` beside it; unknown flow is NaN."""
    with flo.open("rb") as stream:
        if np.fromfile(stream, np.float32, 1)[0] != np.float32(202021.25):
            raise ValueError(f"{flo}: is not a .flo file")
        width, height = np.fromfile(stream, np.int32, 2)
        flow = np.fromfile(stream, np.float32).reshape(height, width, 2)
    flow[(np.abs(flow) > 1e9).any(axis=-1)] = np.nan
    first, second = (
        cv2.imread(str(flo.with_name(f"{flo.stem}{i}.png")), cv2.IMREAD_GRAYSCALE) for i in (1, 2)
    )
    assert first is not None and second is not None
    return first, second, flow


def mean_error(found: Flow, true: Flow) -> float:
    """The mean endpoint error in px, where the flow is known."""
    return float(np.nanmean(np.hypot(*np.moveaxis(found - true, -1, 0))))

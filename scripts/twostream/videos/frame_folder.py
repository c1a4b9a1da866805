"""A video as a folder of pictures, as denseflow, TSN and MMAction2 have it: its frames, and its flow if any.

    img_00001.jpg, img_00002.jpg, ...    frames
    flow_x_00001.jpg, flow_y_00001.jpg, ...    displacements (px) clipped to +-20, rescaled to 0 to 255

Numbers begin at 0 or 1 and have any number of digits.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np

from twostream.videos.content import PICTURE, content_files
from twostream.videos.video_file import UnreadableError

BOUND = 20.0
KINDS = ("img", "flow_x", "flow_y")


def frame_files(folder: Path) -> list[Path]:
    """Return the frames of a folder in order; UnreadableError if some are missing between them."""
    return _numbered(folder)["img"]


def flow_files(folder: Path) -> list[tuple[Path, Path]]:
    """Return the x and y pictures of a folder's forward flow in order; none if it has no flow.

    Raises UnreadableError unless there are as many of both, and a field fewer than frames; some tools write
    as many, which is taken too, and then the last is not between two of the frames.
    """
    found = _numbered(folder)
    frames, across, down = (len(found[kind]) for kind in KINDS)
    if across != down or (across and frames and across not in (frames - 1, frames)):
        raise UnreadableError(f"it holds {frames} img, {across} flow_x and {down} flow_y; extract it again")
    return list(zip(found["flow_x"], found["flow_y"], strict=True))


def read_pictures(folder: Path) -> Iterator[np.ndarray]:
    """Yield a folder's frames, uint8 [height, width, 3], BGR; UnreadableError if one is damaged."""
    flow_files(folder)
    files = frame_files(folder)
    if not files:
        raise UnreadableError("it is a folder without img_00001.jpg, img_00002.jpg, ...")
    yield from _of_one_size((_read(file, cv2.IMREAD_COLOR) for file in files), folder)


def read_displacements(folder: Path) -> Iterator[np.ndarray]:
    """Yield a folder's forward flow, float32 [height, width, 2], px; UnreadableError if one is damaged."""
    files = (file for pair in flow_files(folder) for file in pair)
    planes = _of_one_size((_read(file, cv2.IMREAD_GRAYSCALE) for file in files), folder)
    for across, down in zip(planes, planes, strict=True):
        image = np.stack([across, down], axis=-1).astype(np.float32)
        yield image * np.float32(2 * BOUND / 255) - np.float32(BOUND)


def _numbered(folder: Path) -> dict[str, list[Path]]:
    found: dict[str, dict[int, Path]] = {kind: {} for kind in KINDS}
    for file in content_files(folder):
        if matched := PICTURE.fullmatch(file.name):
            kind, number = matched[1], int(matched[2])
            if number in found[kind]:
                raise UnreadableError(f"{file.name} and {found[kind][number].name} have one number")
            found[kind][number] = file
    for kind, files in found.items():
        numbers = sorted(files)
        if numbers and (numbers[0] > 1 or numbers[-1] - numbers[0] + 1 != len(numbers)):
            first, missing = numbers[0], sorted(set(range(1, numbers[-1])) - set(numbers))
            raise UnreadableError(f"{kind}_{(missing or [first])[0]:05d} is missing; extract it again")
    return {kind: [files[number] for number in sorted(files)] for kind, files in found.items()}


def _of_one_size(images: Iterable[np.ndarray], folder: Path) -> Iterator[np.ndarray]:
    size = None
    for image in images:
        size = size or image.shape
        if image.shape != size:
            raise UnreadableError(f"its pictures differ in size: {image.shape[:2]} after {size[:2]}")
        yield image


def _read(file: Path, how: int) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), how) if file.stat().st_size else None
    if image is None:
        raise UnreadableError(f"{file.name} is damaged")
    return np.asarray(image)

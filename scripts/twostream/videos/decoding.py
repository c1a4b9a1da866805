"""Reading videos and still images with OpenCV."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from twostream.files import UserError
from twostream.videos.listing import Media

NEEDED_FRAMES: dict[Media, int] = {"videos": 2, "images": 1}


class BadVideoError(UserError):
    """A video that cannot be decoded, or has fewer than two frames."""


@dataclass(frozen=True)
class Announced:
    """What a video's container says of it, which need not be true."""

    frames: float
    height: float
    width: float

    def pixels(self, short_side: int | None = None) -> float:
        """Return the pixels of all frames, once their shorter side is rescaled to `short_side`."""
        shorter = min(self.height, self.width)
        factor = short_side / shorter if short_side and shorter else 1.0
        return max(0.0, self.frames) * self.height * self.width * factor**2


def read_frames(path: str | Path, media: Media = "videos") -> Iterator[np.ndarray]:
    """Yield the frames of a video (or the one of an image), uint8 [height, width, 3], BGR.

    The number of frames is what can be decoded; a container's own count is not trusted. Raises
    BadVideoError at the end if there were too few: two for a video, one for an image.
    """
    if not Path(path).is_file():
        raise BadVideoError(
            f"{path}: the file does not exist; if the videos were moved or renamed, delete their index"
            " (data/videos/<dataset>.csv) to have it made anew"
        )
    count = 0
    for frame in _decode(path, media):
        count += 1
        yield frame
    if count < NEEDED_FRAMES[media]:
        raise BadVideoError(f"{path}: {_too_few(count)}")


def why_unusable(path: Path, media: Media = "videos") -> str | None:
    """Return why a file cannot be used, or None if its first frames can be decoded."""
    if not path.is_file():
        return "the file does not exist"
    if path.stat().st_size == 0:
        return "the file is empty"
    found = len(list(islice(_decode(path, media), NEEDED_FRAMES[media])))
    return _too_few(found) if found < NEEDED_FRAMES[media] else None


def announced(path: str | Path) -> Announced:
    """Return what a video's container says of it; zeros if it says nothing."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        properties = cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH
        return Announced(*(capture.get(what) for what in properties))
    finally:
        capture.release()


def rescale(image: np.ndarray, short_side: int) -> np.ndarray:
    """Return an image whose shorter side is `short_side` pixels, aspect ratio kept."""
    height, width = image.shape[:2]
    factor = short_side / min(height, width)
    if factor == 1:
        return image
    size = (round(width * factor), round(height * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def _decode(path: str | Path, media: Media) -> Iterator[np.ndarray]:
    if media == "images":
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is not None:
            yield image
        return
    # Only FFmpeg: other back ends would take a name like `a_%03d.avi` for a series of pictures.
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        while True:
            decoded, frame = capture.read()
            if not decoded:
                return
            yield frame
    finally:
        capture.release()


def _too_few(count: int) -> str:
    return "no frame can be decoded" if count == 0 else f"it has only {count} frame"

"""Reading videos and still images with OpenCV."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from twostream.files import UserError
from twostream.listing import Media


class BadVideoError(UserError):
    """A video that cannot be decoded, or has fewer than two frames."""


def read_frames(path: str | Path, media: Media = "videos") -> Iterator[np.ndarray]:
    """Yield the frames of a video (or the one of an image), uint8 [height, width, 3], BGR.

    The number of frames is what can be decoded; a container's own count is not trusted.
    """
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


def why_unusable(path: Path, media: Media = "videos") -> str | None:
    """Return why a file cannot be used, or None if its first frames can be decoded."""
    if not path.is_file():
        return "the file does not exist"
    if path.stat().st_size == 0:
        return "the file is empty"
    needed = 2 if media == "videos" else 1
    found = len(list(islice(read_frames(path, media), needed)))
    if found == 0:
        return "no frame can be decoded"
    return f"it has only {found} frame" if found < needed else None


def read_video(path: str | Path, media: Media = "videos") -> np.ndarray:
    """Return all frames, uint8 [frames, height, width, 3], BGR; raise BadVideoError if there are too few."""
    frames = list(read_frames(path, media))
    if len(frames) < (2 if media == "videos" else 1):
        raise BadVideoError(f"{path}: {why_unusable(Path(path), media) or 'cannot be read'}")
    return np.stack(frames)


def rescale(image: np.ndarray, short_side: int) -> np.ndarray:
    """Return an image whose shorter side is `short_side` pixels, aspect ratio kept."""
    height, width = image.shape[:2]
    factor = short_side / min(height, width)
    if factor == 1:
        return image
    size = (round(width * factor), round(height * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def expected_pixels(path: str | Path) -> float:
    """Return about how many pixels all frames of a video have, as its container says; 0 if unsaid."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        count, height, width = (
            capture.get(what)
            for what in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_WIDTH)
        )
    finally:
        capture.release()
    return max(0.0, count * height * width)

"""Reading videos, with FFmpeg, and still images, with OpenCV."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np

from twostream.config.sources import Media
from twostream.files import UserError
from twostream.videos.excerpt import file_of, frames_of
from twostream.videos.frame_folder import frame_files, read_pictures
from twostream.videos.video_file import UnreadableError, VideoFile, opened

NEEDED_FRAMES: dict[Media, int] = {"videos": 2, "images": 1, "raw-frames": 2}
# Bytes that no frame does without, in any container, whatever number of frames that announces.
SMALLEST_FRAME = 8


class BadVideoError(UserError):
    """A video that cannot be decoded, or has fewer than two frames."""


@dataclass(frozen=True)
class Announced:
    """What a video's container says of it, which need not be true.

    `frames` is 0 where the container has no count of them; `likely_frames` then goes by its duration. It
    is never more than a file of that size can hold. Height and width are those before any rotation.
    """

    frames: int
    height: int
    width: int
    likely_frames: float = 0.0

    def pixels(self, short_side: int | None = None) -> float:
        """Return the likely pixels of all frames, once their shorter side is rescaled to `short_side`."""
        shorter = min(self.height, self.width)
        factor = short_side / shorter if short_side and shorter else 1.0
        return self.likely_frames * self.height * self.width * factor**2


def read_frames(
    path: str | Path,
    media: Media = "videos",
    every: int = 1,
    damaged: Callable[[str], object] | None = None,
) -> Iterator[np.ndarray]:
    """Yield the frames of a video (or the one of an image), uint8 [height, width, 3], BGR.

    A video is a file, an excerpt of a file (`excerpt`), or a folder of pictures (`frame_folder`). All frames
    have the size of the file's first, upright by the video's rotation tag. The number of frames is what can
    be decoded, each coded frame once; a container's own count is not trusted. Of these, `every` n-th is
    taken, from the first on. At the end `damaged` is told what was lost, if something was. Raises
    BadVideoError there if there were too few: two for a video, one for an image.
    """
    if not (file := file_of(path)).exists():
        raise BadVideoError(
            f"{file}: the file does not exist; if the videos were moved or renamed, delete their index"
            " (data/videos/<dataset>.csv) to have it made anew"
        )
    count = 0
    try:
        for frame in islice(_decode(path, media, damaged), 0, None, every):
            count += 1
            yield frame
    except UnreadableError as error:
        raise BadVideoError(f"{path}: {error}") from None
    if reason := _too_few(count, media, every):
        raise BadVideoError(f"{path}: {reason}")


def why_unusable(path: Path, media: Media = "videos", every: int = 1) -> str | None:
    """Return why a file cannot be used, or None if its first frames can be decoded."""
    file = file_of(path)
    if not file.exists():
        return "the file does not exist"
    if file.is_file() and file.stat().st_size == 0:
        return "the file is empty"
    try:
        last = (NEEDED_FRAMES[media] - 1) * every + 1
        found = len(list(islice(_decode(path, media), 0, last, every)))
    except UnreadableError as error:
        return str(error)
    return _too_few(found, media, every)


def _too_few(count: int, media: Media, every: int) -> str | None:
    if count >= NEEDED_FRAMES[media]:
        return None
    return f"it has only {count} frame" + (f", if one of {every} is taken" if every > 1 else "")


def frame_sums(frames: Iterable[np.ndarray]) -> list[int]:
    """Return the CRC-32 of each frame: a decoder that reads what it never wrote gives others each time."""
    return [zlib.crc32(frame.tobytes()) for frame in frames]


def announced(path: str | Path) -> Announced:
    """Return what a video's container says of it; zeros if it says nothing or is no video.

    An excerpt has as many frames as its name says.
    """
    if excerpt := frames_of(path):
        count = excerpt[1] - excerpt[0]
        return replace(announced(file_of(path)), frames=count, likely_frames=count)
    try:
        if Path(path).is_dir():
            count, (height, width, _) = len(frame_files(Path(path))), next(read_pictures(Path(path))).shape
            return Announced(count, height, width, count)
        with opened(path) as video:
            count, context = video.stream.frames, video.stream.codec_context
            likely = min(count or _by_duration(video), Path(path).stat().st_size / SMALLEST_FRAME)
            return Announced(count, context.height, context.width, likely)
    except (UnreadableError, StopIteration):
        return Announced(0, 0, 0)


def frame_rate(path: str | Path) -> float:
    """Return the frames a second that a video's container gives, or 0 if it gives none."""
    try:
        with opened(file_of(path)) as video:
            return float(video.stream.guessed_rate or 0)
    except UnreadableError:
        return 0.0


def rescale(image: np.ndarray, short_side: int) -> np.ndarray:
    """Return an image whose shorter side is `short_side` pixels, aspect ratio kept."""
    height, width = image.shape[:2]
    factor = short_side / min(height, width)
    if factor == 1:
        return image
    size = (round(width * factor), round(height * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def _by_duration(video: VideoFile) -> float:
    """Return the number of frames by the container's duration; 0 if it has none."""
    seconds = (video.container.duration or 0) / av.time_base
    return max(0.0, seconds * float(video.stream.guessed_rate or 0))


def _decode(
    path: str | Path, media: Media, damaged: Callable[[str], object] | None = None
) -> Iterator[np.ndarray]:
    """Yield what can be decoded; raise UnreadableError at the end if that is nothing."""
    file, excerpt = file_of(path), frames_of(path)
    if excerpt:
        # No seek is exact in every container, so all frames before the first are decoded too.
        with opened(file) as video:
            yield from islice(video.pictures(excerpt[0]), excerpt[1] - excerpt[0])
            if damaged and str(video.damage):
                damaged(str(video.damage))
    elif file.is_dir():
        yield from read_pictures(file)
    elif media == "videos":
        with opened(path) as video:
            yield from video.pictures()
            if damaged and str(video.damage):
                damaged(str(video.damage))
    elif (image := cv2.imread(str(path), cv2.IMREAD_COLOR)) is not None:
        yield image
    else:
        raise UnreadableError("OpenCV cannot read it as an image")

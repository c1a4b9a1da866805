"""Decoded frames as upright pictures in BGR, the same bytes on every processor."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter

# Colour that is stored at half the resolution is interpolated, and rounded in the same way whichever
# instructions a processor has.
SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
# The colour matrices that FFmpeg converts from, as ITU-T H.273 numbers them.
MATRICES = {0, 1, 2, 4, 5, 6, 7, 9}
UNTAGGED = 2


@dataclass(frozen=True)
class Conversion:
    """Converts the frames of one video, which all get the size and orientation of its first."""

    width: int
    height: int
    # Column x and row y of a frame are shown at column ax + cy and row bx + dy: a, b, c, d.
    orientation: tuple[int, int, int, int]
    _reformatter: VideoReformatter = field(default_factory=VideoReformatter)

    @classmethod
    def like(cls, first: VideoFrame) -> "Conversion":
        """Return the conversion for the video of which this is the first frame."""
        return cls(first.width, first.height, _orientation(first))

    def picture(self, frame: VideoFrame) -> np.ndarray:
        """Return a frame as uint8 [height, width, 3], BGR, turned and mirrored to be upright.

        Colour matrix and range are those that the frame is tagged with. Untagged frames, and matrices
        that FFmpeg does not know, are taken for BT.601, in limited range; transparency is dropped.
        Raises av.FFmpegError for a frame that FFmpeg cannot convert.
        """
        if frame.colorspace not in MATRICES:
            frame.colorspace = UNTAGGED
        # Exact conversion takes FFmpeg twice the time if the result is not in planes.
        planes = self._reformatter.reformat(
            frame, self.width, self.height, "gbrp", interpolation=SCALING, threads=1
        ).planes
        green, blue, red = map(_values, planes)
        return self._upright(cv2.merge([blue, green, red]))

    def _upright(self, picture: np.ndarray) -> np.ndarray:
        across, b, c, down = self.orientation
        if abs(across) + abs(down) < abs(b) + abs(c):
            picture, across, down = picture.transpose(1, 0, 2), c, b
        return np.ascontiguousarray(picture[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


def _orientation(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Return a, b, c and d of a frame's display matrix: rows a, b, u and c, d, v and x, y, w."""
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return 1, 0, 0, 1
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    return a, b, c, d


def _values(plane: VideoPlane) -> np.ndarray:
    """Return a plane's values, uint8 [height, width], without copying them."""
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]

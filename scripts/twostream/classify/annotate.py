"""A video with what was made of it: its frames, their flow, and a band with the verdicts below."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from twostream.classify.classify import Verdict
from twostream.extraction.store import Store
from twostream.files import UserError, atomic_write
from twostream.flow.colour import colour_coded
from twostream.videos.decoding import announced, frame_rate, read_frames, rescale

CODECS = {".avi": "MJPG", ".mp4": "mp4v"}
# Where a container gives no frame rate that can be: most cameras' (Hz).
USUAL_RATE = 25.0
SLOWEST_RATE, FASTEST_RATE = 0.01, 1000.0
# The shorter side of a frame as shown (px): enough to see and to write beside, and no more than that.
SIDES = (240, 480)
# For the length of fast motion, one displacement in so many px each way is looked at.
SPARSE = 4

# It comes with Matplotlib, and has the letters of most European languages.
FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
ELLIPSIS = "…"
# R, G, B.
BACKGROUND, BAR, TEXT, FAINT = (24, 26, 30), (36, 92, 150), (240, 240, 240), (165, 170, 178)


def check_output(out: Path, video: Path) -> None:
    """Make the folder of the video to write; raise UserError if it cannot be written there."""
    if out.suffix.lower() not in CODECS:
        raise UserError(f"--out {out}: give it the suffix .avi (MJPG) or .mp4 (mp4v); others are not written")
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder; name a file")
    if out.exists() and out.samefile(video):
        raise UserError(f"--out {out}: is the video itself, which it would replace; name another file")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out {out}: its folder cannot be made: {error}") from None
    if not os.access(out.parent, os.W_OK):
        raise UserError(f"--out {out}: its folder cannot be written to")


def write_annotated(video: Path, flow: Store, verdicts: list[Verdict], out: Path, scratch: Path) -> None:
    """Write the video with its forward flow at the right and the verdicts below, whole or not at all.

    `flow` holds the video under its name; `verdicts` are those of the streams, then the fused one. The
    video is made in the folder `scratch`. Raises UserError if it cannot be written.
    """
    made = scratch / f"annotated{out.suffix.lower()}"
    count = _encode(_pictures(video, flow, verdicts), shown_rate(video), made)
    if announced(made).frames < count:
        raise UserError(f"--out {out}: OpenCV could not write all of it; is the disk full?")
    try:
        with atomic_write(out) as part:
            shutil.move(made, part)
    except OSError as error:
        raise UserError(f"--out {out}: cannot be written: {error}") from None


def shown_rate(video: Path) -> float:
    """Return the frames a second that a video's container gives, or 25 where it gives nonsense."""
    rate = frame_rate(video)
    return rate if SLOWEST_RATE <= rate <= FASTEST_RATE else USUAL_RATE


def _encode(pictures: Iterator[np.ndarray], rate: float, path: Path) -> int:
    """Write pictures, one after another, as a video; return their number."""
    first = next(pictures)
    codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix])
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, rate, first.shape[1::-1])
    try:
        if not writer.isOpened():
            raise UserError(
                f"OpenCV cannot write {path.suffix} here ({CODECS[path.suffix]}); try another suffix"
            )
        writer.write(first)
        count = 1
        for picture in pictures:
            writer.write(picture)
            count += 1
        return count
    finally:
        writer.release()


def _pictures(video: Path, flow: Store, verdicts: list[Verdict]) -> Iterator[np.ndarray]:
    """Yield for each frame what is shown, uint8 [height, width, 3], BGR; both sides are even."""
    fields = flow.length(video.name)
    longest = _longest(flow, video.name)
    band = None
    for number, frame in enumerate(read_frames(video)):
        # The last frame leads nowhere.
        coded = colour_coded(_field(flow, video.name, min(number, fields - 1)), longest)
        side = int(np.clip(min(frame.shape[:2]), *SIDES))
        # Codecs want even sides; the flow is as large as the frame.
        shown = [_even(rescale(picture, side)) for picture in (frame, coded)]
        top = np.hstack(shown)
        if band is None:
            band = draw_band(verdicts, top.shape[1], side, longest)
        yield np.vstack([top, band])


def _even(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    return picture[: height // 2 * 2, : width // 2 * 2]


def _field(flow: Store, video: str, number: int) -> np.ndarray:
    """A field [height, width, 2] in px."""
    return flow.read(video, [number]).displacement()[0].transpose(1, 2, 0)


def _longest(flow: Store, video: str) -> float:
    """The length (px) that gets the deepest colour throughout a video, so that colours compare.

    It is that of fast motion, not the fastest: a cut or a flash would leave all else pale.
    """
    fast = []
    for number in range(flow.length(video)):
        field = _field(flow, video, number)[::SPARSE, ::SPARSE]
        fast.append(np.percentile(np.linalg.norm(field, axis=-1), 99))
    return max(float(np.percentile(fast, 90)), 1.0)


def draw_band(verdicts: list[Verdict], width: int, side: int, longest: float) -> np.ndarray:
    """Return the band below a frame whose shorter side is `side` px, uint8 [height, width, 3], BGR.

    At its left is the fused verdict; at its right the length that has the deepest colour, and each
    stream's first class.
    """
    *streams, fused = verdicts
    row = side // 20 * 2
    band = Image.new("RGB", (width, 5 * row + row // 4 * 2), BACKGROUND)
    left = _Lines(band, 0, width // 2, row)
    left.write(0, fused.name, colour=FAINT)
    for number, (name, score) in enumerate(fused.best(3), 1):
        left.bar(number, score)
        left.write(number, name, _percent(score))
    right = _Lines(band, width // 2, width, row)
    right.write(0, "flow, deepest colour", f"{longest:.1f} px", FAINT)
    for number, stream in enumerate(streams):
        ((name, score),) = stream.best(1)
        right.write(2 * number + 1, stream.name, colour=FAINT)
        right.write(2 * number + 2, name, _percent(score))
    return cv2.cvtColor(np.asarray(band), cv2.COLOR_RGB2BGR)


def _percent(score: float) -> str:
    return f"{100 * score:.1f}%"


class _Lines:
    """Rows of text on a picture between two columns, each `height` px high."""

    def __init__(self, picture: Image.Image, left: int, right: int, height: int) -> None:
        self._draw = ImageDraw.Draw(picture)
        self._font = ImageFont.truetype(FONT, height * 0.6)
        gap = height // 3
        self._left, self._right, self._gap, self._height = left + gap, right - gap, gap, height

    def write(self, row: int, name: str, value: str = "", colour: tuple[int, int, int] = TEXT) -> None:
        """Write a value at the right, and a name at the left in the room that is left."""
        middle = (row + 0.5) * self._height
        self._draw.text((self._right - self._gap, middle), value, colour, self._font, anchor="rm")
        room = self._right - self._left - 3 * self._gap - self._width(value)
        self._draw.text((self._left + self._gap, middle), self._cut(name, room), colour, self._font, "lm")

    def bar(self, row: int, share: float) -> None:
        """Draw a bar over a share of the row, 0 to 1."""
        end = self._left + share * (self._right - self._left)
        top = row * self._height
        self._draw.rectangle((self._left, top + 1, end, top + self._height - 2), BAR)

    def _cut(self, name: str, room: float) -> str:
        """The name, or as much of it as there is room for, with an ellipsis."""
        if self._width(name) <= room:
            return name
        kept = name
        while kept and self._width(kept + ELLIPSIS) > room:
            kept = kept[:-1]
        return kept + ELLIPSIS

    def _width(self, text: str) -> float:
        return self._draw.textlength(text, self._font)

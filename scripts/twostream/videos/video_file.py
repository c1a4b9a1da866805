"""Video files as FFmpeg (PyAV) opens and decodes them."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from io import SEEK_SET, FileIO
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from twostream.videos.conversion import Conversion
from twostream.videos.damage import Damage

# What pictures are read: 8K has 7,680 x 4,320. A header that is damaged says anything, and a few bytes would
# take all memory; nor do OpenCV's flow and JPEG have room for more a side, or for thin ones once rescaled.
MOST_PIXELS, LONGEST_SIDE, THINNEST = 2**25, 2**14, 32


class UnreadableError(Exception):
    """A file that no frame can be had of; the message says so and why, and does not name the file."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"no frame can be decoded: {reason}")


@dataclass(frozen=True)
class VideoFile:
    """An open file, its video stream, and what is found damaged as it is read."""

    container: InputContainer
    stream: VideoStream
    damage: Damage

    def pictures(self, first: int = 0) -> Iterator[np.ndarray]:
        """Yield what can be decoded, each coded frame once, as `Conversion.picture` returns it.

        A frame stays one picture however long it is shown, and so does an interlaced one, with its two
        fields woven. Those before the frame number `first` are left out. Raises UnreadableError at the end
        if there was no frame at all in the file, or none that could be converted.
        """
        conversion, count, failed = None, 0, None
        for number, frame in enumerate(self.frames()):
            try:
                with self.damage.heard():
                    conversion = conversion or Conversion.like(frame)
                    if number < first:
                        continue
                    picture = conversion.picture(frame)
            except av.FFmpegError as error:
                self.damage.refused += 1
                failed = error
                continue
            yield picture
            count += 1
        if failed and not count:
            raise UnreadableError(_said(failed))

    def frames(self) -> Iterator[VideoFrame]:
        """Yield what can be decoded, each coded frame once, in the order in which they are shown.

        What FFmpeg refuses, a damaged packet say, is passed over, and `damage` says so. Raises
        UnreadableError at the end if there was no frame at all, and at the first frame if its size is none
        that is read.
        """
        context = self.stream.codec_context
        # Jobs run side by side, so each keeps to one thread; the flag is for equal bytes everywhere.
        context.thread_count = 1
        context.flags |= Flags.bitexact
        # Sizes may change amid a video too.
        context.options = {"max_pixels": str(MOST_PIXELS)}
        _check_size(context.width, context.height)
        count, reason = 0, "it holds none"
        for packet in self._packets():
            try:
                with self.damage.heard():
                    frames = context.decode(packet)
            except av.FFmpegError as error:
                self.damage.refused += 1
                reason = _said(error)
                continue
            for frame in frames:
                if not count:
                    _check_size(frame.width, frame.height)
                self.damage.marked += frame.is_corrupt
                yield frame
                count += 1
        if not count:
            raise UnreadableError(reason)
        if count < self.stream.frames:
            self.damage.missing = f"{count:,} of {self.stream.frames:,} announced"

    def _packets(self) -> Iterator[Packet | None]:
        """Yield the stream's packets, then None, which makes the decoder give what it still holds."""
        packets = self.container.demux(self.stream)
        with suppress(av.FFmpegError):
            while True:
                with self.damage.heard():
                    packet = next(packets, None)
                if packet is None:
                    break
                # An empty packet, which some files hold, would be taken for the end.
                if packet.size:
                    self.damage.marked += packet.is_corrupt
                    yield packet
        yield None


@contextmanager
def opened(path: str | Path) -> Iterator[VideoFile]:
    """Open a file and its video stream: of several, the one that FFmpeg itself would play.

    FFmpeg is handed the open file instead of its name, and may open none itself: so `a_%03d.avi` or
    `http:a.avi` is just a name, and a playlist, which names other files or addresses, is refused. Raises
    UnreadableError if the file cannot be opened as a video, and in the block if it cannot be read on.
    """
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_Source(path))
            # Titles and comments come in any character set.
            options = {"protocol_whitelist": ""}
            damage = Damage()
            with damage.heard():
                container = av.open(file, "r", container_options=options, metadata_errors="replace")
            stack.enter_context(container)
            stream = container.streams.best("video")
            if not isinstance(stream, VideoStream):
                raise UnreadableError("it has no video stream")
            if stream.codec_context is None:
                raise UnreadableError("FFmpeg has no decoder for it")
            yield VideoFile(container, stream, damage)
        except (OSError, av.FFmpegError) as error:
            raise UnreadableError(_said(error)) from None


class _Source(FileIO):
    """A file that FFmpeg reads, which in a damaged one tries to go where there is nothing."""

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go to a place; return it, or -1 if there is none, which FFmpeg, unlike an error, goes on after."""
        with suppress(OSError):
            return super().seek(offset, whence)
        return -1


def _check_size(width: int, height: int) -> None:
    """Raise UnreadableError if pictures are too large, or too thin; a side of 0 is not known yet."""
    short, long = sorted((width, height))
    if short and (width * height > MOST_PIXELS or long > LONGEST_SIDE or long > THINNEST * short):
        raise UnreadableError(
            f"its pictures are said to have {width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are read,"
            f" {LONGEST_SIDE:,} a side, one side up to {THINNEST} times the other"
        )


def _said(error: OSError | av.FFmpegError) -> str:
    return str(error.strerror or error)

"""How many frames a video has, and whether it is damaged, by FFmpeg alone: nothing here is the project's."""

from dataclasses import dataclass, field
from pathlib import Path

import av
import av.logging

KEPT = 5
# Larger pictures are not read (config/README.md), and a damaged packet amid a video may claim one.
MOST_PIXELS = 2**25


@dataclass
class FFmpegSays:
    """Frames decoded, those that the container announces (0: it does not), and what it complained of."""

    frames: int = 0
    announced: int = 0
    complaints: list[str] = field(default_factory=list)


def count_frames(video: Path) -> FFmpegSays:
    """Decode a video packet by packet, past every error, and return what there was."""
    said = FFmpegSays()
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture() as log:
            _decode(video, said)
        said.complaints += [f"{name}: {line.strip()}" for _, name, line in log[:KEPT]]
    finally:
        av.logging.set_level(None)
    said.complaints = said.complaints[: 2 * KEPT]
    return said


def _decode(video: Path, said: FFmpegSays) -> None:
    try:
        with av.open(str(video), metadata_errors="replace") as container:
            stream = container.streams.best("video")
            if stream is None or stream.codec_context is None:
                said.complaints.append("no video stream that can be decoded")
                return
            said.announced = stream.frames
            stream.codec_context.thread_count = 1
            stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
            _decode_packets(container, stream, said)
    except (av.FFmpegError, OSError) as error:
        said.complaints.append(f"opening or reading: {error}")


def _decode_packets(container: av.container.InputContainer, stream: av.VideoStream, said: FFmpegSays) -> None:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.FFmpegError as error:
            said.complaints.append(f"reading: {error}")
            break
        if packet.size:
            if packet.is_corrupt:
                said.complaints.append("a packet is marked as corrupt")
            _count(stream, packet, said)
    _count(stream, None, said)


def _count(stream: av.VideoStream, packet: av.Packet | None, said: FFmpegSays) -> None:
    try:
        for frame in stream.codec_context.decode(packet):
            said.frames += 1
            if frame.is_corrupt:
                said.complaints.append("a frame is marked as corrupt")
    except av.FFmpegError as error:
        said.complaints.append(f"decoding: {error}")

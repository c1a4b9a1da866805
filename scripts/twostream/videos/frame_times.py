"""When each frame of a video is shown, by its file."""

from fractions import Fraction
from pathlib import Path

from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from twostream.videos.video_file import VideoFile, opened

# So many frames at most are coded before one that is shown before them, and may then bear its time.
REORDERED = 16


class TimelessError(Exception):
    """A file that does not say when its frames are shown; the message says so, and not which file."""


def frame_times(file: Path) -> list[Fraction]:
    """Return the time (s) of each frame that can be decoded, in the order in which they are shown.

    It is exact, and counted as players do: from where the first of the file's streams begins. Raises
    UnreadableError if no frame can be decoded, and TimelessError if one has no time, or times begin anew.
    """
    with opened(file) as video:
        # Those that the decoder still held at the file's end come without a unit of time.
        given = [(frame.pts, frame.time_base or video.stream.time_base) for frame in video.frames()]
        origin = _origin(video)
    times = [pts * unit for pts, unit in given if pts is not None and unit is not None]
    if lacking := len(given) - len(times):
        raise TimelessError(
            f"{lacking:,} of its {len(given):,} frames have no time, by which a segment is told; copy it to a"
            " file that has them (ffmpeg -i IN -c:v copy OUT.mp4)"
        )
    order = sorted(range(len(times)), key=times.__getitem__)
    if any(abs(place - number) > REORDERED for place, number in enumerate(order)):
        raise TimelessError(
            "its times begin anew, as if it was joined of several, so that they tell no segment; code it anew"
            " (ffmpeg -i IN OUT.mp4)"
        )
    # Decoders give frames as they are shown, but in AVI, whose times are those of coding, some bear others'
    # times. The first frame is shown at the first of all times, the second at the second, and so on.
    start = min(times) if origin is None else min(origin, *times)
    return [times[number] - start for number in order]


def end_of(times: list[Fraction]) -> Fraction:
    """Return when the last frame's showing ends (s), taken to be as long as that of the one before."""
    return times[-1] + (times[-1] - times[-2] if len(times) > 1 else 0)


def _origin(video: VideoFile) -> Fraction | None:
    """Where the first of the streams that are played begins (s); None if none says it."""
    starts = [
        stream.start_time * stream.time_base
        for stream in video.container.streams
        if isinstance(stream, VideoStream | AudioStream)
        and stream.start_time is not None
        and stream.time_base is not None
    ]
    return min(starts, default=None)

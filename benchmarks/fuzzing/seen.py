"""What is seen of one video as it is handled."""

from dataclasses import dataclass, field

from fuzzing.counting import FFmpegSays


@dataclass
class Call:
    """How a call ended: what it printed, its error message (`error: ...`), or its traceback; and what it
    made: the frames that it had by its outputs, and what its record says is damaged."""

    printed: str = ""
    refused: str = ""
    crashed: str = ""
    frames: int | None = None
    recorded: str = ""


@dataclass
class Seen:
    """What came of one video: the calls by their names, and FFmpeg's own word, asked without the project."""

    calls: dict[str, Call] = field(default_factory=dict)
    ffmpeg: FFmpegSays = field(default_factory=FFmpegSays)

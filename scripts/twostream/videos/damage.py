"""What is damaged in a video, by FFmpeg's own word, and how that is told."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.logging import ERROR, Capture, get_level, get_skip_repeated, set_level, set_skip_repeated

from twostream.files import NAMED


@dataclass
class Damage:
    """What one reading of a video found damaged; as text empty if that is nothing.

    `refused` packets gave no frame, `marked` frames and packets are marked as damaged by FFmpeg, which made
    something up for what is lost of them, `missing` says how many frames are there of those announced, and
    `complaint` is the first error that FFmpeg wrote to its log.
    """

    refused: int = 0
    marked: int = 0
    missing: str = ""
    complaint: str = ""

    def __str__(self) -> str:
        parts = {
            "packets passed over": f"{self.refused:,}" if self.refused else "",
            "marked as damaged": f"{self.marked:,}" if self.marked else "",
            "frames": self.missing,
            "FFmpeg says": self.complaint,
        }
        return "; ".join(f"{what}: {said}" for what, said in parts.items() if said)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Take note of the errors that FFmpeg logs in the block: some of what it leaves out it tells there
        alone. Those that it raises are noted too, and raised on."""
        before = get_level(), get_skip_repeated()
        set_level(ERROR)
        # What another video's log said last is news of this one.
        set_skip_repeated(False)
        try:
            with Capture() as log:
                yield
        except av.FFmpegError as error:
            self.complaint = self.complaint or _in_a_line(log[0][2] if log else error.strerror or str(error))
            raise
        finally:
            set_level(before[0])
            set_skip_repeated(before[1])
        if log:
            self.complaint = self.complaint or _in_a_line(log[0][2])


def tell_damaged(damaged: Mapping[str, str], folder: Path) -> None:
    """Write to the log which videos below a folder are damaged, and how; of many the first."""
    for file in sorted(damaged)[:NAMED]:
        said = f"is damaged, and what is left of it is used ({damaged[file]})"
        print(f"{folder / file}: {said}", file=sys.stderr)
    if len(damaged) > NAMED:
        print(f"{len(damaged) - NAMED:,} more videos are damaged", file=sys.stderr)


def _in_a_line(message: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in message).split())

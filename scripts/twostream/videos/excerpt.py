"""What an index names: a whole video, or an excerpt of it, some of its frames one after another.

`clip.mp4#frames=250:500` are the frames 250 to 499 of `clip.mp4`, counted from 0. So an excerpt is read alike
everywhere, whatever times its file gives, and several of one file are several videos.
"""

import re
from pathlib import Path

EXCERPT = re.compile(r"(?P<file>.+)#frames=(?P<first>\d+):(?P<end>\d+)")


def excerpt_name(file: str, first: int, end: int) -> str:
    """Return the name of the frames `first` to `end` - 1 of a file."""
    return f"{file}#frames={first}:{end}"


def whole(name: str) -> str:
    """Return the name of the file that a name in an index is an excerpt of; a file's own is as it was."""
    found = EXCERPT.fullmatch(name)
    return found["file"] if found else name


def file_of(video: str | Path) -> Path:
    """Return the file (or folder of pictures) in which a video's frames are."""
    return Path(whole(str(video)))


def frames_of(video: str | Path) -> tuple[int, int] | None:
    """Return the first frame of an excerpt and the one after its last; None if a video is a whole file."""
    found = EXCERPT.fullmatch(str(video))
    return (int(found["first"]), int(found["end"])) if found else None

"""What of the disk a video is: a file, or the pictures in a folder (`frame_folder`).

Each call of Snakemake looks at it for all videos, so it loads nothing that decodes.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from twostream.files import sha256
from twostream.videos.excerpt import file_of

PICTURE = re.compile(r"(img|flow_x|flow_y)_(\d+)\.(?:jpe?g|png)")


def is_picture(name: str) -> bool:
    """Whether a file is one of those that make a folder a video, by its name."""
    return PICTURE.fullmatch(name) is not None


def content_size(video: Path) -> int:
    """Return the bytes of the file a video is in, or of a folder's pictures; OSError if it is not there."""
    return sum(file.stat().st_size for file in content_files(file_of(video)))


def content_sha256(video: Path) -> str:
    """Return the SHA-256 of a video's file, or of the names and SHA-256s of a folder's pictures."""
    video = file_of(video)
    if not video.is_dir():
        return sha256(video)
    lines = (f"{sha256(file)}  {file.name}\n" for file in content_files(video))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def last_change(video: Path) -> int:
    """Return the kernel's time (ns) of the last change of a video's file, of a link to it, or of its folder.

    The pictures in a folder count too, so that one which was written over is seen.
    """
    video = file_of(video)
    files = [video, *(content_files(video) if video.is_dir() else ())]
    return max(time for file in files for time in (file.stat().st_ctime_ns, file.lstat().st_ctime_ns))


def content_files(video: Path) -> Iterable[Path]:
    """Return the file that a video is, or the pictures of the folder that it is, in order."""
    if not video.is_dir():
        return [video]
    return sorted(file for file in video.iterdir() if is_picture(file.name))

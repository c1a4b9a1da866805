"""What a user's folder holds, by name and size, so that the plan sees a file come or go."""

import os
from pathlib import Path
from typing import Literal

from twostream.config.sources import Folder
from twostream.files import UserError
from twostream.provenance.records import read_record
from twostream.provenance.specs import digest

Media = Literal["videos", "images"]
SUFFIXES: dict[Media, frozenset[str]] = {
    "videos": frozenset({".avi", ".mp4", ".mkv", ".mov", ".mpg", ".mpeg", ".webm", ".wmv"}),
    "images": frozenset({".jpg", ".jpeg", ".png", ".bmp"}),
}


def find_videos(folder: Path, media: Media) -> list[str]:
    """Return the videos (or images) below `folder`, relative to it, sorted."""
    found = (
        Path(place, name)
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if Path(name).suffix.lower() in SUFFIXES[media]
    )
    return sorted(path.relative_to(folder).as_posix() for path in found)


def listing_digest(source: Folder, media: Media, index: str) -> str:
    """Return a digest of a folder's file names and sizes, and of the list that goes with it.

    Where the folder is absent, the digest in the index's record serves: whoever has the index and
    what was made from it needs no videos. Raises UserError if there is neither.
    """
    folder = Path(source.folder)
    if not folder.is_dir():
        if known := read_record(index):
            return str(known["recipe"].get("listing", ""))
        dataset = Path(index).stem
        raise UserError(f"there is no folder {folder}; it is datasets.{dataset}.source.folder in the scale")
    try:
        content = [[file, os.lstat(folder / file).st_size] for file in find_videos(folder, media)]
        listed = Path(source.list).read_bytes().hex() if source.list else None
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None
    return digest([content, listed])

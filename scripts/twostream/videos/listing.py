"""What a user's folder holds, by name and size, so that the plan sees a file come or go."""

import os
from collections.abc import Iterator
from pathlib import Path

from twostream.config.sources import Folder, Media
from twostream.files import UserError
from twostream.provenance.digest import digest
from twostream.provenance.records import read_record
from twostream.videos.content import content_size, is_picture

# What FFmpeg reads of what people have, and no still image.
VIDEOS = (
    ".3g2 .3gp .asf .avi .divx .dv .f4v .flv .gif .m2ts .m2v .m4v .mjpeg .mjpg .mkv .mov .mp4 .mpe .mpeg .mpg"
    " .mts .mxf .ogm .ogv .qt .rm .rmvb .ts .vob .webm .wmv .y4m"
)
SUFFIXES: dict[Media, frozenset[str]] = {
    "videos": frozenset(VIDEOS.split()),
    "images": frozenset({".jpg", ".jpeg", ".png", ".bmp"}),
}


def check_folder(folder: Path) -> None:
    """Raise UserError if there is no such folder."""
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}")


def find_videos(folder: Path, media: Media) -> list[str]:
    """Return the videos (or images) below `folder`, relative to it, sorted.

    There are none if there is no such folder. Raises UserError if a folder cannot be read, a link leads to
    one that it lies in, or a name is no UTF-8.
    """
    if media == "raw-frames":
        return sorted({str(Path(file).parent) for file in _files(folder) if is_picture(Path(file).name)})
    return sorted(file for file in _files(folder) if Path(file).suffix.lower() in SUFFIXES[media])


def passed_over(folder: Path, media: Media) -> list[str]:
    """Return the other files below `folder`, which are none of its videos by their name, sorted."""
    if media == "raw-frames":
        return sorted(file for file in _files(folder) if not is_picture(Path(file).name))
    return sorted(file for file in _files(folder) if Path(file).suffix.lower() not in SUFFIXES[media])


def _files(folder: Path) -> Iterator[str]:
    """Yield all files below a folder, through links too, relative to it; what is hidden is left out."""
    if not folder.is_dir():
        return
    for place, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        names = [name for name in names if not name.startswith(".")]
        for name in (*folders, *names):
            _check_name(Path(place, name))
        for link in (Path(place, name) for name in folders):
            if link.is_symlink():
                _check_link(link, folder)
        for name in names:
            yield Path(place, name).relative_to(folder).as_posix()


def _refuse(error: OSError) -> None:
    raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _check_link(link: Path, folder: Path) -> None:
    """Raise UserError if a link leads to a folder on the way to it, perhaps by way of other links."""
    target = link.resolve()
    way = [place for place in link.parents if place.is_relative_to(folder)]
    if any(place.resolve().is_relative_to(target) for place in way):
        raise UserError(f"{link}: is a link to a folder that it lies in, so it has no end; delete the link")


def _check_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise UserError(f"{shown}: rename it; its name is no UTF-8, so no list can hold it") from None


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
        content = [[file, content_size(folder / file)] for file in find_videos(folder, media)]
        listed = Path(source.list).read_bytes().hex() if source.list else None
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read: {error.strerror}") from None
    return digest([content, listed])

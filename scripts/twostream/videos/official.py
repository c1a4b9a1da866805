"""The videos and lists of a published dataset: fetched and unpacked, or found where the user has them."""

import shutil
from pathlib import Path

import pandas as pd

from twostream import paths
from twostream.config.scale import Official
from twostream.downloads import fetch
from twostream.files import UserError, atomic_write
from twostream.videos.archives import unpack
from twostream.videos.listing import SUFFIXES
from twostream.videos.official_lists import are_there, locate, read_hmdb51, read_ucf101

READERS = {"ucf101": read_ucf101, "hmdb51": read_hmdb51}


def listed_videos(source: Official, dataset: str) -> tuple[pd.DataFrame, Path]:
    """Return the table of the official lists, and the folder of the videos; `file` is relative to it.

    What the source names no folder for, and is not there yet, is fetched into `data/archives` and
    unpacked. Unpacked videos lie in `data/official` under the names that the official lists give them,
    however their archive has it, so that each source leads to the same table.

    Raises UserError if an archive cannot be had, if lists or videos are not as published, or if a disk
    is full; see `downloads.fetch`, `archives.unpack` and `official_lists`.
    """
    table = _lists(source, dataset)
    folder = Path(source.videos.folder or paths.OFFICIAL_VIDEOS.format(dataset=dataset))
    if not source.videos.folder and not are_there(table, folder):
        _bring_videos(source, dataset, table, folder)
    return table.assign(file=locate(table, folder)), folder


def _lists(source: Official, dataset: str) -> pd.DataFrame:
    read = READERS[source.protocol]
    if source.lists.folder:
        return read(Path(source.lists.folder))
    folder = _archives(dataset) / "lists"
    try:
        return read(folder)
    except UserError:  # They are not there yet, or not whole; if they stay so, the next reading says it.
        archive = fetch(source.lists.archive, _archives(dataset), _checksums(dataset))
        shutil.rmtree(folder, ignore_errors=True)
        unpack(archive, folder, {".txt"})
        return read(folder)


def _bring_videos(source: Official, dataset: str, table: pd.DataFrame, folder: Path) -> None:
    archive = fetch(source.videos.archive, _archives(dataset), _checksums(dataset))
    # A killed call may have left part of another source's archive here.
    unpacked = _archives(dataset) / "videos"
    shutil.rmtree(unpacked, ignore_errors=True)
    try:
        unpack(archive, unpacked, SUFFIXES["videos"])
        for file, place in zip(table["file"], locate(table, unpacked), strict=True):
            with atomic_write(folder / file) as part:
                shutil.move(unpacked / place, part)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _archives(dataset: str) -> Path:
    return Path(paths.ARCHIVES.format(dataset=dataset))


def _checksums(dataset: str) -> Path:
    return Path(paths.CHECKSUMS.format(dataset=dataset))

"""The videos and lists of a published dataset: fetched and unpacked, or found where the user has them."""

import shutil
from pathlib import Path

import pandas as pd

from twostream import paths
from twostream.config.sources import Official, Origin
from twostream.downloads import fetch
from twostream.files import UserError, atomic_write, sha256, some
from twostream.progress import ProgressBar
from twostream.provenance.locks import locked
from twostream.videos.archives import unpack
from twostream.videos.listing import SUFFIXES
from twostream.videos.official_lists import are_there, locate, name_key, read_hmdb51, read_ucf101
from twostream.videos.subsets import FACTS, read_subset

READERS = {"ucf101": read_ucf101, "hmdb51": read_hmdb51}


def listed_videos(source: Official, dataset: str) -> tuple[pd.DataFrame, Path]:
    """Return the table of the official lists, and the folder of the videos; `file` is relative to it.

    What the source names no folder for, and is not there yet, is fetched into `data/archives` and
    unpacked. Unpacked videos lie in `data/official` under the names that the official lists give them,
    however their archive has it, so that each source leads to the same table. Of a source with a
    `subset`, only the videos that it lists are unpacked and in the table.

    Raises UserError if an archive cannot be had, if lists or videos are not as published, if a subset
    lists what the official lists do not, if one of its videos has another SHA-256, or if a disk is full;
    see `downloads.fetch`, `archives.unpack`, `official_lists` and `subsets`.
    """
    # The whole dataset and subsets of it come from one archive, and may be asked for at the same time.
    with locked(_archives(source)):
        table = _table(source)
        folder = Path(source.videos.folder or paths.OFFICIAL_VIDEOS.format(dataset=dataset))
        if not source.videos.folder and not are_there(table, folder):
            _bring_videos(source, table, folder)
    table = table.assign(file=locate(table, folder))
    if source.subset:
        _check_bytes(table, folder, source)
    return table.drop(columns="sha256", errors="ignore"), folder


def _table(source: Official) -> pd.DataFrame:
    """The table of the official lists; of a subset, its videos alone, and with their `sha256`."""
    if not source.subset:
        assert source.lists  # The configuration requires them.
        return _lists(source, source.lists)
    subset = pd.DataFrame(read_subset(source.subset))
    if source.lists:
        return _as_listed(subset, _lists(source, source.lists), source.subset)
    if lacking := [column for column in FACTS if column not in subset]:
        raise UserError(
            f"{source.subset}: lacks the column {', '.join(lacking)}; add what the official lists say, or"
            " name these under `lists` in the scale"
        )
    return subset[["file", *FACTS, "sha256"]]


def _as_listed(subset: pd.DataFrame, lists: pd.DataFrame, name: str) -> pd.DataFrame:
    """What the official lists say of a subset's videos; UserError if it lists others or says otherwise."""
    unknown = set(subset["file"]) - set(lists["file"])
    if unknown:
        raise UserError(f"{name}: lists videos that the official lists do not have: {some(unknown)}")
    table = subset[["file", "sha256"]].merge(lists, on="file")
    for column in FACTS:
        wrong = table["file"][table[column] != subset[column]] if column in subset else ()
        if len(wrong):
            raise UserError(f"{name}: the official lists have another {column} for {some(wrong)}")
    return table[["file", *FACTS, "sha256"]]


def _lists(source: Official, lists: Origin) -> pd.DataFrame:
    read = READERS[source.protocol]
    if lists.folder:
        return read(Path(lists.folder))
    folder = _archives(source) / "lists"
    try:
        return read(folder)
    except UserError:  # They are not there yet, or not whole; if they stay so, the next reading says it.
        archive = fetch(lists.archive, _archives(source), _checksums(source))
        shutil.rmtree(folder, ignore_errors=True)
        unpack(archive, folder, {".txt"})
        return read(folder)


def _bring_videos(source: Official, table: pd.DataFrame, folder: Path) -> None:
    archive = fetch(source.videos.archive, _archives(source), _checksums(source))
    # A killed call may have left part of another source's archive here.
    unpacked = _archives(source) / "videos"
    shutil.rmtree(unpacked, ignore_errors=True)
    names = set(map(name_key, table["file"])) if source.subset else None
    try:
        unpack(archive, unpacked, SUFFIXES["videos"], names)
        for file, place in zip(table["file"], locate(table, unpacked), strict=True):
            with atomic_write(folder / file) as part:
                shutil.move(unpacked / place, part)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)


def _check_bytes(table: pd.DataFrame, folder: Path, source: Official) -> None:
    """Raise UserError that names the videos whose SHA-256 is not the one that the subset lists."""
    listed = ProgressBar(list(zip(table["file"], table["sha256"], strict=True)), "checking the subset")
    altered = [file for file, expected in listed if sha256(folder / file) != expected]
    if altered:
        again = "put the official ones there"
        if not source.videos.folder:
            again = "delete them and call again, and they are unpacked anew from the archive"
        raise UserError(
            f"{folder}: {len(altered):,} of the {len(table):,} videos in {source.subset} are not those that"
            f" it lists, as their SHA-256 is another: {some(altered)}; {again}"
        )


def _archives(source: Official) -> Path:
    return Path(paths.ARCHIVES.format(dataset=source.protocol))


def _checksums(source: Official) -> Path:
    return Path(paths.CHECKSUMS.format(dataset=source.protocol))

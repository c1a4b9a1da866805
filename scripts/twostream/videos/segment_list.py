"""A user's list of segments of videos, as Kinetics and surveillance sets have it."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from twostream.config.sources import Segments
from twostream.files import LONGEST_NAME, NAMED, UserError, sha256, some
from twostream.provenance.digest import digest
from twostream.provenance.records import read_record
from twostream.videos.index import splits_of
from twostream.videos.listing import SUFFIXES
from twostream.videos.lists import read_list, relative

NEEDED = ("file", "class", "start", "end")
OPTIONAL = ("group", "sha256")
# Kinetics' names of columns, and of the part that is not for training.
COLUMNS = {"label": "class", "youtube_id": "file", "time_start": "start", "time_end": "end"}
PARTS = dict.fromkeys(("val", "validate", "validation"), "test")


def read_segments(file: Path, splits: int, folder: Path) -> pd.DataFrame:
    """Return file, class, start, end, group, `split1`, ..., and sha256 if it is listed, of a list's segments.

    `start` and `end` are exact (Fraction, s); `file` is an address, or relative to the folder; the group is
    the file where no other is listed. Raises UserError that names the list, and all lines with a segment that
    is none: a time that is no number, no length, or what is listed before; or the files with two groups or
    checksums, or the groups on both sides of a split.
    """
    table = read_list(file, NEEDED, splits, OPTIONAL, COLUMNS, PARTS)
    files = table["file"]
    table["file"] = [f if is_address(f) or not f else relative(f, folder) for f in files]
    if "group" not in table:
        table.insert(2, "group", table["file"])
    for column in ("start", "end"):
        table[column] = table[column].map({text: _seconds(text) for text in table[column].unique()})
    _check_times(table, file)
    _check_groups(table, file)
    return table.reset_index(drop=True)


def _check_times(table: pd.DataFrame, file: Path) -> None:
    problems = [
        (line, problem)
        for line, start, end in zip(table.index, table["start"], table["end"], strict=True)
        if (problem := _problem(start, end))
    ]
    _refuse(file, problems)
    repeated = table[["file", "start", "end"]].duplicated()
    _refuse(file, [(line, "is listed before") for line in table.index[repeated]])


def _check_groups(table: pd.DataFrame, file: Path) -> None:
    for column in OPTIONAL:
        if column in table and (more := table.groupby("file")[column].nunique() > 1).any():
            raise UserError(f"{file}: has more than one {column} for {some(more.index[more])}")
    for split in splits_of(table):
        sides = table[table[split] != "none"].groupby("group")[split].nunique() > 1
        if sides.any():
            raise UserError(
                f"{file}: segments of one group are on both sides of {split}: {some(sides.index[sides])};"
                " they come from one recording, so they belong on one"
            )


def _seconds(text: str) -> Fraction | None:
    """A time; None if it is no number. Some write a decimal comma."""
    try:
        number = Decimal(text.replace(",", "."))
        return Fraction(number) if number.is_finite() else None
    except InvalidOperation:
        return None


def _problem(start: Fraction | None, end: Fraction | None) -> str | None:
    if start is None or end is None:
        return f"{'start' if start is None else 'end'} is no number of seconds"
    if start < 0:
        return f"starts at {float(start):g} s, before the video"
    if end <= start:
        return f"ends at {float(end):g} s and starts at {float(start):g} s, so that it holds nothing"
    return None


def _refuse(file: Path, problems: list[tuple[int, str]]) -> None:
    if problems:
        listed = "\n".join(f"  line {line}: {problem}" for line, problem in problems[:NAMED])
        more = f"\n  and {len(problems) - NAMED:,} more" if len(problems) > NAMED else ""
        raise UserError(f"{file}: {len(problems):,} segments cannot be used:\n{listed}{more}")


def is_address(file: str) -> bool:
    """Whether what a list has as a file is an address on the web."""
    return file.startswith(("http://", "https://"))


def local_names(files: Iterable[str], folder: Path) -> dict[str, str]:
    """Return where each listed file lies, or is to lie once it is fetched, relative to the folder.

    An address is itself without `https://`. A name without an ending, as Kinetics' are, also stands for the
    video in the folder that has it with one. Raises UserError if two addresses differ in nothing else, a
    name is no file's, or there are several such videos.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in SUFFIXES["videos"]:
            found.setdefault(path.stem, []).append(path.name)
    names = {}
    for file in dict.fromkeys(files):
        names[file] = _local_name(file) if is_address(file) else file
        if not is_address(file) and file in found and not (folder / file).exists():
            if len(found[file]) > 1:
                raise UserError(f"{folder}: {file} may be {some(found[file])}; list it with its ending")
            names[file] = found[file][0]
    of_name: dict[str, str] = {}
    for file, name in names.items():
        if (other := of_name.setdefault(name, file)) != file:
            raise UserError(f"{other} and {file} would both be {folder / name}; list one of them")
    return names


def _local_name(address: str) -> str:
    name = address.partition("://")[2]
    parts = name.split("/")
    if "#" in name or not urlsplit(address).netloc or {"", ".", ".."} & set(parts):
        raise UserError(f"{address}: is no address of a file; it has no `#`, and does not end in `/`")
    if max(len(part.encode()) for part in parts) > LONGEST_NAME:
        raise UserError(f"{address}: is longer than a file's name may be; fetch it yourself")
    return name


def segments_digest(source: Segments, files: Iterable[str], folder: Path, index: str) -> str:
    """Return a digest of a list, and of the sizes of those of its files that the user has in the folder.

    Of files that are fetched, nothing counts but the list. Where the folder is absent, the digest in the
    index's record serves, as for `listing_digest`. Raises UserError if there is neither.
    """
    own = [] if source.fetch else [file for file in dict.fromkeys(files) if not is_address(file)]
    if own and not folder.is_dir():
        if known := read_record(index):
            return str(known["recipe"].get("listing", ""))
        raise UserError(
            f"there is no folder {folder}, where the videos of {Path(index).stem} are to be; name yours under"
            f" datasets.{Path(index).stem}.source.folder in the scale"
        )
    paths = [folder / name for name in local_names(own, folder).values()]
    sizes = [[path.name, path.stat().st_size if path.exists() else None] for path in paths]
    return digest([sha256(source.list), sizes])

"""A user's list of segments of videos, as Kinetics and surveillance sets have it."""

import re
from collections.abc import Hashable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from twostream.config.sources import Segments
from twostream.files import LONGEST_NAME, NAMED, UserError, sha256, some
from twostream.provenance.digest import digest
from twostream.provenance.records import read_record
from twostream.videos.excerpt import frames_of
from twostream.videos.index import splits_of
from twostream.videos.listing import SUFFIXES
from twostream.videos.lists import read_list, relative

NEEDED = ("file", "class", "start", "end")
OPTIONAL = ("group", "sha256")
# Kinetics' names of columns, and of the part that is not for training.
COLUMNS = {"label": "class", "youtube_id": "file", "time_start": "start", "time_end": "end"}
PARTS = dict.fromkeys(("val", "validate", "validation"), "test")
NAME_MAX = 255  # bytes of a file's name, on nearly all file systems
LONGEST, FINEST = 10**9, -20  # seconds, and powers of ten of them
# `1,500`: some write thousands so, and some thousandths.
TWO_MEANINGS = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
CHECKSUM = re.compile("([0-9a-f]{64})?")


def read_segments(file: Path, splits: int, folder: Path) -> pd.DataFrame:
    """Return file, class, start, end, group, `split1`, ..., and sha256 if it is listed, of a list's segments.

    `start` and `end` are exact (Fraction, s); `file` is an address, or relative to the folder; the group is
    the file where no other is listed. Raises UserError that names the list, and all lines with a segment that
    is none: a file outside the folder, a time that is no number, no length, or what is listed before; or the
    files with two groups or checksums, or the groups on both sides of a split.
    """
    table = read_list(file, NEEDED, splits, OPTIONAL, COLUMNS, PARTS)
    if table.empty:
        raise UserError(f"{file}: lists no segments")
    table["file"] = [_plain(f) if is_address(f) else relative(f, folder) for f in table["file"]]
    if "group" not in table:
        table.insert(2, "group", table["file"])
    _check_files(table, file, folder)
    _check_times(table, file)
    _check_groups(table, file)
    if "sha256" in table:
        # One of a file's lines may have it for all.
        given = table[table["sha256"] != ""].set_index("file")["sha256"].to_dict()
        table["sha256"] = table["file"].map(given).fillna("")
    return table.reset_index(drop=True)


def _check_files(table: pd.DataFrame, file: Path, folder: Path) -> None:
    problems: list[tuple[Hashable, str]] = []
    for line, name in zip(table.index, table["file"], strict=True):
        if is_address(name):
            continue
        if Path(name).is_absolute() or ".." in Path(name).parts:
            problems.append((line, f"{name} lies outside {folder}; files are named relative to it"))
        elif frames_of(name):
            problems.append((line, f"{name} is what an excerpt of a video is called; rename the file"))
        elif not Path(name).parts:
            problems.append((line, f"{name} is the folder itself"))
        elif max(len(part.encode()) for part in Path(name).parts) > NAME_MAX:
            problems.append((line, f"{name} is longer than a file's name may be"))
    if "sha256" in table:
        table["sha256"] = table["sha256"].str.lower()
        problems += [
            (line, f"sha256 is {text!r}, not 64 hexadecimal digits")
            for line, text in zip(table.index, table["sha256"], strict=True)
            if not CHECKSUM.fullmatch(text)
        ]
    _refuse(file, problems)


def _check_times(table: pd.DataFrame, file: Path) -> None:
    for column in ("start", "end"):
        texts = table[column]
        unclear = f"{column} may be thousands or thousandths; write it without a comma"
        _refuse(file, [(line, unclear) for line, text in texts.items() if TWO_MEANINGS.fullmatch(text)])
        table[column] = texts.map({text: _seconds(text) for text in texts.unique()})
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
        if column not in table:
            continue
        if (more := table[table[column] != ""].groupby("file")[column].nunique() > 1).any():
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
        exponent = number.as_tuple().exponent
        is_time = isinstance(exponent, int) and exponent >= FINEST and -LONGEST < number < LONGEST
        return Fraction(number) if is_time else None
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


def _refuse(file: Path, problems: Sequence[tuple[Hashable, str]]) -> None:
    if problems:
        listed = "\n".join(f"  line {line}: {problem}" for line, problem in problems[:NAMED])
        more = f"\n  and {len(problems) - NAMED:,} more" if len(problems) > NAMED else ""
        raise UserError(f"{file}: {len(problems):,} segments cannot be used:\n{listed}{more}")


def is_address(file: str) -> bool:
    """Whether what a list has as a file is an address, on the web or of another kind."""
    return re.match(r"[a-z][a-z0-9+.-]+://", file, re.IGNORECASE) is not None


def _plain(address: str) -> str:
    scheme, _, rest = address.partition(":")
    return f"{scheme.lower()}:{rest}"


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
    for name, file in of_name.items():
        above = next((of_name[str(place)] for place in Path(name).parents if str(place) in of_name), None)
        if is_address(file) and above:
            raise UserError(f"{file}: would lie below {above}, which is a file; list one of them")
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

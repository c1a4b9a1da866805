"""The index of segments of videos.

A segment from `start` to `end` (s) holds the frames of its file that are shown at start <= t < end.
"""

import sys
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pandas as pd

from twostream.files import UserError, sha256, some
from twostream.progress import ProgressBar
from twostream.videos.decoding import NEEDED_FRAMES
from twostream.videos.excerpt import excerpt_name, frames_of, whole
from twostream.videos.frame_times import TimelessError, end_of, frame_times
from twostream.videos.index import checked, indexed, refuse_bad
from twostream.videos.video_file import UnreadableError

# Lists have whole seconds: an end that lies less than so many behind the video's (s) is the video's.
ROUNDED = 1


class _UnusableError(Exception):
    """A file whose segments cannot be used; the message says why."""


@dataclass(frozen=True)
class Indexed:
    """The index of segments, those that were left out and why, and what is odd about the others, in words."""

    index: pd.DataFrame
    skipped: pd.DataFrame
    cut_short: list[str]
    overlapping: list[str]


def index_segments(
    table: pd.DataFrame, folder: Path, not_had: Mapping[str, str], on_bad_video: str
) -> Indexed:
    """Return the index of segments, as `read_segments` returns them, with `file` as `local_names` has it.

    Each file is decoded once, to its end; `not_had` says why some are not there. Segments that cannot be used
    are those of a file that is not there, is not the one that is listed or cannot be read, and those that
    have fewer than two frames or end more than a second behind its end; with `on_bad_video` "stop" they are
    all named by BadVideoError, with "skip" left out. Raises UserError if two segments have the same frames.
    """
    table = checked(table, folder, "videos").sort_values(["file", "start", "end"], ignore_index=True)
    found = _found(table, folder, not_had)
    seconds = table[["start", "end"]].astype(float)
    usable = pd.Series([segment.reason is None for segment in found])
    reasons = pd.Series([segment.reason or "" for segment in found])
    bad = table[["file"]].join(seconds).assign(reason=reasons)[~usable]
    if on_bad_video == "stop":
        refuse_bad(bad, len(table), folder, "videos")
    cut_short = table["file"][[segment.is_cut_short for segment in found]].tolist()
    pairs = zip(table["file"], found, strict=True)
    names = pd.Series([excerpt_name(file, segment.first, segment.end) for file, segment in pairs])[usable]
    if names.duplicated().any():
        raise UserError(f"{folder}: two segments have the same frames: {some(names[names.duplicated()])}")
    columns = ["class", "group", *(column for column in table if str(column).startswith("split"))]
    good = table[usable][columns]
    good.insert(0, "file", names)
    index = indexed(good, table, folder, "videos", bad)
    index[["start", "end"]] = seconds[usable].to_numpy()
    index["recording"] = index["group"]
    return Indexed(index, bad.reset_index(drop=True), cut_short, overlapping(index["file"]))


@dataclass(frozen=True)
class _Found:
    """What was found of a segment: its frames, from `first` to before `end`; or why it cannot be used."""

    first: int = 0
    end: int = 0
    reason: str | None = None
    is_cut_short: bool = False


def _found(table: pd.DataFrame, folder: Path, not_had: Mapping[str, str]) -> list[_Found]:
    """What is found of each segment of a table, which is sorted by file."""
    found: list[_Found] = []
    for name, rows in ProgressBar(list(table.groupby("file", sort=False)), "reading frames' times"):
        file = folder / str(name)
        try:
            if reason := not_had.get(str(name)) or _not_as_listed(file, rows):
                raise _UnusableError(reason)
            times = frame_times(file)
            found += (_in(times, start, end) for _, start, end in rows[["start", "end"]].itertuples())
        except (_UnusableError, UnreadableError, TimelessError) as error:
            found += [_Found(reason=str(error))] * len(rows)
    return found


def _not_as_listed(path: Path, rows: pd.DataFrame) -> str | None:
    if not path.exists():
        return "the file does not exist"
    expected = rows["sha256"].iloc[0].lower() if "sha256" in rows else ""
    if expected and (found := sha256(path)) != expected:
        return f"its sha256 is {found}, and the list has {expected}"
    return None


def _in(times: list[Fraction], start: Fraction, end: Fraction) -> _Found:
    """Find a segment in a video, by the times of its frames."""
    first, last = bisect_left(times, start), bisect_left(times, end)
    is_cut_short = end > end_of(times)
    few = last - first < NEEDED_FRAMES["videos"]
    if end > end_of(times) + ROUNDED or (few and is_cut_short):
        why = f"the video ends at {float(end_of(times)):.2f} s"
    elif few:
        why = f"it has only {last - first} frame"
    else:
        return _Found(first, last, is_cut_short=is_cut_short)
    return _Found(reason=f"from {float(start):g} to {float(end):g} s: {why}")


def overlapping(files: Iterable[str]) -> list[str]:
    """Return the excerpts that share frames with the one before them of the same file, in words."""
    places = sorted((whole(name), *excerpt) for name in files if (excerpt := frames_of(name)))
    found = []
    reach: dict[str, tuple[int, int]] = {}
    for file, first, end in places:
        before = reach.get(file, (0, 0))
        if first < before[1]:
            found.append(f"{file}: frames {before[0]} to {before[1] - 1} and {first} to {end - 1}")
        reach[file] = max(before, (first, end), key=lambda place: place[1])
    return found


def tell(found: Indexed) -> None:
    """Say on stderr what is odd about segments that are taken nevertheless."""
    if found.cut_short:
        print(f"the video ends earlier than the segment: {some(found.cut_short)}", file=sys.stderr)
    if found.overlapping:
        print(f"segments overlap: {some(found.overlapping)}", file=sys.stderr)

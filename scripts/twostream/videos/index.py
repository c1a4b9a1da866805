"""The index of a dataset: one row a video, with what is known of it and its part in each split.

Columns: `file` (relative to the dataset's folder; a folder, if its pictures are the video; with the
frames, if it is an excerpt of a file: `excerpt`), `size` (bytes) and `sha256` of the file, `class`, `label`
(from 0, classes in alphabetical order), `group`, and for each split `split1`, `split2`, ... one of
`train`, `test`, `none`. Rows are sorted by file. Segments have their `start` and `end` (s), and the
`recording` that they are of.
"""

from pathlib import Path
from typing import Literal

import pandas as pd

from twostream.config.sources import Media
from twostream.files import NAMED, UserError, atomic_write
from twostream.progress import ProgressBar
from twostream.videos.content import content_sha256, content_size
from twostream.videos.decoding import BadVideoError, why_unusable
from twostream.videos.excerpt import file_of

PARTS = {"train", "test", "none"}
TEXTS = ("file", "class", "group", "recording")
ADVICE = "set `on_bad_video: skip` in config/config.yaml"


def complete(
    table: pd.DataFrame, folder: Path, media: Media, on_bad_video: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the index of the videos in `table`, and which were left out of it and why.

    Each file is opened and its first frames decoded. With `on_bad_video` "stop", a bad one raises
    BadVideoError, which names every bad file; with "skip" they are left out. Labels are numbered over
    all classes, those of skipped videos included, so leaving one out renumbers nothing.
    """
    table = checked(table, folder, media)
    bad = unusable(table, folder, media, on_bad_video, ADVICE)
    return indexed(table.drop(bad.index), table, folder, media, bad), bad.reset_index(drop=True)


def checked(table: pd.DataFrame, folder: Path, media: Media) -> pd.DataFrame:
    """Return the rows of a table sorted by file; raise UserError if one names no class, group or file."""
    if table.empty:
        raise UserError(f"{folder}: holds no {media}")
    _check_rows(table, folder)
    return table.sort_values("file", ignore_index=True)


def indexed(
    good: pd.DataFrame, table: pd.DataFrame, folder: Path, media: Media, bad: pd.DataFrame
) -> pd.DataFrame:
    """Return the index of the videos in `good`, which are those of `table` that can be used.

    Raises UserError if its splits cannot be trained or tested on; it names those in `bad` (file and reason),
    which were left out.
    """
    classes = sorted(table["class"].unique())
    good = good.reset_index(drop=True)
    if media != "images":
        try:
            _check_splits(good, folder)
            # One whose test videos are skipped is not asked for: they are reported as left out.
            for split in splits_of(table):
                _check_classes(table[table[split] != "none"], split, "test", folder)
        except UserError as error:
            if bad.empty:
                raise
            left_out = f"{len(bad)} of {len(table)} {media} were left out:\n{_listed(bad[:NAMED], folder)}"
            more = f"\n  and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
            raise UserError(f"{error}\n{left_out}{more}") from None
    files = [file_of(folder / video) for video in good["file"]]
    # Of a file with several excerpts, once.
    sums = {file: content_sha256(file) for file in ProgressBar(list(dict.fromkeys(files)), "checksums")}
    good.insert(1, "size", [content_size(file) for file in files])
    good.insert(2, "sha256", [sums[file] for file in files])
    good.insert(4, "label", good["class"].map({name: i for i, name in enumerate(classes)}))
    return good


def unusable(
    table: pd.DataFrame, folder: Path, media: Media, on_bad_video: str, advice: str, every: int = 1
) -> pd.DataFrame:
    """Return file and reason of the bad videos in `table`; with "stop", raise BadVideoError instead.

    `advice` says how to leave them out. A video of which every n-th frame is taken needs more of them.
    """
    reasons = [why_unusable(folder / file, media, every) for file in ProgressBar(table["file"], "checking")]
    bad = pd.DataFrame({"file": table["file"], "reason": reasons}).dropna()
    if on_bad_video == "stop":
        refuse_bad(bad, len(table), folder, media, advice)
    return bad


def refuse_bad(bad: pd.DataFrame, count: int, folder: Path, media: Media, advice: str = ADVICE) -> None:
    """Raise BadVideoError that names all bad videos, by `file` and `reason`, if there are any of `count`."""
    if bad.empty:
        return
    raise BadVideoError(
        f"{len(bad)} of {count} {media} cannot be used:\n{_listed(bad, folder)}\n"
        f"Replace them, or {advice} to leave them out."
    )


def _listed(bad: pd.DataFrame, folder: Path) -> str:
    rows = bad[["file", "reason"]].to_numpy()
    return "\n".join(f"  {folder / file}: {reason}" for file, reason in rows)


def _check_rows(table: pd.DataFrame, folder: Path) -> None:
    for column in ("file", "class", "group"):
        if (table[column] == "").any():
            raise UserError(f"{folder}: a video has no {column}")
    for file in table["file"]:
        if Path(file).is_absolute() or ".." in Path(file).parts:
            raise UserError(f"{folder}: {file} lies outside; files are named relative to the folder")
        if not file.isprintable():
            raise UserError(f"{folder}: {file!r}: rename it; its name has characters that cannot be written")


def splits_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of an index, or of a list of videos, that are splits."""
    return [str(column) for column in table if str(column).startswith("split")]


def _check_splits(table: pd.DataFrame, folder: Path) -> None:
    """Refuse splits that cannot be trained or tested on, or that a group is on both sides of."""
    for split in splits_of(table):
        used = table[table[split] != "none"]
        if not (used[split] == "test").any():
            raise UserError(f"{folder}: {split} has no test video")
        _check_classes(used, split, "train", folder)
        sides = used.groupby(["class", "group"])[split].nunique()
        if (sides > 1).any():
            name, group = sides.index[sides > 1][0]
            raise UserError(
                f"{folder}: group {group} of {name} is on both sides of {split}; clips of a group come"
                " from one recording, so they belong on one"
            )


def _check_classes(used: pd.DataFrame, split: str, part: Literal["train", "test"], folder: Path) -> None:
    """Refuse a split with a class that has no video in one of its parts."""
    lacking = set(used["class"]) - set(used["class"][used[split] == part])
    if lacking:
        purpose = {"train": "training", "test": "test"}[part]
        raise UserError(
            f"{folder}: {split} has no {purpose} video of the class {sorted(lacking)[0]}; it needs more"
            " groups, or a list that says what to train and to test on"
        )


def write_index(index: pd.DataFrame, path: str | Path) -> None:
    """Write an index (or the report on skipped videos) as CSV, whole or not at all."""
    with atomic_write(path) as part:
        index.to_csv(part, index=False)


def read_index(path: str | Path) -> pd.DataFrame:
    """Read an index; raise UserError if it is missing or lacks a column."""
    try:
        index = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str), na_filter=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as an index: {error}") from None
    missing = {"file", "class", "label", "group", "split1"} - set(index.columns)
    if missing:
        raise UserError(f"{path}: lacks the column {', '.join(sorted(missing))}")
    return index


def class_names(index: pd.DataFrame) -> list[str]:
    """Return the classes in the order of their labels; a label no video has left is `?`."""
    names = dict(zip(index["label"], index["class"], strict=True))
    return [names.get(label, "?") for label in range(max(names) + 1)]


def recordings(index: pd.DataFrame) -> list[str]:
    """Return which recording each video of an index is of; those of one recording are no independent tests.

    As a rule it is the class's group, as UCF-101 numbers groups anew in each class. Of segments it is the
    group alone: one file may show several classes.
    """
    if "recording" in index:
        return index["recording"].tolist()
    return [f"{name}/{group}" for name, group in zip(index["class"], index["group"], strict=True)]


def part(index: pd.DataFrame, split: int | None, name: str) -> pd.DataFrame:
    """Return the rows of a split's part (`train` or `test`), or all rows where split is None."""
    if split is None:
        return index
    column = f"split{split}"
    if column not in index:
        raise UserError(f"the index has no {column}")
    return index[index[column] == name]

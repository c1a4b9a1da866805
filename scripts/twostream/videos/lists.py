"""A user's own list of videos: a CSV, as spreadsheets and other systems write it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from twostream.files import UserError

PARTS = {"train", "test", "none"}
# How files begin that are not UTF-8, or have a mark before it.
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def from_list(file: Path, splits: int, folder: Path | None = None) -> pd.DataFrame:
    """Return file, class, group and parts from a user's CSV.

    Its columns are `file`, `class`, `group` and `split1`, `split2`, ... (or `split` for the only one) with
    `train`, `test` or `none`, separated by commas, semicolons or tabs, in UTF-8 or UTF-16. A file is named
    relative to the dataset's folder; with `folder`, also by its whole path below it. Raises UserError that
    names the list and what is wrong.
    """
    table = read_list(file, ["file", "class", "group"], splits)
    table["file"] = [relative(name, folder) if name else "" for name in table["file"]]
    if table["file"].duplicated().any():
        raise UserError(f"{file}: lists {table['file'][table['file'].duplicated()].iloc[0]} twice")
    return table


def read_list(
    file: Path,
    needed: Sequence[str],
    splits: int,
    optional: Sequence[str] = (),
    other_names: Mapping[str, str] | None = None,
    other_parts: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the columns `needed`, `optional` ones that are there, and `split1`, ... of a user's CSV.

    All are texts, without blanks around. `split` stands for the only split; `other_names` are those that a
    column may have instead, and `other_parts` those that a part may have instead of train, test and none.
    Raises UserError if a column is missing or there twice, or a split holds no name of a part.
    """
    table = _read(file).rename(columns={"split": "split1", **(other_names or {})})
    if twice := sorted(set(table.columns[table.columns.duplicated()])):
        raise UserError(f"{file}: has the column {twice[0]} twice, perhaps by another name of it")
    splits_here = [f"split{s}" for s in range(1, splits + 1)]
    columns = [*needed, *(column for column in optional if column in table), *splits_here]
    missing = [column for column in columns if column not in table]
    if missing:
        raise UserError(f"{file}: lacks the column {', '.join(missing)}; it has {', '.join(table.columns)}")
    for column in columns:
        table[column] = table[column].str.strip()
    for column in splits_here:
        table[column] = table[column].str.lower().replace(dict(other_parts or {}))
        wrong = sorted(set(table[column]) - PARTS)
        if wrong:
            raise UserError(f"{file}: {column} holds {wrong[0]!r}; it is train, test or none")
    return table[columns]


def _read(file: Path) -> pd.DataFrame:
    try:
        start = file.read_bytes()[:3]
        encoding = next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")
        head = file.read_text(encoding).partition("\n")[0]
        separator = max(",;\t", key=head.count)
        return pd.read_csv(
            file, sep=separator, encoding=encoding, dtype=str, keep_default_na=False, skipinitialspace=True
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as CSV in UTF-8 or UTF-16: {error}") from None


def relative(name: str, folder: Path | None) -> str:
    """Return a file's name as the index has it: the same for each spelling of its path."""
    path = PurePosixPath(os.path.normpath(name))
    if folder and path.is_absolute():
        for root in (Path(os.path.normpath(folder.absolute())), folder.resolve()):
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
    return path.as_posix()

"""A user's own list of videos: a CSV, as spreadsheets and other systems write it."""

import csv
import os
import unicodedata
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path, PurePosixPath

import pandas as pd

from twostream.files import UserError

PARTS = {"train", "test", "none"}
# Columns that hold something on each line.
TEXTS = ("file", "class", "group")
# How files begin that are not UTF-8, or have a mark before it.
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
# What some spreadsheets write before the header to say which separator they use.
SEPARATOR_MARK = "sep="


def from_list(file: Path, splits: int, folder: Path | None = None) -> pd.DataFrame:
    """Return file, class, group and parts from a user's CSV.

    Its columns are `file`, `class`, `group` and `split1`, `split2`, ... (or `split` for the only one) with
    `train`, `test` or `none`, separated by commas, semicolons or tabs, in UTF-8 or UTF-16. A file is named
    relative to the dataset's folder; with `folder`, also by its whole path below it, with backslashes, or in
    another form of Unicode than its name has there. Raises UserError that names the list, the line and what
    is wrong.
    """
    table = read_list(file, ["file", "class", "group"], splits)
    table["file"] = [relative(name, folder) for name in table["file"]]
    if table["file"].duplicated().any():
        raise UserError(f"{file}: lists {table['file'][table['file'].duplicated()].iloc[0]} twice")
    return table.reset_index(drop=True)


def read_list(
    file: Path,
    needed: Sequence[str],
    splits: int,
    optional: Sequence[str] = (),
    other_names: Mapping[str, str] | None = None,
    other_parts: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Return the columns `needed`, `optional` ones that are there, and `split1`, ... of a user's CSV.

    All are texts, without blanks around, by line of the file. `split` stands for the only split;
    `other_names` are those that a column may have instead, and `other_parts` those that a part may have
    instead of train, test and none. Raises UserError that names the line of a text that is missing or cannot
    be seen, or of a split that holds no name of a part; or the column that is missing or there twice.
    """
    splits_named = [f"split{s}" for s in range(1, splits + 1)]
    table = _read(file, [*needed, *splits_named], optional, {"split": "split1", **(other_names or {})})
    for column in (name for name in TEXTS if name in table):
        for line, cell in table[column].items():
            if not cell:
                raise UserError(f"{file}: line {line}: has no {column}")
            if not _is_plain(cell):
                said = f"{column} holds {cell!r}; take out what cannot be seen in it"
                raise UserError(f"{file}: line {line}: {said}")
    for column in splits_named:
        table[column] = table[column].str.lower().replace(dict(other_parts or {}))
        wrong = table[column][~table[column].isin(PARTS)]
        if len(wrong):
            said = f"{column} holds {wrong.iloc[0]!r}; it is train, test or none"
            raise UserError(f"{file}: line {wrong.index[0]}: {said}")
    return table


def _read(
    file: Path, needed: Sequence[str], optional: Sequence[str], names: Mapping[str, str]
) -> pd.DataFrame:
    """The cells of a list's columns, by line of the file, without blanks around them."""
    text = _text(file)
    first = text.partition("\n")[0].strip()
    if first.lower().startswith(SEPARATOR_MARK):
        separator, text = first[len(SEPARATOR_MARK) :][:1] or ",", text.partition("\n")[2]
    else:
        separator = max(",;\t", key=first.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    rows: dict[int, list[str]] = {}
    try:
        for cells in reader:
            if any(stripped := [cell.strip() for cell in cells]):
                rows[reader.line_num] = stripped
    except csv.Error as error:
        raise UserError(f"{file}: line {reader.line_num}: is not CSV: {error}") from None
    return _table(file, rows, needed, optional, names)


def _table(
    file: Path,
    rows: dict[int, list[str]],
    needed: Sequence[str],
    optional: Sequence[str],
    names: Mapping[str, str],
) -> pd.DataFrame:
    if not rows:
        raise UserError(f"{file}: is empty")
    header = [name.lower() for name in rows.pop(min(rows))]
    header = [names.get(name, name) for name in header]
    columns = [*needed, *(column for column in optional if column in header)]
    if missing := [column for column in needed if column not in header]:
        raise UserError(f"{file}: lacks the column {', '.join(missing)}; it has {', '.join(header)}")
    if repeated := [column for column in columns if header.count(column) > 1]:
        raise UserError(f"{file}: has the column {repeated[0]} twice, perhaps by another name of it")
    for line, cells in rows.items():
        # Spreadsheets leave empty cells at the end.
        if len(cells) < len(header) or any(cells[len(header) :]):
            raise UserError(f"{file}: line {line}: has {len(cells)} cells, and the header {len(header)}")
    places = [header.index(column) for column in columns]
    cells_of = [[cells[place] for place in places] for cells in rows.values()]
    return pd.DataFrame(cells_of, columns=columns, index=list(rows), dtype=str)


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
        encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
        text = content.decode(encoding).lstrip()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"{file}: cannot be read as CSV in UTF-8 or UTF-16: {error}") from None
    if "\0" in text:
        raise UserError(f"{file}: holds zero bytes; write it anew as CSV in UTF-8")
    return text


def _is_plain(cell: str) -> bool:
    """Whether a cell has no line breaks, nor anything that cannot be seen."""
    return all(char.isprintable() or unicodedata.category(char) == "Zs" for char in cell)


def relative(name: str, folder: Path | None) -> str:
    """Return a file's name as the index has it: the same for each spelling of its path."""
    path = PurePosixPath(os.path.normpath(name))
    if folder is None:
        return path.as_posix()
    if path.is_absolute():
        behind_links = PurePosixPath(Path(path).parent.resolve(), path.name)
        for place in (path, behind_links):
            for root in (Path(os.path.normpath(folder.absolute())), folder.resolve()):
                if place.is_relative_to(root):
                    return _as_there(place.relative_to(root).as_posix(), folder)
    return _as_there(path.as_posix(), folder)


def _as_there(name: str, folder: Path) -> str:
    """A name as the file itself has it, if that is there under another spelling alone."""
    spellings = [name, os.path.normpath(name.replace("\\", "/"))]
    forms = [unicodedata.normalize(form, spelling) for form in ("NFC", "NFD") for spelling in spellings]
    return next((spelling for spelling in [*spellings, *forms] if os.path.lexists(folder / spelling)), name)

"""A subset of an official dataset: a CSV that lists some of its videos, each by name and SHA-256.

Its columns are `file` (as the official lists name it, `<class>/<name>`) and `sha256`; and, where it is to
do without the official lists, what these say of each video: `class`, `group`, `split1`, `split2`, `split3`.
"""

import csv
import re
from collections import Counter

from twostream.config.sources import OFFICIAL_SPLITS
from twostream.files import UserError
from twostream.provenance.digest import digest

NEEDED = ("file", "sha256")
FACTS = ("class", "group", *(f"split{split}" for split in range(1, OFFICIAL_SPLITS + 1)))
PARTS = {"train", "test", "none"}
SHA256 = re.compile(r"[0-9a-f]{64}")


def read_subset(file: str) -> list[dict[str, str]]:
    """Return a subset's videos, sorted by file, each with the columns that the CSV has.

    Raises UserError, which names the CSV and the line, if it is missing, lacks a column or has one that is
    unknown, or if a value is none that there can be or a video is listed twice.
    """
    try:
        with open(file, encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: the subset cannot be read: {error}") from None
    if missing := [column for column in NEEDED if column not in columns]:
        raise UserError(f"{file}: lacks the column {' and '.join(missing)}")
    if unknown := [column for column in columns if column not in (*NEEDED, *FACTS)]:
        raise UserError(f"{file}: has a column {unknown[0]!r}; there are {', '.join((*NEEDED, *FACTS))}")
    if not rows:
        raise UserError(f"{file}: lists no video")
    for number, row in enumerate(rows, 2):
        if problem := _problem(row):
            raise UserError(f"{file}: line {number}: {problem}")
    names = Counter(row["file"].rpartition("/")[2].casefold() for row in rows)
    if twice := [name for name, count in names.items() if count > 1]:
        raise UserError(f"{file}: lists {twice[0]} twice")
    return sorted(rows, key=lambda row: row["file"])


def _problem(row: dict[str, str]) -> str:
    """What is wrong with a row; nothing if it may be right."""
    if None in row or None in row.values():
        return "has another number of values than there are columns"
    class_name, _, name = row["file"].rpartition("/")
    if not class_name or not name or "/" in class_name:
        return f"{row['file']!r} is not <class>/<name>, as the official lists name a video"
    if not SHA256.fullmatch(row["sha256"]):
        return f"{row['sha256']!r} is no SHA-256, of 64 digits from 0 to f"
    if row.get("class", class_name) != class_name:
        return f"the class is {row['class']!r}, and the video lies in {class_name}"
    if row.get("group") == "":
        return "has no group"
    wrong = [row[column] for column in FACTS[2:] if column in row and row[column] not in PARTS]
    return f"{wrong[0]!r} is none of train, test and none" if wrong else ""


def subset_digest(file: str) -> str:
    """Return a digest of what a subset lists; the order of its lines and columns does not count."""
    return digest(read_subset(file))

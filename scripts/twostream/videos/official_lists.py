"""The official splits of UCF-101 and HMDB-51, read from the lists that their authors publish.

Each reader returns a table like `index.from_list`: `file` (as listed, `<class>/<name>`), `class`,
`group`, `split1`, `split2`, `split3` (`train`, `test` or `none`), sorted by file. The numbers that
UCF-101 gives its classes are checked and then left behind: labels number the classes in alphabetical
order, as everywhere in this project, and there HammerThrow comes before Hammering.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

import pandas as pd

from twostream.files import UserError, some
from twostream.videos.class_folders import GROUP
from twostream.videos.listing import find_videos

PARTS = ("train", "test")
HMDB_PARTS = {"0": "none", "1": "train", "2": "test"}
HMDB_LIST = re.compile(r"(.+)_test_split([0-9])\.txt")
# What each name in HMDB-51 ends in: visible body parts (head, upper, full, lower), camera motion, number
# of people, viewpoint, quality, number of the clip.
HMDB_SUFFIX = re.compile(r"_[hufl]_(cm|nm)_np\d+_(fr|ba|le|ri)_(goo|med|bad)_\d+\.avi$")


@dataclass(frozen=True)
class Counts:
    """What the lists hold in all, and in the train and test part of each split."""

    classes: int
    videos: int
    splits: tuple[tuple[int, int], ...]


UCF101 = Counts(classes=101, videos=13_320, splits=((9_537, 3_783), (9_586, 3_734), (9_624, 3_696)))
HMDB51 = Counts(classes=51, videos=6_766, splits=((3_570, 1_530),) * 3)


def read_ucf101(folder: Path, counts: Counts = UCF101) -> pd.DataFrame:
    """Return the table of UCF-101 from `classInd.txt`, `trainlist0<n>.txt` and `testlist0<n>.txt`.

    They may lie at any depth below `folder`. The group is the number after `_g` in a video's name: the
    clips of one group of a class were cut from one recording.

    Raises UserError if a list is missing or has a line that is not understood, or if classes, videos or
    parts are not as many as in `counts`; it names up to ten that are missing or too many.
    """
    numbers = _ucf_classes(_only(folder, "classInd.txt"))
    lines = [
        _ucf_line(where, words, split, part, numbers)
        for split in range(1, len(counts.splits) + 1)
        for part in PARTS
        for where, words in _lines(_only(folder, f"{part}list{split:02d}.txt"))
    ]
    return _table(folder, lines, list(numbers), counts)


def read_hmdb51(folder: Path, counts: Counts = HMDB51) -> pd.DataFrame:
    """Return the table of HMDB-51 from its lists, `<class>_test_split<n>.txt`.

    They may lie at any depth below `folder`. They give no groups: a group here is a class's clips of one
    source video, which share their name up to the annotations that it ends in. So
    `Glory_run_f_cm_np1_ba_med_3.avi` is of the group `Glory_run`. The official splits keep to the same
    groups: in none of the three has one clips both in train and in test (read off the 153 lists).

    Raises UserError as `read_ucf101` does.
    """
    lines = []
    for path in sorted(folder.rglob("*_test_split[0-9].txt")):
        if match := HMDB_LIST.fullmatch(path.name):
            class_name, split = match[1], int(match[2])
            lines += [_hmdb_line(where, words, split, class_name) for where, words in _lines(path)]
    return _table(folder, lines, sorted({line.class_name for line in lines}), counts)


def locate(table: pd.DataFrame, folder: Path) -> pd.Series:
    """Return the place of each listed video below `folder`, relative to it.

    A listed video is found by its name alone, at any depth: the archives put the class folders at
    different depths, or have none. Upper and lower case count as the same, because UCF-101 writes both
    HandstandPushups and HandStandPushups. Videos that are not listed are passed over.

    Raises UserError that names up to ten of the videos that are missing, or there more than once.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; unpack the videos into it")
    places = _places(table, folder)
    if missing := _without_place(table, places):
        raise UserError(
            f"{folder}: lacks {len(missing):,} of the {len(table):,} listed videos: {some(missing)}. "
            "Unpack the archive of the videos again, the whole of it."
        )
    twice = [" = ".join(paths) for paths in places if len(paths) > 1]
    if twice:
        raise UserError(f"{folder}: keep one of the videos of the same name: {some(twice)}")
    return pd.Series([paths[0] for paths in places], table.index)


def are_there(table: pd.DataFrame, folder: Path) -> bool:
    """Return whether all listed videos lie below `folder`."""
    return not _without_place(table, _places(table, folder))


def _places(table: pd.DataFrame, folder: Path) -> list[list[str]]:
    """Return for each listed video the files below `folder` that have its name."""
    found: dict[str, list[str]] = {}
    for file in find_videos(folder, "videos"):
        found.setdefault(name_key(file), []).append(file)
    return [found.get(name_key(file), []) for file in table["file"]]


def _without_place(table: pd.DataFrame, places: list[list[str]]) -> list[str]:
    return [file for file, paths in zip(table["file"], places, strict=True) if not paths]


def name_key(file: str) -> str:
    return PurePosixPath(file).name.casefold()


# --- Lines ---


@dataclass(frozen=True)
class _Line:
    """One line of a list: a video and its part in a split. `where` is the list and the line."""

    where: str
    split: int
    file: str
    class_name: str
    group: str
    part: str


def _only(folder: Path, name: str) -> Path:
    paths = sorted(folder.rglob(name))
    if len(paths) != 1:
        raise UserError(f"{folder}: holds {len(paths)} lists named {name}, and should hold one")
    return paths[0]


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield where each line that is not blank stands, and its words."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}; unpack the official lists again") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.split():
            yield f"{path}: line {number}", words


def _ucf_classes(path: Path) -> dict[str, str]:
    """Return the number of each class."""
    numbers = {}
    for where, words in _lines(path):
        if len(words) != 2 or not words[0].isdigit():
            raise UserError(f"{where}: is not a number and a class: {' '.join(words)}")
        numbers[words[1]] = words[0]
    return numbers


def _ucf_line(where: str, words: list[str], split: int, part: str, numbers: dict[str, str]) -> _Line:
    file = words[0]
    class_name = file.partition("/")[0]
    group = GROUP.search(file)
    number = numbers.get(class_name)
    # The lists of test videos leave the class's number out.
    if not group or number is None or words[1:] != ([number] if part == "train" else []):
        raise UserError(f"{where}: does not fit UCF-101 and its classInd.txt: {' '.join(words)}")
    return _Line(where, split, file, class_name, group[1], part)


def _hmdb_line(where: str, words: list[str], split: int, class_name: str) -> _Line:
    suffix = HMDB_SUFFIX.search(words[0])
    if not suffix or len(words) != 2 or words[1] not in HMDB_PARTS:
        raise UserError(f"{where}: is not a video of HMDB-51 and 0, 1 or 2: {' '.join(words)}")
    group = words[0][: suffix.start()]
    return _Line(where, split, f"{class_name}/{words[0]}", class_name, group, HMDB_PARTS[words[1]])


# --- The table and its check ---


def _table(folder: Path, lines: list[_Line], classes: list[str], counts: Counts) -> pd.DataFrame:
    """Return one row a video; raise UserError that says all that is not as in `counts`."""
    if not lines:
        raise UserError(f"{folder}: holds no official lists; unpack them into it")
    listed = pd.DataFrame([asdict(line) for line in lines]).rename(columns={"class_name": "class"})
    again = listed.duplicated(["file", "split"])
    parts = listed[~again].pivot(index=["file", "class", "group"], columns="split", values="part")
    parts = parts.reindex(columns=range(1, len(counts.splits) + 1)).rename(columns="split{}".format)
    table = parts.rename_axis(columns=None).reset_index().sort_values("file", ignore_index=True)
    problems = [f"listed twice in a split: {some(listed['where'][again])}"] if again.any() else []
    problems += _miscounted(table, classes, counts)
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems)
        raise UserError(f"{folder}: these are not the official lists; unpack them again:\n{shown}")
    return table


def _miscounted(table: pd.DataFrame, classes: list[str], counts: Counts) -> Iterator[str]:
    """Yield what differs from `counts`, with names where the lists themselves give them away."""
    if len(classes) != counts.classes:
        yield f"{len(classes):,} classes, not {counts.classes:,}"
    if empty := set(classes) - set(table["class"]):
        yield f"classes without a video: {some(empty)}"
    if len(table) != counts.videos:
        yield f"{len(table):,} videos, not {counts.videos:,}"
    for split, expected in enumerate(counts.splits, start=1):
        column = table[f"split{split}"]
        for part, count in zip(PARTS, expected, strict=True):
            if (found := (column == part).sum()) != count:
                yield f"split {split}: {found:,} {part} videos, not {count:,}"
        if column.isna().any():
            yield f"split {split}: lacks what other splits list: {some(table['file'][column.isna()])}"

"""The layout of the pipeline's picture: where boxes stand, what they say, and which arrows join them."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean

from twostream.files import UserError


@dataclass(frozen=True)
class Box:
    """A rule, or several that are drawn as one; what it makes lies in `folder`.

    `made_from` are the names of other boxes. `jobs` is zero for what is made only if it is asked for.
    """

    name: str
    rules: tuple[str, ...]
    folder: str
    jobs: int
    made_from: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where a box stands, in px; `lines` are its text below its name."""

    left: float
    top: float
    width: float
    height: float
    lines: list[str]

    @property
    def middle(self) -> float:
        """The middle from left to right."""
        return self.left + self.width / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height


# From top to bottom: a row's title, and the folders of what its boxes make.
ROWS = {
    "Videos": ["data/videos"],
    "Frames, flow": ["data/frames", "data/flow"],
    "Networks": ["models"],
    "Scores": ["scores"],
    "Fusion": ["scores/fused"],
    "Tables, claims, figures": ["results", "figures"],
    "Report": ["report"],
}

WIDTH, EDGE = 900, 12
# The column of the rows' titles, and the height of the picture's own.
TITLES, HEAD, FOOT = 106, 36, 34
# Between rows, between boxes, and from a row's edge to its boxes.
ROW_GAP, GAP, PADDING = 26, 16, 10
WIDEST = 240
# The heights of a line of small print and of a name, and what stays free beside them.
LINE, NAME, SIDE = 16, 22, 9
# The widths of a letter of small print (12 px) and of a name (14 px).
LETTER, NAME_LETTER = 6.3, 8.45
# Between the ends of arrows at one box.
APART = 18


def in_rows(boxes: Sequence[Box]) -> dict[str, list[Box]]:
    """Return the boxes of each row, from left to right."""
    rows: dict[str, list[Box]] = {title: [] for title in ROWS}
    for box in boxes:
        rows[_row_of(box)].append(box)
    # Below what they are made from, as far as can be; what has no arrow comes last.
    at: dict[str, float] = {}
    for row in rows.values():
        row.sort(key=lambda box: _mean_place(box, at))
        at |= {box.name: (number + 0.5) / len(row) for number, box in enumerate(row)}
    return {title: row for title, row in rows.items() if row}


def _mean_place(box: Box, at: Mapping[str, float]) -> float:
    above = [at[name] for name in box.made_from if name in at]
    return fmean(above) if above else 1.0


def _row_of(box: Box) -> str:
    """Return the title of the row whose folders hold what a box makes, the closest of them."""
    folder = PurePosixPath(box.folder)
    for closest in (folder, *folder.parents):
        for title, folders in ROWS.items():
            if str(closest) in folders:
                return title
    raise UserError(f"{box.folder}: no row of the picture of the pipeline has this folder; add it to ROWS")


def places_of(rows: Mapping[str, Sequence[Box]]) -> dict[str, Place]:
    """Return where each box stands, by its name."""
    places: dict[str, Place] = {}
    words = {box.name: _word(box) for row in rows.values() for box in row}
    top = float(HEAD)
    for row in rows.values():
        widths = _widths(row)
        lines = [_lines(box, width, words) for box, width in zip(row, widths, strict=True)]
        height = NAME + LINE * max(map(len, lines)) + PADDING
        left = _left(row, sum(widths) + GAP * (len(row) - 1), places)
        for box, width, text in zip(row, widths, lines, strict=True):
            places[box.name] = Place(left, top + PADDING, width, height, text)
            left += width + GAP
        top += height + 2 * PADDING + ROW_GAP
    return places


def _widths(row: Sequence[Box]) -> list[float]:
    """Equal widths, where all names fit; else what names take, and boxes of several rules get the rest."""
    several = [len(box.rules) > 1 for box in row]
    names = [NAME_LETTER * len(name_of(box)) + 2 * SIDE for box in row]
    room = WIDTH - TITLES - 2 * EDGE - 2 * PADDING - GAP * (len(row) - 1)
    equal = min(room / (len(row) + sum(several)), WIDEST)
    if max(names) <= equal:
        return [equal * (1 + more) for more in several]
    rest = (room - sum(names)) / max(sum(several), 1)
    return [name + rest * more for name, more in zip(names, several, strict=True)]


def _left(row: Sequence[Box], width: float, places: Mapping[str, Place]) -> float:
    """Where a row's boxes begin: in the middle, but a single box is below what it is made from."""
    first, last = TITLES + EDGE + PADDING, WIDTH - EDGE - PADDING
    above = [places[name].middle for name in row[0].made_from if name in places]
    middle = fmean(above) if len(row) == 1 and above else (first + last) / 2
    return min(max(middle - width / 2, first), last - width)


def _word(box: Box) -> str:
    """What a box makes, in a word: that of its folder."""
    return box.folder.removeprefix("data/").partition("/")[0]


def _lines(box: Box, width: float, words: Mapping[str, str]) -> list[str]:
    read = dict.fromkeys(words[name] for name in box.made_from)
    said = [
        _others(box),
        _jobs(box.jobs),
        f"reads {', '.join(read)}" if read else "",
    ]
    return [line for text in said for line in _wrapped(text, width)]


def _wrapped(text: str, width: float) -> list[str]:
    return textwrap.wrap(text, int((width - 2 * SIDE) / LETTER), break_long_words=False)


def _others(box: Box) -> str:
    """The rules of a box but the one that it is called by, or what they add to the name that they share."""
    shared, all_of_them, _ = box.name.partition("*")
    shown = shared if all_of_them else ""
    others = ", ".join(rule.removeprefix(shown) for rule in box.rules if rule != name_of(box))
    return f"or {others}" if others and not all_of_them else others


def name_of(box: Box) -> str:
    """What a box is called by: what its rules have in common, or else the first."""
    return box.name if "*" in box.name else box.rules[0]


def _jobs(jobs: int) -> str:
    return "if asked for" if not jobs else f"{jobs} job{'s' * (jobs > 1)}"


def arrows_of(
    rows: Mapping[str, Sequence[Box]], places: Mapping[str, Place]
) -> dict[tuple[str, str], tuple[float, float]]:
    """Return the arrows, from box to box, each with how far from their middles it begins and ends (px)."""
    drawn = _drawn(rows)
    shifts: dict[tuple[str, str], list[float]] = {ends: [0.0, 0.0] for ends in drawn}
    for side in (0, 1):
        for name in places:
            own = [ends for ends in drawn if ends[side] == name and places[ends[0]].top < places[ends[1]].top]
            own.sort(key=lambda ends: places[ends[1 - side]].middle)
            for number, ends in enumerate(own):
                shifts[ends][side] = APART * (number - (len(own) - 1) / 2)
    return {ends: (start, end) for ends, (start, end) in shifts.items()}


def _drawn(rows: Mapping[str, Sequence[Box]]) -> list[tuple[str, str]]:
    """Return the arrows: those in a row and to the next, and farther ones where no other way leads there."""
    number = {box.name: place for place, row in enumerate(rows.values()) for box in row}
    made_from = {
        box.name: [n for n in box.made_from if n != box.name] for row in rows.values() for box in row
    }

    def upstream(name: str) -> set[str]:
        return set(made_from[name]).union(*(upstream(source) for source in made_from[name]))

    return [
        (source, name)
        for name, sources in made_from.items()
        for source in sources
        if number[name] - number[source] <= 1 or not any(source in upstream(other) for other in sources)
    ]

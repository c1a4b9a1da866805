"""A picture of what the method does: of test videos a frame, its flow, and what streams and fusion said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twostream.extraction.store import Store
from twostream.figures.sheet import (
    BLACK,
    BLUE,
    GRAY,
    LIGHT,
    MARGIN,
    Heading,
    panel,
    sheet,
    text_width,
    write,
)
from twostream.flow.colour import colour_coded
from twostream.scores.fusion import matched
from twostream.scores.score_file import Scores

TOP = 3
# What rows show, by whether the spatial stream, the temporal one and the fusion are right.
KINDS = {
    "Only the fusion is right": (False, False, True),
    "The temporal stream and the fusion are right": (False, True, True),
    "The spatial stream and the fusion are right": (True, False, True),
}
SYSTEMS = ("spatial", "temporal", "fusion")
HEADS = ("Frame", "Optical flow", "Spatial stream", "Temporal stream", "Fusion")

# Larger than in other figures, as documents show it smaller than it is.
TEXT = 10
# Inches: a line of text, a picture's height, a column of bars without its names, between columns and rows.
LINE, HEIGHT, BARS, GAP, ROW_GAP = 0.21, 1.1, 0.95, 0.14, 0.14
HEAD, ABOUT = 0.32, LINE + 0.07
# Beside the longest bar there is room for its number, in this share of the bar's length.
NUMBER = 0.75
WRONG = "#B5BDC6"


@dataclass(frozen=True)
class Answer:
    """A test video, its class, and of each of SYSTEMS the highest scores, the best first, with their classes.

    `kind` is one of KINDS, of which there are `alike` among `tested` videos.
    """

    kind: str
    alike: int
    tested: int
    video: str
    actual: str
    top: dict[str, list[tuple[str, float]]]


def answers(scores: Mapping[str, Scores]) -> list[Answer]:
    """Return of each of KINDS that there is the first video, of another class than those before if one is.

    `scores` are test parts, by SYSTEMS. Raises UserError if they are not of the same videos.
    """
    shown = scores["fusion"]
    own = [matched(shown, scores[system]) for system in SYSTEMS]
    right = np.stack([found.right() > 0 for found in own], axis=1)
    found: list[Answer] = []
    for kind, expected in KINDS.items():
        alike = np.flatnonzero((right == expected).all(axis=1)).tolist()
        seen = [answer.actual for answer in found]
        fresh = [row for row in alike if shown.classes[shown.labels[row]] not in seen]
        if alike:
            found.append(_answer(kind, len(alike), own, (fresh or alike)[0]))
    return found


def _answer(kind: str, alike: int, own: Sequence[Scores], row: int) -> Answer:
    classes = own[0].classes.tolist()
    top = {
        # Of equal scores the first class counts, as in all accuracies.
        system: [
            (classes[n], float(s.scores[row, n])) for n in np.argsort(-s.scores[row], kind="stable")[:TOP]
        ]
        for system, s in zip(SYSTEMS, own, strict=True)
    }
    return Answer(kind, alike, len(own[0].videos), str(own[0].videos[row]), classes[own[0].labels[row]], top)


@dataclass(frozen=True)
class Shot:
    """A frame and the colour-coded field from it to the next, RGB, uint8 [height, width, 3]."""

    frame: np.ndarray
    field: np.ndarray


def shots(videos: Sequence[str], frames: Store, fields: Store) -> Iterator[Shot]:
    """Yield each video's middle frame and field; raise UserError if a shard is damaged or lacks a video."""
    for video in videos:
        middle = fields.length(video) // 2
        frame = frames.read(video, [min(middle, frames.length(video) - 1)]).images[0].transpose(1, 2, 0)
        field = fields.read(video, [middle]).displacement()[0].transpose(1, 2, 0)
        yield Shot(frame, colour_coded(field)[..., ::-1])


def draw_said(title: str, notes: Sequence[str], found: Sequence[Answer], pictures: Sequence[Shot]) -> Figure:
    """Return a row for each video: frame, flow, and for each system a bar for each of its highest scores."""
    names = text_width((name for a in found for top in a.top.values() for name, _ in top), TEXT) + 0.08
    longest = max(score for a in found for top in a.top.values() for _, score in top)
    lefts, width = _columns(names, max(HEIGHT * p.frame.shape[1] / p.frame.shape[0] for p in pictures))
    heading, row = Heading(title, []), ABOUT + HEIGHT + ROW_GAP
    top = heading.height + LINE * len(notes) + 0.05
    figure = sheet(width, top - heading.height + HEAD + len(found) * row, heading)
    for number, note in enumerate(notes):
        write(figure, MARGIN, heading.height - 0.05 + LINE * number, note, TEXT, GRAY)
    for column, (left, head) in enumerate(zip(lefts, HEADS, strict=True)):
        write(figure, left + names * (column > 1), top, head, TEXT + 1)
    for number, (answer, shot) in enumerate(zip(found, pictures, strict=True)):
        below = top + HEAD + number * row
        _pictures(figure, below, answer, shot, lefts)
        for system, left in zip(SYSTEMS, lefts[2:], strict=True):
            axes = panel(figure, left + names, below + ABOUT, BARS, HEIGHT)
            _bars(axes, answer.top[system], answer.actual, longest)
    return figure


def _columns(names: float, picture: float) -> tuple[list[float], float]:
    """Return where columns begin, and the whole width, in inches."""
    widths = [picture, picture, *(names + BARS for _ in SYSTEMS)]
    lefts = [MARGIN + sum(widths[:n]) + n * GAP for n in range(len(widths))]
    return lefts, lefts[-1] + widths[-1] + MARGIN


def _pictures(figure: Figure, top: float, answer: Answer, shot: Shot, lefts: Sequence[float]) -> None:
    video = PurePosixPath(answer.video).name
    about = f"{answer.kind}, as for {answer.alike} of {answer.tested} test videos: {video}"
    write(figure, MARGIN, top + 0.03, about, TEXT, GRAY)
    for picture, left in zip((shot.frame, shot.field), lefts, strict=False):
        width = HEIGHT * picture.shape[1] / picture.shape[0]
        axes = panel(figure, left, top + ABOUT, width, HEIGHT)
        axes.imshow(picture, aspect="auto", interpolation="bicubic")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color(LIGHT)


def _bars(axes: Axes, top: Sequence[tuple[str, float]], actual: str, longest: float) -> None:
    """Draw the highest scores, the right class's in blue, and a tick where it is the highest."""
    places = range(len(top))
    colours = [BLUE if name == actual else WRONG for name, _ in top]
    axes.barh(places, [score for _, score in top], height=0.62, color=colours)
    for place, (name, score) in enumerate(top):
        tick = " ✓" if name == actual and not place else ""
        colour = BLUE if name == actual else GRAY
        axes.text(
            score + 0.05 * longest,
            place,
            f"{100 * score:.0f}%{tick}",
            va="center",
            color=colour,
            fontsize=TEXT,
        )
    axes.set(xlim=(0, (1 + NUMBER) * longest), ylim=(len(top) - 0.5, -0.5), xticks=[])
    axes.set_yticks(places, [name for name, _ in top], parse_math=False)
    axes.tick_params(length=0, pad=4, labelsize=TEXT)
    for label, (name, _) in zip(axes.get_yticklabels(), top, strict=True):
        label.set_color(BLUE if name == actual else BLACK)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.spines["left"].set_color(LIGHT)

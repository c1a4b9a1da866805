"""What all figures share: sheets measured in inches, and PNG files with equal bytes for equal content."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from twostream.files import atomic_write

DPI = 150
MARGIN = 0.15
# From one line of a heading to the next, and from the title to the first.
LINE, TITLE = 0.17, 0.27
TITLE_POINTS = 11
POINTS = 8
SMALL_POINTS = 6.5

# Okabe and Ito's, which all kinds of colour vision tell apart.
BLUE, SKY, ORANGE, BLACK = "#0072B2", "#8CC8EC", "#D55E00", "#000000"
GRAY, LIGHT = "#555555", "#DDDDDD"


@dataclass(frozen=True)
class Heading:
    """What stands above a figure: its title, and below it lines in small print."""

    title: str
    notes: list[str]

    @property
    def width(self) -> float:
        """Inches from the sheet's left edge to its right one, margins included."""
        return 2 * MARGIN + max(text_width([self.title], TITLE_POINTS), text_width(self.notes, POINTS))

    @property
    def height(self) -> float:
        """Inches from the sheet's top edge to where the content begins."""
        return MARGIN + TITLE + LINE * len(self.notes) + 0.1


def text_width(lines: Iterable[str], points: float) -> float:
    """Return the width of the widest line in inches; nothing in it is read as mathematics."""
    font = FontProperties(size=points)
    widths = (text_to_path.get_text_width_height_descent(line, font, False)[0] for line in lines)
    # Drawn, letters keep to whole pixels, which takes a little more.
    return 1.03 * max(widths, default=0.0) / 72


def sheet(width: float, height: float, heading: Heading) -> Figure:
    """Return a figure with a heading and room below it for content of `width` x `height` inches.

    Content that is narrower than the heading gets white space on its right.
    """
    # Settings of the user's must not change the bytes.
    matplotlib.rcdefaults()
    matplotlib.rcParams.update({"font.size": POINTS, "axes.linewidth": 0.6})
    size = _whole(max(width, heading.width)), _whole(heading.height + height)
    figure = Figure(size, dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    write(figure, MARGIN, MARGIN, heading.title, TITLE_POINTS)
    for number, note in enumerate(heading.notes):
        write(figure, MARGIN, MARGIN + TITLE + LINE * number, note, POINTS, GRAY)
    return figure


def write(figure: Figure, left: float, top: float, text: str, points: float, colour: str = BLACK) -> None:
    """Write a line of text, `left` and `top` inches from the upper left corner of a sheet."""
    width, height = figure.get_size_inches()
    place = (left / width, 1 - top / height)
    figure.text(*place, text, fontsize=points, color=colour, va="top", parse_math=False)


def panel(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return axes, `left` and `top` inches from the upper left corner of a sheet; all in whole pixels."""
    across, down = figure.get_size_inches()
    left, top, width, height = (_whole(inches) for inches in (left, top, width, height))
    return figure.add_axes((left / across, (down - top - height) / down, width / across, height / down))


def _whole(inches: float) -> float:
    """Return a length of whole pixels, so that pictures whose pixels are squares stay so."""
    return round(inches * DPI) / DPI


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, whole or not at all; equal figures give equal bytes."""
    with atomic_write(path) as part:
        figure.savefig(part, format="png", metadata={"Software": None})

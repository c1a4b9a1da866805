"""The confusion matrix as a figure (the paper's figure 5)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from twostream.config.recipes import ConfusionFigureRecipe
from twostream.figures.confusion import confusion_matrix, shares
from twostream.figures.sheet import (
    DPI,
    LIGHT,
    MARGIN,
    POINTS,
    SMALL_POINTS,
    Heading,
    panel,
    sheet,
    text_width,
)
from twostream.scores.score_file import Scores

# Up to so many classes a cell has room for its number.
FEW_CLASSES = 20
COLOUR_BAR = 0.12
# The height of an axis's own label.
LABEL = 0.22
# By the square root, or one wrong video in twenty would not be seen.
SCALE, TICKS = PowerNorm(0.5, 0, 100), [0, 1, 5, 20, 50, 100]


def draw_confusion(recipe: ConfusionFigureRecipe, scores: Scores) -> Figure:
    """Return the confusion matrix of a test part: rows true classes, columns predicted ones, shares in %."""
    count = len(scores.classes)
    few = count <= FEW_CLASSES
    cell, points = (max(0.4, 2 / count), POINTS) if few else (0.145, SMALL_POINTS)
    names = text_width(scores.classes.tolist(), points) + 0.12
    side, left = cell * count, MARGIN + LABEL + names
    title = Heading(
        f"Confusion matrix of {recipe.run}",
        [
            f"{recipe.dataset}, split {recipe.split}: {len(scores.videos)} test videos,"
            f" accuracy {scores.accuracy():.1f}%"
        ],
    )
    figure = sheet(left + side + 0.85, side + names + LABEL + MARGIN, title)
    axes = panel(figure, left, title.height, side, side)
    percent = shares(confusion_matrix(scores))
    image = axes.imshow(percent, cmap="Blues", norm=SCALE, aspect="auto", interpolation="nearest")
    _label(axes, scores.classes.tolist(), points, names)
    if few:
        _number(axes, percent)
    bar = panel(figure, left + side + 0.2, title.height, COLOUR_BAR, min(side, 3.0))
    figure.colorbar(image, cax=bar, ticks=TICKS).set_label("% of the true class's videos, square-root scale")
    return figure


def _label(axes: Axes, names: list[str], points: float, room: float) -> None:
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=90, fontsize=points, parse_math=False)
    axes.set_yticks(ticks, names, fontsize=points, parse_math=False)
    axes.tick_params(length=2, width=0.5, pad=2)
    # Placed by measure, as labels that place themselves may leave the sheet.
    extent, away = axes.get_window_extent(), -(room + 0.08) * DPI
    axes.set_ylabel("True class")
    axes.yaxis.set_label_coords(away / extent.width, 0.5)
    axes.set_xlabel("Predicted class")
    axes.xaxis.set_label_coords(0.5, away / extent.height)
    axes.set_xticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(names)) - 0.5, minor=True)
    axes.grid(which="minor", color=LIGHT, linewidth=0.3)
    axes.tick_params(which="minor", length=0)


def _number(axes: Axes, percent: np.ndarray) -> None:
    for (row, column), share in np.ndenumerate(percent):
        if share > 0:
            colour = "white" if SCALE(share) > 0.6 else "black"
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=POINTS)

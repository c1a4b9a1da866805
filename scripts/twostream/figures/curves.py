"""Training curves of several models: one figure, and one table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from twostream.figures.sheet import (
    BLUE,
    DPI,
    GRAY,
    LIGHT,
    MARGIN,
    ORANGE,
    POINTS,
    SMALL_POINTS,
    Heading,
    panel,
    sheet,
    text_width,
)
from twostream.files import UserError

POINTS_A_MODEL = 100
# The moving mean takes in so much of a curve.
SMOOTHED_OVER = 0.1
# What may be drawn, one above the other: the axis's name, and the colour.
MEASURES = {"loss": ("Loss (nats)", BLUE), "accuracy": ("Accuracy (%)", ORANGE)}
ACROSS = 4
WIDTH, HEIGHT = 1.75, 0.75
LEFT, TITLE, NUMBERS = 0.35, 0.2, 0.34
# Between the panels of two models, and between those of one.
APART, GAP = 0.25, 0.1


def read_curve(path: str) -> pd.DataFrame:
    """Return a training curve (`trainer.Trained`); raise UserError if the file is none."""
    try:
        curve = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a training curve: {error}") from None
    missing = [column for column in ("iteration", "loss") if column not in curve]
    if missing:
        raise UserError(f"{path}: is not a training curve; it lacks the column {missing[0]}")
    wrong = [name for name in curve if not pd.api.types.is_numeric_dtype(curve[name])]
    if curve.empty or wrong or not curve["iteration"].is_monotonic_increasing:
        raise UserError(f"{path}: is not a training curve: no rows, words among its numbers, or out of order")
    return curve


def read_curves(models: Sequence[str], files: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return each model's curve; raise UserError unless there is a file for each model."""
    if len(models) != len(files) or len(set(models)) < len(models):
        raise UserError(f"--curves: {len(files)} files for {len(set(models))} models; give one for each")
    return {model: read_curve(file) for model, file in zip(models, files, strict=True)}


def thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Return at most 100 rows: means over windows of rows, each with its window's last iteration."""
    window = np.arange(len(curve)) * POINTS_A_MODEL // max(len(curve), POINTS_A_MODEL)
    windows = curve.groupby(window)
    return windows.mean().assign(iteration=windows["iteration"].last())


def all_curves(curves: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the thinned curves below one another, each row with its `model`, numbers with 4 decimals."""
    tables = [thinned(curve).round(4).assign(model=model) for model, curve in curves.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[["model", *table.columns.drop("model")]]


def draw_curves(curves: dict[str, pd.DataFrame]) -> Figure:
    """Return a panel for each model with its loss, and its accuracy where a curve has it.

    All losses have one scale. Iterations do not, as fine-tuning is much shorter than training from
    scratch.
    """
    measures = [name for name in MEASURES if any(name in curve for curve in curves.values())]
    width = max(WIDTH, text_width(curves, POINTS))
    across, down = min(ACROSS, len(curves)), -(-len(curves) // ACROSS)
    cell = TITLE + len(measures) * (HEIGHT + GAP) - GAP + NUMBERS
    heading = Heading("Training curves", _notes(measures))
    whole = MARGIN + LEFT + across * (width + APART)
    figure = sheet(whole, down * cell + MARGIN + 0.05, heading)
    highest = 1.05 * max(curve["loss"].max() for curve in curves.values())
    for number, (model, curve) in enumerate(curves.items()):
        row, column = divmod(number, across)
        left, top = MARGIN + LEFT + column * (width + APART), heading.height + row * cell
        drawn = _panels(figure, (left, top, width), model, curve, measures)
        for axes, measure in zip(drawn, measures, strict=True):
            if measure == "loss":
                axes.set_ylim(0, highest)
                axes.yaxis.set_major_locator(MaxNLocator(3))
            else:
                axes.set(ylim=(0, 100), yticks=[0, 50, 100])
            _outer_labels(axes, measure, column == 0, axes is drawn[-1], number + across >= len(curves))
    return figure


def _notes(measures: list[str]) -> list[str]:
    shown = " and ".join(measures)
    return [
        f"Mean {shown} of training batches: as recorded (light), and a moving mean over"
        f" {SMOOTHED_OVER:.0%} of the training (dark).",
        "Dotted: the learning rate drops. A multi-task loss is the sum of its tasks'.",
        "All panels share the vertical scales, not the horizontal one.",
    ]


def _panels(
    figure: Figure, place: tuple[float, float, float], model: str, curve: pd.DataFrame, measures: list[str]
) -> list[Axes]:
    """Draw a model's measures one above the other; `place` is left, top and width in inches."""
    left, top, width = place
    drawn = []
    for number, measure in enumerate(measures):
        axes = panel(figure, left, top + TITLE + number * (HEIGHT + GAP), width, HEIGHT)
        if measure in curve:
            _line(axes, curve, measure)
        drawn.append(axes)
    drawn[0].set_title(model, fontsize=POINTS, loc="left", pad=3, parse_math=False)
    return drawn


def _line(axes: Axes, curve: pd.DataFrame, measure: str) -> None:
    colour = MEASURES[measure][1]
    window = max(1, round(SMOOTHED_OVER * len(curve)))
    smooth = curve[measure].rolling(window, center=True, min_periods=1).mean()
    axes.plot(curve["iteration"], curve[measure], color=colour, linewidth=0.6, alpha=0.4)
    axes.plot(curve["iteration"], smooth, color=colour, linewidth=1.3)
    if "rate" in curve:
        for iteration in curve["iteration"][curve["rate"].diff() < 0]:
            axes.axvline(iteration, color=GRAY, linewidth=0.6, linestyle=":")
    axes.set_xlim(0, curve["iteration"].max())


def _outer_labels(axes: Axes, measure: str, first: bool, lowest: bool, last: bool) -> None:
    axes.grid(color=LIGHT, linewidth=0.4)
    axes.tick_params(labelsize=SMALL_POINTS, length=2, width=0.5, pad=2, labelbottom=lowest, labelleft=first)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.spines[["top", "right"]].set_visible(False)
    if first:
        axes.set_ylabel(MEASURES[measure][0], fontsize=SMALL_POINTS)
        axes.yaxis.set_label_coords(-0.3 * DPI / axes.get_window_extent().width, 0.5)
    if lowest and last:
        axes.set_xlabel("Iteration", fontsize=SMALL_POINTS, labelpad=2)

"""The recall of each class as a figure (the paper's figure 6), with what the streams make of it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twostream.config.recipes import RecallFigureRecipe
from twostream.figures.confusion import NONE, by_class
from twostream.figures.sheet import (
    BLACK,
    BLUE,
    DPI,
    LIGHT,
    MARGIN,
    ORANGE,
    POINTS,
    SKY,
    SMALL_POINTS,
    Heading,
    panel,
    sheet,
    text_width,
)
from twostream.scores.fusion import matched
from twostream.scores.score_file import Scores

COLUMNS = ["class", "videos", "recall", "confused_with"]
# The column of the paper's recalls; a table without such classes lacks it.
PAPER = "paper"
# Up to so many classes a row is as high as text of the usual size wants.
FEW_CLASSES = 30
WIDTH = 4.6
# The height of the legend and of the upper axis's numbers; the width that the legend needs, and more with
# the paper in it.
KEY, NARROWEST, WITH_PAPER = 0.48, 5.6, 6.65
# One for each stream, in the fusion's order.
MARKERS = (("o", ORANGE), ("D", BLACK))


def recall_table(
    fused: Scores, streams: dict[str, Scores], paper: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Return `confusion.by_class` of the fusion, highest recall first, with the streams' beside it.

    A stream's columns begin with its name and `_`. Where `paper` has the recall (%) of a class by its
    name, that is in the column `paper`, which else is not there. Classes of equal recall keep their order,
    and those without videos come last. Raises UserError if fusion and streams are not of the same videos.
    """
    table = by_class(fused)
    for name, scores in streams.items():
        own = by_class(matched(fused, scores)).drop(columns=["class", "videos"])
        table = table.join(own.add_prefix(f"{name}_"))
    published = table["class"].map(paper or {}).astype(float)
    if published.notna().any():
        table[PAPER] = published
    return table.sort_values("recall", ascending=False, kind="stable", ignore_index=True)


def written_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return what of a `recall_table` goes into the CSV beside the figure, recalls in % with 2 decimals."""
    streams = [f"{name}_{column}" for name in _streams(table) for column in COLUMNS[2:]]
    paper = [PAPER] if PAPER in table else []
    return table[COLUMNS + streams + paper].round(2)


def _streams(table: pd.DataFrame) -> list[str]:
    columns = table.columns.astype(str)
    return [column.removesuffix("_recall") for column in columns if column.endswith("_recall")]


def draw_recall(recipe: RecallFigureRecipe, table: pd.DataFrame) -> Figure:
    """Return bars of the recalls in a `recall_table`, the streams' own as markers beside them."""
    few = len(table) <= FEW_CLASSES
    row, points = (0.22, POINTS) if few else (0.14, SMALL_POINTS)
    title = Heading(f"Per-class recall of {recipe.fused}", _notes(recipe, table))
    left = MARGIN + text_width(table["class"], points) + 0.15
    height = row * len(table) + 0.1
    narrowest = WITH_PAPER if PAPER in table else NARROWEST
    figure = sheet(max(left + WIDTH + 0.3, narrowest), KEY + height + 0.5, title)
    axes = panel(figure, left, title.height + KEY, WIDTH, height)
    _bars(axes, table, points)
    _legend(figure, axes, title.height)
    return figure


def _legend(figure: Figure, axes: Axes, top: float) -> None:
    lines, names = axes.get_legend_handles_labels()
    figure.legend(
        # The bars first.
        [lines[-1], *lines[:-1]],
        [names[-1], *names[:-1]],
        loc="upper left",
        bbox_to_anchor=(MARGIN / figure.get_figwidth(), 1 - top / figure.get_figheight()),
        ncols=len(lines),
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        handlelength=1.5,
        handletextpad=0.5,
        columnspacing=1.5,
    )


def _notes(recipe: RecallFigureRecipe, table: pd.DataFrame) -> list[str]:
    # Classes without videos come last; of equals the first by the classes' order counts.
    worst = table.iloc[int(table["recall"].dropna().to_numpy().argmin())].to_dict()
    about = f"{recipe.dataset}, split {recipe.split}: {table['videos'].sum()} test videos"
    named = {"": f"fusion ({recipe.fused})"}
    named |= {f"{name}_": f"{name} stream ({run})" for name, run in recipe.streams.items()}
    lines = [f"    {name}: {_said(worst, prefix)}" for prefix, name in named.items()]
    if pd.notna(worst.get(PAPER)):
        lines.append(f"    the paper's final model: {worst[PAPER]:.1f}% right")
    return [about, f"Worst class: {worst['class']}, {_videos(worst['videos'])}", *lines]


def _said(row: dict[Any, Any], prefix: str) -> str:
    """Say how many of a class's videos are right, and what it is confused with most."""
    name, videos = row[f"{prefix}confused_with"], row[f"{prefix}confused_videos"]
    most = NONE if not videos else f"{name} ({_videos(videos)})"
    return f"{row[f'{prefix}recall']:.1f}% right; most often confused with: {most}"


def _videos(count: float) -> str:
    return f"{count:.0f} video{'' if count == 1 else 's'}"


def _bars(axes: Axes, table: pd.DataFrame, points: float) -> None:
    rows = range(len(table))
    axes.barh(rows, table["recall"].fillna(0), height=0.75, color=SKY, label="fusion")
    for name, (marker, colour) in zip(_streams(table), MARKERS, strict=True):
        axes.plot(
            table[f"{name}_recall"],
            rows,
            marker,
            markersize=3.5,
            color=colour,
            markerfacecolor="none",
            markeredgewidth=0.9,
            label=f"{name} stream",
            clip_on=False,
            zorder=3,
        )
    if PAPER in table:
        axes.plot(
            table[PAPER],
            rows,
            "|",
            markersize=0.75 * 72 * axes.get_window_extent().height / DPI / len(table),
            color=BLUE,
            markeredgewidth=1.6,
            label="the paper",
            clip_on=False,
            zorder=2,
        )
    mean = table["recall"].mean()
    axes.axvline(
        mean, color=BLACK, linewidth=0.9, linestyle="--", label=f"fusion's mean over classes, {mean:.1f}%"
    )
    axes.set_yticks(rows, table["class"], fontsize=points, parse_math=False)
    axes.set(xlim=(0, 100), ylim=(len(table) - 0.5 + 0.2, -0.5 - 0.2), xlabel="Recall (%)")
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labeltop=True, top=True, length=2, width=0.5)
    axes.grid(axis="x", color=LIGHT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["right"]].set_visible(False)

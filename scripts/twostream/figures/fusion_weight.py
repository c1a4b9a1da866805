"""The accuracy of two streams fused over their weights: what the paper's equal weights cost (section 4)."""

from collections.abc import Callable

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twostream.config.benchmark import Interval
from twostream.config.recipes import FusionWeightFigureRecipe
from twostream.figures.sheet import (
    BLACK,
    BLUE,
    GRAY,
    LIGHT,
    MARGIN,
    POINTS,
    SKY,
    SMALL_POINTS,
    Heading,
    panel,
    sheet,
)
from twostream.files import UserError
from twostream.results.accuracy import bootstrap_interval
from twostream.scores.fusion import matched
from twostream.scores.score_file import Scores
from twostream.scores.weighting import chosen_weights, mixed, training_accuracies, weights

COLUMNS = ["fusion", "weight", "accuracy", "interval_low", "interval_high", "training_accuracy", "chosen"]
WIDTH, HEIGHT = 2.6, 2.0
LEFT, TITLE, NUMBERS = 0.42, 0.22, 0.45
APART = 0.3


def weight_table(recipe: FusionWeightFigureRecipe, read: Callable[[str], Scores]) -> pd.DataFrame:
    """Return a row for each fusion and each weight of its spatial stream.

    Columns: `fusion`; `weight`; the test part's `accuracy` with its 95% interval over groups (%);
    `training_accuracy`, the mean over groups by which a weight is chosen (%); and `chosen`, whether it was.
    `read` gives the scores in a file. Raises UserError if the two files of a fusion are not of the same
    videos, or none of these are test videos, or none training videos.
    """
    tables = []
    for fusion in recipe.fusions:
        spatial = read(fusion.spatial[1])
        if "test" not in spatial.parts:
            raise UserError(f"{fusion.spatial[1]}: has no test video; score a split that tests some")
        temporal = matched(spatial, read(fusion.temporal[1]))
        tables.append(_over_weights(spatial, temporal, recipe.interval).assign(fusion=fusion.name))
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def _over_weights(spatial: Scores, temporal: Scores, interval: Interval) -> pd.DataFrame:
    training = training_accuracies(spatial, temporal)
    chosen, rows = chosen_weights(training, 2), []
    for both, of_training in zip(weights(2).tolist(), training, strict=True):
        fused = mixed([spatial, temporal], both).part("test")
        low, high = bootstrap_interval([fused], interval.resamples, interval.seed)
        rows.append((both[0], fused.accuracy(), low, high, of_training, both == chosen))
    digits = {"weight": 2, "accuracy": 2, "interval_low": 2, "interval_high": 2, "training_accuracy": 2}
    return pd.DataFrame(rows, columns=COLUMNS[1:]).round(digits)


def draw_weights(recipe: FusionWeightFigureRecipe, table: pd.DataFrame) -> Figure:
    """Return a panel for each fusion with its accuracies in a `weight_table`; all have one scale."""
    count = len(recipe.fusions)
    heading = Heading(
        "Accuracy over the weight of the spatial stream",
        [
            f"{recipe.dataset}, split {recipe.split}: test videos; band: 95% interval over groups of videos.",
            "Dotted: equal weights, as in the paper. Diamond: the weight chosen on the training videos.",
        ],
    )
    width = MARGIN + LEFT + count * (WIDTH + APART)
    figure = sheet(width, TITLE + HEIGHT + NUMBERS, heading)
    low, high = table["interval_low"].min(), table["interval_high"].max()
    for number, fusion in enumerate(recipe.fusions):
        left = MARGIN + LEFT + number * (WIDTH + APART)
        axes = panel(figure, left, heading.height + TITLE, WIDTH, HEIGHT)
        _line(axes, table[table["fusion"] == fusion.name])
        axes.set(xlim=(0, 1), ylim=(low - 1, high + 1))
        axes.set_title(fusion.name, fontsize=POINTS, loc="left", pad=3, parse_math=False)
        axes.set_xlabel(f"Weight of {fusion.spatial[0]}", fontsize=SMALL_POINTS, parse_math=False)
        axes.tick_params(labelsize=SMALL_POINTS, length=2, width=0.5, pad=2, labelleft=number == 0)
        if number == 0:
            axes.set_ylabel("Accuracy (%)", fontsize=SMALL_POINTS, labelpad=2)
    return figure


def _line(axes: Axes, of_fusion: pd.DataFrame) -> None:
    weight, accuracy = of_fusion["weight"], of_fusion["accuracy"]
    axes.fill_between(
        weight, of_fusion["interval_low"], of_fusion["interval_high"], color=SKY, alpha=0.4, linewidth=0
    )
    axes.plot(weight, accuracy, color=BLUE, linewidth=1.3)
    axes.axvline(0.5, color=GRAY, linewidth=0.8, linestyle=":")
    chosen = of_fusion[of_fusion["chosen"]]
    axes.plot(chosen["weight"], chosen["accuracy"], "D", color=BLACK, markersize=5, clip_on=False, zorder=3)
    axes.grid(color=LIGHT, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)

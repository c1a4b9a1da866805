"""The filters of a network's first layer as a figure (the paper's figure 4)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twostream.config.benchmark import Input
from twostream.config.recipes import FiltersFigureRecipe
from twostream.config.streams import KINDS
from twostream.figures.sheet import DPI, MARGIN, POINTS, SMALL_POINTS, Heading, panel, sheet

# Filters side by side, as in the paper; a layer that has more continues below.
ACROSS = 96
# The pixels of the figure that the filters side by side may take, and that a row's label needs.
WIDTH, ROW = 2400, 24
# A filter's pixel is so many of the figure's at most.
LARGEST = 8
LABELS, NUMBERS = 0.4, 0.25


def row_labels(what: Input, channels: int) -> list[str]:
    """Return what each of the first layer's input channels holds, in mathematical notation.

    A bidirectional input's backward fields have a bar. Slow fusion's first layer sees fewer channels
    than the network: those of the frames that a unit sees.
    """
    kind = KINDS[what.kind]
    items = channels // len(kind.channels)
    if items == 1 and not kind.symbol:
        return list(kind.channels)
    forward = items // 2 if what.bidirectional else items
    labels = []
    for item in range(items):
        symbol = kind.symbol if item < forward else rf"\bar{{{kind.symbol}}}"
        raised = f"{symbol}^" if symbol else ""
        labels += [f"${raised}{channel}_{{{item % forward + 1}}}$" for channel in kind.channels]
    return labels


def mosaic(weights: np.ndarray) -> np.ndarray:
    """Return filters [outputs, inputs, height, width] side by side, nan in gaps of one pixel between them.

    Columns are outputs, rows inputs. Each column is divided by its largest absolute weight, so that its
    values are in -1..1 and zero stays zero.
    """
    outputs, inputs, height, width = weights.shape
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    scaled = weights / np.where(largest > 0, largest, 1)
    framed = np.pad(scaled, ((0, 0), (0, 0), (1, 0), (1, 0)), constant_values=np.nan)
    picture = framed.transpose(1, 2, 0, 3).reshape(inputs * (height + 1), outputs * (width + 1))
    return np.pad(picture, ((0, 1), (0, 1)), constant_values=np.nan)


def draw_filters(recipe: FiltersFigureRecipe, what: Input, weights: np.ndarray) -> Figure:
    """Return a figure of filters [outputs, inputs, height, width] of the layer that sees `what`."""
    outputs, inputs, height, width = weights.shape
    blocks = [weights[first : first + ACROSS] for first in range(0, outputs, ACROSS)]
    across = len(blocks[0])
    # A whole number, so that all pixels of the filters are of one size.
    scale = max(-(-ROW // (height + 1)), min(LARGEST, WIDTH // (across * (width + 1))))
    high = (inputs * (height + 1) + 1) * scale / DPI
    heading = Heading(f"First-layer convolutional filters of {recipe.run}", _notes(recipe, what, weights))
    block_width = (across * (width + 1) + 1) * scale / DPI
    figure = sheet(MARGIN + LABELS + block_width + MARGIN, len(blocks) * (high + NUMBERS) + MARGIN, heading)
    for number, block in enumerate(blocks):
        picture = mosaic(block)
        top = heading.height + number * (high + NUMBERS)
        axes = panel(figure, MARGIN + LABELS, top, picture.shape[1] * scale / DPI, high)
        axes.imshow(picture, cmap="gray", vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        _label(axes, row_labels(what, inputs), number * ACROSS, block)
    return figure


def _notes(recipe: FiltersFigureRecipe, what: Input, weights: np.ndarray) -> list[str]:
    outputs, inputs, height, width = weights.shape
    kind = KINDS[what.kind]
    rows = kind.rows[inputs > len(kind.channels)]
    if what.bidirectional:
        rows += ", with a bar: backward"
    return [
        f"{recipe.dataset}, split {recipe.split}, seed {recipe.seed}:"
        f" {outputs} filters of {inputs} x {height} x {width}",
        f"Columns: filters. Rows: {rows}.",
        "Gray is zero, white positive; each column is scaled by its own largest absolute weight.",
    ]


def _label(axes: Axes, rows: list[str], before: int, block: np.ndarray) -> None:
    columns, inputs, height, width = block.shape
    # A label with an index above and one below is almost twice as high as its letters.
    points = min(POINTS, 0.5 * 72 / DPI * axes.get_window_extent().height / inputs)
    axes.set_yticks([(height + 1) * (row + 0.5) for row in range(inputs)], rows, fontsize=points)
    named = [c for c in range(columns) if (before + c + 1) % 8 == 0 or c == 0]
    numbers = [str(before + c + 1) for c in named]
    axes.set_xticks([(width + 1) * (c + 0.5) for c in named], numbers, fontsize=SMALL_POINTS)
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)

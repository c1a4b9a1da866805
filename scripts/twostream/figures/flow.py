"""Optical flow between frames as a figure (the paper's figure 2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twostream.config.recipes import FlowFigureRecipe
from twostream.extraction.dataset_files import DatasetFiles
from twostream.extraction.store import Store
from twostream.figures.sheet import GRAY, LINE, MARGIN, POINTS, SMALL_POINTS, Heading, panel, sheet, write
from twostream.files import UserError
from twostream.flow.colour import colour_coded, strongest
from twostream.videos.index import part, read_index

ROWS = 4
COLUMNS = ["Frame t", "Frame t + 1", "Optical flow", "$d^x$", "$d^y$"]
WIDTH, GAP, BAR = 1.7, 0.08, 0.1
HEADS, LABEL = 0.22, LINE + 0.06
WHEEL = 0.75


@dataclass(frozen=True)
class Example:
    """A field and its frames: RGB, uint8 [height, width, 3]; `field` [height, width, 2] in px.

    `number` is t, from 0. Frames and field may differ in size, as flow is stored at the video's own.
    """

    name: str
    file: str
    number: int
    first: np.ndarray
    second: np.ndarray
    field: np.ndarray

    @property
    def range(self) -> float:
        """The displacement in px that is shown by the deepest colour, and by black and white."""
        return strongest(self.field)


def examples(recipe: FlowFigureRecipe, dataset: DatasetFiles) -> list[Example]:
    """Return the middle field of the first test video of up to four classes, spread over the dataset's.

    Raises UserError if a file is missing or damaged, or if there is no test video.
    """
    index = read_index(dataset.index)
    tested = part(index, recipe.split, "test").drop_duplicates("class").sort_values("class")
    if tested.empty:
        raise UserError(f"{dataset.index}: split{recipe.split} has no test video")
    count = min(ROWS, len(tested))
    rows = tested.iloc[np.linspace(0, len(tested) - 1, count).round().astype(int)]
    return list(_read(dataset, rows))


def _read(dataset: DatasetFiles, rows: pd.DataFrame) -> Iterator[Example]:
    frames, fields = Store(dataset.needed("frames")), Store(dataset.needed("flow"))
    for name, file in zip(rows["class"], rows["file"], strict=True):
        middle = fields.length(file) // 2
        # The video's last frame has none after it where it is the only one.
        pair = [middle, min(middle + 1, frames.length(file) - 1)]
        first, second = frames.read(file, pair).images.transpose(0, 2, 3, 1)
        field = fields.read(file, [middle]).displacement()[0].transpose(1, 2, 0)
        yield Example(name, file, middle, first, second, field)


def draw_flow(recipe: FlowFigureRecipe, found: list[Example]) -> Figure:
    """Return a row for each example: two frames, the flow in colours, and its components in gray."""
    heights = [WIDTH * example.first.shape[0] / example.first.shape[1] for example in found]
    heading = Heading(
        "Optical flow: frames, displacement field and its components",
        [
            f"{recipe.dataset}, split {recipe.split}: test videos of {len(found)} classes",
            "Colour: direction as in the wheel, white is zero, the rim the end of the row's scale"
            " (the 99th percentile of its lengths, at least 1 px).",
            "Components in px: mid-gray is zero, brighter is positive, which is to the right and down.",
        ],
    )
    width = MARGIN + len(COLUMNS) * (WIDTH + GAP) + BAR + 0.55
    top = heading.height + HEADS
    figure = sheet(width, HEADS + sum(heights) + len(found) * (LABEL + GAP) + MARGIN, heading)
    for example, height in zip(found, heights, strict=True):
        _row(figure, top, height, example)
        top += LABEL + height + GAP
    for axes, title in zip(figure.axes, COLUMNS, strict=False):
        _head(figure, axes, title, heading.height)
    _wheel(panel(figure, width - MARGIN - 0.35 - WHEEL, MARGIN, WHEEL, WHEEL))
    return figure


def _row(figure: Figure, top: float, height: float, example: Example) -> None:
    about = f"{example.name}: {PurePosixPath(example.file).name}, t = {example.number}"
    write(figure, MARGIN, top + 0.04, about, SMALL_POINTS, GRAY)
    coded = colour_coded(example.field, example.range)[..., ::-1]
    limit = example.range
    shown = [example.first, example.second, coded, example.field[..., 0], example.field[..., 1]]
    for column, picture in enumerate(shown):
        axes = panel(figure, MARGIN + column * (WIDTH + GAP), top + LABEL, WIDTH, height)
        # Pictures in colour do not heed the scale.
        image = axes.imshow(picture, cmap="gray", vmin=-limit, vmax=limit, aspect="auto")
        axes.set(xticks=[], yticks=[])
    bar = panel(figure, MARGIN + len(shown) * (WIDTH + GAP), top + LABEL, BAR, height)
    figure.colorbar(image, cax=bar, ticks=[-limit, 0, limit], extend="both", extendfrac=0.04)
    bar.set_yticklabels([f"{-limit:.1f}", "0", f"{limit:.1f} px"], fontsize=SMALL_POINTS)
    bar.tick_params(length=2, width=0.5, pad=2)


def _head(figure: Figure, axes: Axes, title: str, top: float) -> None:
    box, height = axes.get_position(), figure.get_figheight()
    middle = (box.x0 + box.x1) / 2
    figure.text(middle, 1 - (top + 0.03) / height, title, ha="center", va="top", fontsize=POINTS + 1)


def _wheel(axes: Axes) -> None:
    """Draw all directions and lengths up to the scale's end, outside white."""
    y, x = np.mgrid[-1:1:301j, -1:1:301j]
    wheel = colour_coded(np.dstack([x, y]), 1.0)[..., ::-1].copy()
    wheel[np.hypot(x, y) > 1] = 255
    axes.imshow(wheel, aspect="auto")
    axes.axis("off")

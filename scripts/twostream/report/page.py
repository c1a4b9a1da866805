"""The report: one file to look at, which opens without a network, results first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from twostream.config.recipes import PageRecipe, ReportRecipe
from twostream.config.trials import TRIALS
from twostream.extraction.store import Store
from twostream.provenance.records import arithmetic_of
from twostream.report import videos
from twostream.report.confusion import confusion
from twostream.report.curves import curves
from twostream.report.forest import forest
from twostream.report.markup import data_table, note, picture, scrolled, section
from twostream.report.overview import tells, tiles
from twostream.report.recall import recall
from twostream.report.weights import weights
from twostream.results.formatting import SHOWN, arithmetic_note, read_table, trial_note
from twostream.results.trainings import guessing_note, videos_note
from twostream.scores.score_file import Scores

# The page is to stay below 10 MB, so that it can be sent by mail and opens at once.
LARGEST = 9_500_000
KINDS_OF_FLOW = "frames of test videos beside their optical flow in colours and its two components"


@dataclass(frozen=True)
class Given:
    """The files that the report is made from.

    `results` are in the order of the recipe's tables. `confusion`, `recall`, `fusion_weight` and `curves` are
    the CSVs beside these figures; `flow_figure` and `filters` are PNGs.
    """

    results: list[str]
    confusion: str
    recall: str
    fusion_weight: str
    curves: str
    flow_figure: str
    filters: str


def report(
    recipe: ReportRecipe, given: Given, scores: Mapping[str, Scores], frames: Store, flow: Store
) -> str:
    """Return the page; `scores` are the test parts, by the keys of `ReportRecipe.systems`.

    Raises UserError if a file is damaged or lacks something.
    """
    tables = {file: read_table(file) for file in given.results}
    claims = next(
        (t for page, t in zip(recipe.tables, tables.values(), strict=True) if page.kind == "claims"), None
    )
    fused = scores["fused"]
    classes = fused.classes.tolist()
    sections = [
        section(
            "results", "Results", tells(recipe), tiles(recipe, scores, claims), *map(note, recipe.left_out)
        ),
        section("tables", "Tables: the paper's numbers and ours", *_tables(recipe, tables)),
        section("claims", "What the paper claims", *_claims(recipe, claims)),
        section("recall", "Recall of each class", _of(recipe), recall(given.recall)),
        section("confusion", "What is taken for what", _of(recipe), confusion(given.confusion, classes)),
        section("weight", "Weights of the two streams", _weight_note(recipe), weights(given.fusion_weight)),
        section("curves", "Training curves", note(CURVES), curves(given.curves)),
        section("pictures", "What the networks see and learn", *_figures(given)),
    ]
    found = list(videos.shots(fused.videos.tolist(), frames, flow))
    described = videos.entries(scores)
    bare = _page(recipe, sections, classes, described, "")
    choice = videos.choose(found, fused.labels, LARGEST - len(bare.encode()) - 500)
    shown = videos.with_pictures(described, found, fused.labels, choice)
    return _page(recipe, sections, classes, shown, choice.note())


def _page(
    recipe: ReportRecipe, sections: list[str], classes: list[str], described: list[dict[str, Any]], told: str
) -> str:
    shown = section("videos", "The test videos", videos.controls(recipe, classes, told))
    return Template(_asset("page.html")).substitute(
        title=escape(f"Two-stream networks: results at the scale {recipe.scale}"),
        style=_asset("page.css"),
        script=_asset("page.js"),
        sections="\n".join([*sections[:3], shown, *sections[3:]]),
        data=videos.script_data(classes, described),
    )


@cache
def _asset(name: str) -> str:
    return files("twostream.report").joinpath(name).read_text(encoding="utf-8")


def _tables(recipe: ReportRecipe, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Each table but the claims, with its title and notes."""
    shown = []
    for page, (file, table) in zip(recipe.tables, tables.items(), strict=True):
        if page.kind == "claims":
            continue
        shown.append(scrolled(data_table(SHOWN[page.kind](table), page.title), page.title))
        shown.append(note(trial_note(table) if page.kind in TRIALS else ""))
        told = " ".join(filter(None, (arithmetic_note(arithmetic_of(file)), guessing_note([file]))))
        shown += [_about(page, file), note(told)]
    return [*shown, note(videos_note(tables))]


def _claims(recipe: ReportRecipe, claims: pd.DataFrame | None) -> list[str]:
    if claims is None:
        return ["<p>No claim of the paper can be judged at this scale.</p>"]
    about = next(page for page in recipe.tables if page.kind == "claims")
    return [forest(claims), _about(about, "claims.csv")]


def _about(page: PageRecipe, file: str) -> str:
    summary = f"about these columns ({escape(Path(file).name)})"
    return f"<details><summary>{summary}</summary>{note(page.note)}</details>"


def _of(recipe: ReportRecipe) -> str:
    return note(f"{recipe.fused} on {recipe.dataset}, split {recipe.split}, the first seed.")


def _weight_note(recipe: ReportRecipe) -> str:
    return note(
        f"{recipe.dataset}, split {recipe.split}, the first seed. Band: 95% interval over groups of videos."
        " Dotted: equal weights, as in the paper. Diamond: the weight chosen on the training videos."
    )


CURVES = (
    "Means of training batches. Dotted: the learning rate drops. A multi-task loss is the sum of its tasks'."
    " All charts share the vertical scales, not the horizontal one."
)


def _figures(given: Given) -> list[str]:
    shown = {
        given.flow_figure: ("Optical flow", KINDS_OF_FLOW),
        given.filters: (
            "The first layer of the temporal stream",
            "the filters of its first layer side by side in gray, a column for each, a row for each component"
            " of each field that it sees",
        ),
    }
    return [
        f"<figure><figcaption>{title}</figcaption>"
        f"{scrolled(picture(Path(file).read_bytes(), 'png', words), title)}</figure>"
        for file, (title, words) in shown.items()
    ]

"""The paper's tables with our numbers beside the published ones."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from twostream.config.recipes import TableRecipe
from twostream.files import UserError
from twostream.results.accuracy import MEASURED, measured
from twostream.scores.score_file import Scores

COLUMNS = ["row", "setting", "paper_dataset", "paper", "our_dataset", "ours", *MEASURED, "run"]


def make_table(recipe: TableRecipe, scores: Sequence[Scores]) -> pd.DataFrame:
    """Return a table, a row for each of the paper's, in its order; accuracies in %.

    `scores` are the test parts, row by row, seed by seed and split by split; a method that was not
    trained here has no seeds. A row over several splits is the mean of theirs, and its `test_videos`
    their sum; over several seeds, the mean of theirs, with the standard deviation `sd` (points). A cited
    row has the paper's number alone. Raises UserError if there are too few or too many scores.
    """
    seeds = {row.run: 1 if row.run in recipe.methods else recipe.seeds for row in recipe.table.rows}
    needed = sum(seeds[row.run] * len(row.splits) for row in recipe.table.rows if row.run)
    if len(scores) != needed:
        raise UserError(f"the table's rows need {needed} score files, not {len(scores)}")
    rows, remaining = [], iter(scores)
    for row in recipe.table.rows:
        content: dict[str, Any] = {
            "row": row.row,
            "setting": row.setting,
            "paper_dataset": getattr(recipe.paper_names, row.dataset),
            "paper": row.paper,
            "run": row.run or f"cited: {row.cited}",
        }
        if row.run:
            found = [[next(remaining) for _ in row.splits] for _ in range(seeds[row.run])]
            numbers = measured(found, recipe.interval)
            content |= {"our_dataset": getattr(recipe.our_names, row.dataset), "ours": numbers["accuracy"]}
            content |= {name: numbers[name] for name in MEASURED}
        rows.append(content)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"test_videos": "Int64", "seeds": "Int64"})


# What else DVC compares, each under a key of its own, so that it is easily left out.
OTHER_METRICS = ("nll", "ece")


def metrics(name: str, table: pd.DataFrame) -> dict[str, Any]:
    """Return what DVC compares of a table: `{name: {run: accuracy}}`, and `{"nll": {name: ...}}` likewise.

    Names are short, as each is the heading of a column: a table that is of several of our datasets has
    each run's by dataset, `{name: {dataset: {run: ...}}}`.
    """
    rows = table[table["ours"].notna()]
    others = {other: {name: _by_run(rows, other)} for other in OTHER_METRICS}
    return {name: _by_run(rows, "ours"), **others}


def _by_run(rows: pd.DataFrame, column: str) -> dict[str, Any]:
    by_dataset: dict[str, dict[str, float]] = {}
    for row in rows.to_dict("records"):
        of_dataset = by_dataset.setdefault(row["our_dataset"], {})
        labels = filter(None, (row["run"], row["row"], row["setting"], row["paper_dataset"]))
        of_dataset[row["run"] if row["run"] not in of_dataset else ", ".join(labels)] = row[column]
    return by_dataset if len(by_dataset) != 1 else next(iter(by_dataset.values()))

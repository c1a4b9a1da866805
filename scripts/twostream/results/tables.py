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


def metrics(name: str, table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return our accuracies (%) as metrics of DVC: by the table's name, our dataset, and the run."""
    accuracies: dict[str, dict[str, float]] = {}
    for row in table[table["ours"].notna()].to_dict("records"):
        of_dataset = accuracies.setdefault(row["our_dataset"], {})
        labels = filter(None, (row["run"], row["row"], row["setting"], row["paper_dataset"]))
        of_dataset[row["run"] if row["run"] not in of_dataset else ", ".join(labels)] = row["ours"]
    return {name: accuracies}

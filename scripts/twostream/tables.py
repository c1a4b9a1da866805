"""The paper's tables with our numbers beside the published ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from twostream.benchmark import Interval
from twostream.files import UserError
from twostream.recipes import TableRecipe
from twostream.scores import Scores
from twostream.statistics import bootstrap_interval, mean_class_accuracy, top_accuracy

COLUMNS = [
    "row",
    "setting",
    "paper_dataset",
    "paper",
    "our_dataset",
    "ours",
    "mean_class",
    "top5",
    "interval_low",
    "interval_high",
    "test_videos",
    "run",
]


def make_table(recipe: TableRecipe, scores: Sequence[Scores]) -> pd.DataFrame:
    """Return a table, a row for each of the paper's, in its order; accuracies in %.

    `scores` are the test parts, row by row and split by split. A row over several splits is the
    mean of theirs, and its `test_videos` their sum. A cited row has the paper's number alone. Raises
    UserError if there are too few or too many scores.
    """
    needed = sum(len(row.splits) for row in recipe.table.rows if row.run)
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
            found = [next(remaining) for _ in row.splits]
            content |= {"our_dataset": getattr(recipe.our_names, row.dataset)}
            content |= measured(found, recipe.interval)
        rows.append(content)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"test_videos": "Int64"})


def measured(splits: list[Scores], interval: Interval) -> dict[str, Any]:
    """Return the numbers of one row: means over splits, in %, and the bootstrap interval."""
    low, high = bootstrap_interval(splits, interval.resamples, interval.seed)
    return {
        "ours": round(float(np.mean([s.accuracy() for s in splits])), 2),
        "mean_class": round(float(np.mean([mean_class_accuracy(s) for s in splits])), 2),
        "top5": round(float(np.mean([top_accuracy(s) for s in splits])), 2),
        "interval_low": round(low, 2),
        "interval_high": round(high, 2),
        "test_videos": sum(len(s.videos) for s in splits),
    }


def metrics(name: str, table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return our accuracies (%) as metrics of DVC: by the table's name, our dataset, and the run."""
    accuracies: dict[str, dict[str, float]] = {}
    for row in table[table["ours"].notna()].to_dict("records"):
        of_dataset = accuracies.setdefault(row["our_dataset"], {})
        of_dataset[row["run"] if row["run"] not in of_dataset else f"{row['run']}, {_key(row)}"] = row["ours"]
    return {name: accuracies}


def _key(row: Mapping[Any, Any]) -> str:
    return ", ".join(filter(None, (row["row"], row["setting"], row["paper_dataset"])))


def readable(table: pd.DataFrame, title: str) -> str:
    """Return a table as text for a terminal."""
    lines = [title, ""]
    shown = [
        ("", *("paper", "ours", "95% interval", "per class", "top 5", "videos"), "run"),
        *map(_cells, table.to_dict("records")),
    ]
    widths = [max(len(cells[i]) for cells in shown) for i in range(len(shown[0]))]
    for cells in shown:
        padded = [
            cell.ljust(width) if i in (0, len(cells) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    def number(value: Any) -> str:
        return f"{value:.1f}" if pd.notna(value) else "-"

    interval = "-"
    if pd.notna(row["ours"]):
        interval = f"{row['interval_low']:.1f} to {row['interval_high']:.1f}"
    return (
        _key(row),
        number(row["paper"]),
        number(row["ours"]),
        interval,
        number(row["mean_class"]),
        number(row["top5"]),
        str(row["test_videos"]) if pd.notna(row["test_videos"]) else "-",
        row["run"],
    )

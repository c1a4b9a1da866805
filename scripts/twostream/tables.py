"""The paper's tables with our numbers beside the published ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from twostream.files import UserError
from twostream.recipes import TableRecipe
from twostream.scores import Scores
from twostream.statistics import measured

COLUMNS = [
    "row",
    "setting",
    "paper_dataset",
    "paper",
    "our_dataset",
    "ours",
    "sd",
    "mean_class",
    "top5",
    "interval_low",
    "interval_high",
    "test_videos",
    "seeds",
    "run",
]


def make_table(recipe: TableRecipe, scores: Sequence[Scores]) -> pd.DataFrame:
    """Return a table, a row for each of the paper's, in its order; accuracies in %.

    `scores` are the test parts, row by row, seed by seed and split by split. A row over several splits
    is the mean of theirs, and its `test_videos` their sum; over several seeds, the mean of theirs, with
    the standard deviation `sd` (points). A cited row has the paper's number alone. Raises UserError if
    there are too few or too many scores.
    """
    needed = recipe.seeds * sum(len(row.splits) for row in recipe.table.rows if row.run)
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
            found = [[next(remaining) for _ in row.splits] for _ in range(recipe.seeds)]
            content |= {"our_dataset": getattr(recipe.our_names, row.dataset)}
            content |= {
                "ours" if key == "accuracy" else key: v for key, v in measured(found, recipe.interval).items()
            }
        rows.append(content)
    return pd.DataFrame(rows, columns=COLUMNS).astype({"test_videos": "Int64", "seeds": "Int64"})


def metrics(name: str, table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return our accuracies (%) as metrics of DVC: by the table's name, our dataset, and the run."""
    accuracies: dict[str, dict[str, float]] = {}
    for row in table[table["ours"].notna()].to_dict("records"):
        of_dataset = accuracies.setdefault(row["our_dataset"], {})
        of_dataset[row["run"] if row["run"] not in of_dataset else f"{row['run']}, {_key(row)}"] = row["ours"]
    return {name: accuracies}


def _key(row: Mapping[Any, Any]) -> str:
    return ", ".join(filter(None, (row["row"], row["setting"], row["paper_dataset"])))


def read_table(file: str) -> pd.DataFrame:
    """Return a CSV of results/; raise UserError if it cannot be read."""
    types = {"setting": "string", "splits": "string", "test_videos": "Int64", "seeds": "Int64"}
    try:
        table = pd.read_csv(file, dtype=types)
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as a table: {error}") from None
    if "setting" in table:
        table["setting"] = table["setting"].fillna("")
    return table


def readable(table: pd.DataFrame, title: str) -> str:
    """Return a table as text for a terminal."""
    return f"{title}\n\n{aligned(shown(table))}"


def shown(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return a table as it is shown: the headings, and a row of texts for each of its rows."""
    headings = ("", "paper", "ours", "95% interval", "per class", "top 5", "videos", "run")
    return [headings, *map(_cells, table.to_dict("records"))]


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return cells in columns; the first and the last column start at the left, others end at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for cells in rows:
        padded = [
            cell.ljust(width) if i in (0, len(cells) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def _cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    interval = "-"
    if pd.notna(row["ours"]):
        interval = f"{row['interval_low']:.1f} to {row['interval_high']:.1f}"
    return (
        _key(row),
        number(row["paper"]),
        with_deviation(row["ours"], row["sd"]),
        interval,
        number(row["mean_class"]),
        number(row["top5"]),
        str(row["test_videos"]) if pd.notna(row["test_videos"]) else "-",
        row["run"],
    )


def number(value: Any) -> str:
    """Return a number as it is shown in tables; `-` for none."""
    return f"{value:.1f}" if pd.notna(value) else "-"


def with_deviation(mean: Any, deviation: Any) -> str:
    """Return a mean over seeds with its standard deviation, where there are several."""
    return f"{mean:.1f} ± {deviation:.1f}" if pd.notna(deviation) else number(mean)


def p_value(value: Any) -> str:
    """Return a p-value as it is shown; `-` for none."""
    if pd.isna(value):
        return "-"
    return f"{value:.4f}" if value >= 0.0001 else "<0.0001"

"""Methods that were not trained here, beside ours on the same test videos."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from twostream.comparison import (
    difference_interval,
    differences,
    mcnemar_test,
    permutation_test,
    rounded,
    seed_test,
)
from twostream.fusion import average
from twostream.recipes import MethodRecipe, MethodsRecipe
from twostream.scores import Scores
from twostream.statistics import measured
from twostream.tables import aligned, number, p_value, with_deviation

BySeed = list[list[Scores]]


def compare_methods(recipe: MethodsRecipe, read: Callable[[str], Scores]) -> pd.DataFrame:
    """Return the rows of results/methods.csv: for each method six, itself first; accuracies in %.

    The others are the method fused with each of our streams by averaging, the two streams, and the two
    together. Each has its `difference` (points) to the method alone, tested on the same videos as the
    claims are. `read` gives the scores in a file; their test parts are compared.
    """
    rows = [row for method in recipe.methods for row in _rows(method, recipe, read)]
    return pd.DataFrame(rows).astype({"test_videos": "Int64", "seeds": "Int64"})


def _rows(method: MethodRecipe, recipe: MethodsRecipe, read: Callable[[str], Scores]) -> list[dict[str, Any]]:
    def by_seed(files: str) -> BySeed:
        return [
            [read(files.format(split=split, seed=seed)).part("test") for split in method.method.splits]
            for seed in recipe.seeds
        ]

    alone = by_seed(method.files)
    ours = {name: by_seed(files) for name, files in (method.spatial, method.temporal, method.two_stream)}
    fused = {
        f"{method.name} + {name}": _averaged(alone, ours[name])
        for name in (method.spatial[0], method.temporal[0])
    }
    content = {
        "method": method.method.title,
        "dataset": method.method.dataset,
        "splits": " ".join(map(str, method.method.splits)),
    }
    # The method's file is the same for each of our seeds.
    rows = [content | {"system": method.name} | measured(alone[:1], recipe.interval)]
    for system, scores in {**fused, **ours}.items():
        tested = _tested(scores, alone, recipe)
        rows.append(content | {"system": system} | measured(scores, recipe.interval) | tested)
    return rows


def _averaged(first: BySeed, second: BySeed) -> BySeed:
    return [
        [average(a, b) for a, b in zip(*splits, strict=True)] for splits in zip(first, second, strict=True)
    ]


def _tested(scores: BySeed, alone: BySeed, recipe: MethodsRecipe) -> dict[str, Any]:
    """The difference to the method alone."""
    pairs = [list(zip(*splits, strict=True)) for splits in zip(scores, alone, strict=True)]
    found, verdicts = differences(pairs), recipe.verdicts
    low, high = difference_interval(found, recipe.interval)
    return {
        "difference": round(found.total, 2),
        "difference_low": round(low, 2),
        "difference_high": round(high, 2),
        "p_groups": rounded(permutation_test(found, 0, verdicts.permutations, verdicts.seed)),
        "p_seeds": rounded(seed_test(found, 0)) if len(recipe.seeds) > 1 else None,
        "p_mcnemar": rounded(mcnemar_test(found)),
    }


def readable(table: pd.DataFrame) -> str:
    """Return the table as text for a terminal, a block a method."""
    blocks = []
    for method, rows in table.groupby("method", sort=False):
        first = rows.iloc[0]
        title = f"{method}: {first['dataset']}, split {first['splits']} ({first['test_videos']} test videos)"
        blocks.append(f"{title}\n\n{aligned([cells[1:] for cells in shown(rows)])}")
    return "\n\n".join(blocks)


def shown(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the table as it is shown: the headings, and a row of texts for each of its rows."""
    tests = ("difference", "95% interval", "p (groups)", "p (McNemar)", "p (seeds)")
    headings = ("method", "", "accuracy", "95% interval", *tests, "videos")
    return [headings, *map(_cells, table.to_dict("records"))]


def _cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    tested = ("-",) * 5
    if pd.notna(row["difference"]):
        tested = (
            f"{row['difference']:+.1f}",
            f"{row['difference_low']:+.1f} to {row['difference_high']:+.1f}",
            p_value(row["p_groups"]),
            p_value(row["p_mcnemar"]),
            p_value(row["p_seeds"]),
        )
    interval = f"{number(row['interval_low'])} to {number(row['interval_high'])}"
    accuracy = with_deviation(row["accuracy"], row["sd"])
    return (row["method"], row["system"], accuracy, interval, *tested, str(row["test_videos"]))

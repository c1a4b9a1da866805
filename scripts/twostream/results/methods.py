"""Methods that were not trained here, beside ours on the same test videos."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from twostream.config.recipes import MethodRecipe, MethodsRecipe
from twostream.results.accuracy import measured
from twostream.results.paired_tests import difference_columns, differences
from twostream.scores.fusion import average
from twostream.scores.score_file import Scores

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
        found = differences([list(zip(*splits, strict=True)) for splits in zip(scores, alone, strict=True)])
        numbers = measured(scores, recipe.interval) | difference_columns(
            found, recipe.interval, recipe.verdicts
        )
        rows.append(content | {"system": system} | numbers)
    return rows


def _averaged(first: BySeed, second: BySeed) -> BySeed:
    return [
        [average(a, b) for a, b in zip(*splits, strict=True)] for splits in zip(first, second, strict=True)
    ]

"""The same models tested in several ways: how much of an accuracy is the way that it is measured."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from twostream.config.benchmark import Interval, Verdicts
from twostream.config.recipes import TrialTableRecipe
from twostream.files import UserError
from twostream.results.accuracy import resampled_interval
from twostream.results.paired_tests import Differences, exchange_test, mcnemar_test, rounded

# What an outcome says beside its way.
OUTCOME = ["video", "group", "right"]
# A column of ways that says what is tested: each is compared with a way of its own.
SYSTEM = "system"


def compare_trial(recipe: TrialTableRecipe, files: Sequence[str]) -> pd.DataFrame:
    """Return a row for each run and way, the one that others are compared with last: accuracies in %.

    `files` hold the outcomes of the recipe's runs in order (`training/trial.py` has the columns).
    `difference` (points) is to the last way (of the same `system`, where the ways have one), on the same
    videos; both have 95% intervals over groups of videos, and p-values of no difference if the recipe has
    verdicts. Raises UserError if a file is none such, or is not there for each run.
    """
    if len(files) != len(recipe.runs):
        raise UserError(f"--outcomes: needs a file for each of {len(recipe.runs)} runs, not {len(files)}")
    rows = [
        {"run": run, "dataset": recipe.dataset, "split": recipe.split} | row
        for run, file in zip(recipe.runs, files, strict=True)
        for row in _rows(_read(file), recipe)
    ]
    return pd.DataFrame(rows)


def _read(file: str) -> pd.DataFrame:
    try:
        outcomes = pd.read_csv(file, dtype={"video": str, "group": str}, na_filter=False)
        if missing := set(OUTCOME) - set(outcomes):
            raise ValueError(f"no column {missing.pop()}")
        if outcomes.empty or not outcomes["right"].between(0, 1).all():
            raise ValueError("no rows, or shares beyond 0 to 1")
    except (OSError, TypeError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as outcomes of a trial: {error}") from None
    return outcomes


def _rows(outcomes: pd.DataFrame, recipe: TrialTableRecipe) -> Iterator[dict[str, Any]]:
    ways = [str(column) for column in outcomes if column not in OUTCOME]
    by_way = [(_named(ways, key), rows) for key, rows in outcomes.groupby(ways, sort=False)]
    last = {way.get(SYSTEM): rows["right"].to_numpy() for way, rows in by_way}
    for way, rows in by_way:
        groups, right = rows["group"].to_numpy(), rows["right"].to_numpy()
        found = _differences(groups, right - last[way.get(SYSTEM)])
        yield {
            **way,
            **_measured("accuracy", groups, 100 * right, recipe.interval),
            **_measured("difference", groups, 100 * found.by_video, recipe.interval),
            **_tested(found, recipe.verdicts),
            "test_videos": len(rows),
        }


def _named(ways: list[str], key: Any) -> dict[str, Any]:
    return dict(zip(ways, key, strict=True))


def _differences(groups: np.ndarray, shares: np.ndarray) -> Differences:
    """How two ways differ on the same videos, in a single test part: shares [videos] in -1..1."""
    number = np.unique(groups, return_inverse=True)[1]
    return Differences(
        by_group=100 * np.bincount(number, weights=shares) / len(shares),
        weights=np.bincount(number) / len(shares),
        by_video=shares,
        by_seed=np.array([100 * shares.mean()]),
        splits=[(groups, 100 * shares)],
    )


def _measured(name: str, groups: np.ndarray, points: np.ndarray, interval: Interval) -> dict[str, float]:
    low, high = resampled_interval([(groups, points)], interval.resamples, interval.seed)
    values = {name: points.mean(), f"{name}_low": low, f"{name}_high": high}
    return {key: round(float(value), 2) for key, value in values.items()}


def _tested(found: Differences, verdicts: Verdicts | None) -> dict[str, float]:
    if verdicts is None:
        return {}
    p_value = exchange_test(found, verdicts.permutations, verdicts.seed)
    return {"p_groups": rounded(p_value), "p_mcnemar": rounded(mcnemar_test(found))}

"""The same models by each testing protocol: how much of an accuracy is the way that it is measured."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from twostream.config.benchmark import Interval
from twostream.config.recipes import ProtocolsRecipe
from twostream.files import UserError
from twostream.results.accuracy import resampled_interval

PROTOCOL = ["counted", "frames", "crops"]
OUTCOMES = ["video", "group", *PROTOCOL, "right"]


def compare_protocols(recipe: ProtocolsRecipe, files: Sequence[str]) -> pd.DataFrame:
    """Return a row for each run and protocol, the paper's own protocol last: accuracies in %.

    `files` hold the outcomes of the recipe's runs in order (`training/protocols.py` has the columns).
    `difference` (points) is to the paper's protocol, on the same videos; both have 95% intervals over
    groups of videos. Raises UserError if a file is none such, or is not there for each run.
    """
    if len(files) != len(recipe.runs):
        raise UserError(f"--outcomes: needs a file for each of {len(recipe.runs)} runs, not {len(files)}")
    rows = [
        {"run": run, "dataset": recipe.dataset, "split": recipe.split} | row
        for run, file in zip(recipe.runs, files, strict=True)
        for row in _rows(_read(file), recipe.interval)
    ]
    return pd.DataFrame(rows)


def _read(file: str) -> pd.DataFrame:
    try:
        return pd.read_csv(file, dtype={"video": str, "group": str}, na_filter=False)[OUTCOMES]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{file}: cannot be read as outcomes of protocols: {error}") from None


def _rows(outcomes: pd.DataFrame, interval: Interval) -> list[dict[str, Any]]:
    of_protocol = list(outcomes.groupby(PROTOCOL, sort=False))
    papers = of_protocol[-1][1]["right"].to_numpy()
    return [
        dict(zip(PROTOCOL, key, strict=True))
        | _measured("accuracy", rows["group"], rows["right"].to_numpy(), interval)
        | _measured("difference", rows["group"], rows["right"].to_numpy() - papers, interval)
        | {"test_videos": len(rows)}
        for key, rows in of_protocol
    ]


def _measured(name: str, groups: pd.Series, shares: np.ndarray, interval: Interval) -> dict[str, float]:
    low, high = resampled_interval([(groups.to_numpy(), 100 * shares)], interval.resamples, interval.seed)
    values = {name: 100 * shares.mean(), f"{name}_low": low, f"{name}_high": high}
    return {key: round(float(value), 2) for key, value in values.items()}

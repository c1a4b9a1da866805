"""What a network must not learn from: the recordings, and the very bytes, of the videos it is tested on.

Clips of one group of a class come from one recording. Two datasets of the same collection may hold clips of
the same recordings, so whoever learns from a second dataset leaves out those that the first tests on.
"""

import sys
from collections.abc import Mapping
from typing import Any

import pandas as pd

from twostream.config.recipes import HeldOut, TrainingRecipe, TrainingSubset
from twostream.extraction.dataset_files import DatasetFiles
from twostream.files import UserError
from twostream.videos.index import part, read_index


def rows_to_learn(
    source: TrainingSubset, index: pd.DataFrame, files: Mapping[str, DatasetFiles]
) -> tuple[pd.DataFrame, int]:
    """Return the rows of a dataset's index that a source stands for, and how many recordings' clips it lacks.

    Left out are the classes that the source is without, and then the clips of recordings (class and group)
    in the test part that it is apart from; the latter are counted. `files` are those of each dataset.
    """
    rows = part(index, source.split, "train")
    rows = rows[~rows["class"].isin(source.without)]
    if source.apart_from is None:
        return rows, 0
    tested = _tested(source.apart_from, files)
    recordings = set(zip(tested["class"], tested["group"], strict=True))
    pairs = zip(rows["class"], rows["group"], strict=True)
    held = pd.Series([pair in recordings for pair in pairs], rows.index, dtype=bool)
    return rows[~held], int(held.sum())


def hold_out(recipe: TrainingRecipe, files: Mapping[str, DatasetFiles], tell: bool = True) -> dict[str, Any]:
    """Return what a training's record says of clips that are held out, and `tell` it on stderr.

    `left_out`: how many clips of each dataset are left out, as their recordings are tested on;
    `copies_of_tested`: how many training videos have the bytes of a test video of the same dataset, whose
    split that is. Each is there only if it says anything.

    Raises UserError if a video of another dataset has the bytes of one that the network is tested on.
    """
    tested_on = _tested_on(recipe)
    tested = _tested(tested_on, files) if tested_on else pd.DataFrame()
    left_out: dict[str, int] = {}
    copies = 0
    for source in (source for task in recipe.tasks for source in task.sources):
        rows, count = rows_to_learn(source, read_index(files[source.dataset].index), files)
        if source.apart_from:
            left_out[source.dataset] = count
        found = _copies(rows, tested)
        if tested_on and len(found):
            if source.dataset != tested_on.dataset:
                _refuse(found.iloc[0], len(found), source.dataset, tested_on)
            copies += len(found)
    facts = ({"left_out": left_out} if left_out else {}) | ({"copies_of_tested": copies} if copies else {})
    if tell:
        _tell(facts, tested_on)
    return facts


def _tested_on(recipe: TrainingRecipe) -> HeldOut | None:
    """The test part that the network, or one that starts from it, is tested on; None if none is known."""
    target = recipe.tasks[0].sources[0]
    return HeldOut(dataset=target.dataset, split=target.split) if target.split else target.apart_from


def _tested(held_out: HeldOut, files: Mapping[str, DatasetFiles]) -> pd.DataFrame:
    return part(read_index(files[held_out.dataset].index), held_out.split, "test")


def _copies(rows: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """The file of each row with the bytes of a test video, and that video's."""
    if "sha256" not in rows or "sha256" not in tested:
        return pd.DataFrame()
    originals = tested[["file", "sha256"]].drop_duplicates("sha256")
    return rows[["file", "sha256"]].merge(originals, on="sha256", suffixes=("", "_tested"))


def _refuse(copy: pd.Series, count: int, dataset: str, tested_on: HeldOut) -> None:
    more = f" (and {count - 1:,} more are copies too)" if count > 1 else ""
    raise UserError(
        f"{dataset}: {copy['file']} has the bytes of {copy['file_tested']}, a test video of split"
        f" {tested_on.split} of {tested_on.dataset}{more}: the network would learn what it is tested on. Take"
        f" such videos out of {dataset}, or name another `auxiliary` in the scale"
    )


def _tell(facts: Mapping[str, Any], tested_on: HeldOut | None) -> None:
    if not tested_on:
        return
    tests = f"split {tested_on.split} of {tested_on.dataset}"
    for dataset, count in facts.get("left_out", {}).items():
        print(f"{dataset}: {count:,} clips left out, of recordings that {tests} tests on", file=sys.stderr)
    if copies := facts.get("copies_of_tested"):
        print(f"note: {copies:,} training videos have the bytes of a test video of {tests}", file=sys.stderr)

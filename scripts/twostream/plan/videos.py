"""The videos of each dataset and their index, and what of them is here."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.config.settings import Config
from twostream.files import UserError, some
from twostream.plan.datasets import BY_SOURCE, GeneratedDataset, PlannedDataset, planned_dataset
from twostream.plan.memo import NoSuchStepError, memoized
from twostream.provenance.records import read_record
from twostream.provenance.steps import Step
from twostream.videos.replaced import replaced_videos


def videos_indexed(datasets: Iterable[str]) -> dict[str, int]:
    """Return how many videos each dataset has that is indexed."""
    records = {name: read_record(paths.INDEX.format(dataset=name)) for name in datasets}
    return {name: record["videos"] for name, record in records.items() if record and "videos" in record}


class Videos:
    """The index of each dataset."""

    def __init__(self, config: Config) -> None:
        self._on_bad_video = config.on_bad_video
        self._datasets = {name: planned_dataset(name, config) for name in config.scale.datasets}

    @memoized
    def index(self, dataset: str) -> Step:
        """The videos of a dataset and their index: a step of the rule for its kind."""
        planned = self.dataset(dataset)
        step = Step(planned.rule, planned.recipe(), [paths.INDEX.format(dataset=dataset)])
        self._refuse_skipped(dataset)
        return step

    def dataset(self, name: str) -> PlannedDataset[Any]:
        """What a dataset is, whatever its kind."""
        return self._datasets[name]

    def indexed_by(self, rule: str) -> list[str]:
        """The datasets whose index is made by a rule."""
        return [name for name, dataset in self._datasets.items() if dataset.rule == rule]

    def shards(self, dataset: str) -> int:
        """Into how many shards a dataset's frames and flow are packed."""
        return self.dataset(dataset).settings.shards

    def are_replaced(self, artefact: str, step: Step) -> bool:
        """Whether an artefact is the index of a user's videos, and some are others by now; says which.

        Raises UserError if they are others than were drawn.
        """
        if step.script not in {planned.rule for planned in BY_SOURCE.values()}:
            return False
        folder = self.dataset(Path(artefact).stem).folder
        found = replaced_videos(Path(folder), artefact)
        if found and step.script == GeneratedDataset.rule:
            raise UserError(
                f"{folder}: no longer as they were drawn: {some(found)}; get them back (`dvc checkout`), or"
                f" delete them and {artefact} to have all drawn anew"
            )
        if found:
            print(f"{artefact}: is made anew, as files were replaced since: {some(found)}", file=sys.stderr)
        return bool(found)

    def check_split(self, dataset: str, split: int) -> None:
        """Raise NoSuchStepError if a dataset has no such split."""
        splits = self.dataset(dataset).settings.splits
        if split > splits:
            raise NoSuchStepError(f"{dataset} has {splits} splits, and no split {split}")

    def _refuse_skipped(self, dataset: str) -> None:
        """Whether a video is bad shows in the index alone, so that is no part of the spec."""
        index = paths.INDEX.format(dataset=dataset)
        skipped = (read_record(index) or {}).get("skipped", 0)
        if skipped and self._on_bad_video == "stop":
            raise UserError(
                f"{index}: was made with `on_bad_video: skip`, and leaves {skipped} videos out"
                f" ({paths.SKIPPED.format(dataset=dataset)}); set that in config/config.yaml, or delete the"
                " index to be told of them"
            )

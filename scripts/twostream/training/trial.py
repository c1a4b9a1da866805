"""Trials of one model: its test videos in other ways than the paper's own, a module in `trials` for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from twostream.config.recipes import TrialRecipe
from twostream.devices import to_device, use_device
from twostream.extraction.dataset_files import DatasetFiles
from twostream.files import UserError
from twostream.networks.model_file import Description, load_model
from twostream.networks.network import StreamNetwork
from twostream.progress import ProgressBar
from twostream.scores.score_file import Scores
from twostream.training.data_loader import iterate_batches
from twostream.training.reader import VideoReader, open_reader
from twostream.training.scoring import TestVideos, score_inputs
from twostream.videos.index import class_names, part, read_index, recordings

Feed = Callable[[str, Tensor, Tensor], tuple[Tensor, Tensor]]
"""What is fed to a network of a video: its name, images and ranges, as in `TestVideos`, to the latter two."""


def untouched(video: str, images: Tensor, ranges: Tensor) -> tuple[Tensor, Tensor]:
    """Feed a video's inputs as they are."""
    return images, ranges


@dataclass(frozen=True)
class Video:
    """A test video: its file in the index, its recording (as in score files) and its label."""

    file: str
    group: str
    label: int

    def outcome(self, right: float, **way: Any) -> dict[str, Any]:
        """Return a row: how the video comes out in a way, of which `right` (0..1) gets its class."""
        return {"video": self.file, "group": self.group, **way, "right": right}


@dataclass(frozen=True)
class Subject:
    """The model that a trial is of, its test videos, and the scores of the spatial run beside it, if any."""

    recipe: TrialRecipe
    network: StreamNetwork
    description: Description
    reader: VideoReader
    videos: list[Video]
    classes: list[str]
    spatial: Scores | None
    device: torch.device
    workers: int

    def scores(self, feeds: Sequence[Feed]) -> Iterator[list[Tensor]]:
        """Yield for each video what the network makes of each feed: [crops, frames, classes of the dataset].

        These are softmax scores, as of `score_inputs`. Each video is read once.
        """
        files, testing = [video.file for video in self.videos], self.recipe.testing
        inputs = TestVideos(self.reader, files, testing.frames)
        stored = iterate_batches(inputs, self.device, self.workers, batch_size=None)
        for file, of_video in zip(files, ProgressBar(stored, self.recipe.trial, len(files)), strict=True):
            yield [self._score(feed(file, *of_video)) for feed in feeds]

    def test_part(self, scores: np.ndarray) -> Scores:
        """Return scores [videos, classes], in the order of the videos, as score files hold them."""
        return Scores(
            videos=np.array([video.file for video in self.videos]),
            labels=np.array([video.label for video in self.videos]),
            parts=np.array(["test"] * len(self.videos)),
            groups=np.array([video.group for video in self.videos]),
            scores=scores / scores.sum(axis=1, keepdims=True),
            classes=np.array(self.classes),
        )

    def _score(self, stored: tuple[Tensor, Tensor]) -> Tensor:
        head, views = self.recipe.dataset, self.recipe.testing.views
        scores = score_inputs(self.network, self.description, stored, head, views, self.device)
        # Added classes come after the dataset's own, and no video can be one of them.
        return scores[..., : len(self.classes)]


class TrialModule(Protocol):
    """What a module in `trials` offers."""

    def outcomes(self, subject: Subject) -> Iterator[dict[str, Any]]:
        """Yield how each video comes out in each way, as `Video.outcome` has it.

        The last way (of each `system`, if that is a column) is the one that others are compared with.
        Raises UserError if the trial cannot be of such a model.
        """


def score_trial(
    recipe: TrialRecipe,
    dataset: DatasetFiles,
    model: str,
    spatial: Scores | None,
    device_name: str,
    workers: int,
) -> pd.DataFrame:
    """Return how each test video of a split comes out in each way of a trial; a row for each of both.

    Columns: `video`, `group`; those that tell the ways apart; `right`, the share (0..1) of what is counted
    that gets its class. `spatial` holds the scores of the recipe's spatial run. Raises UserError if these
    are missing, or the trial cannot be of such a model.
    """
    if (recipe.spatial is None) != (spatial is None):
        raise UserError(f"--spatial: is for the scores of the recipe's spatial run, here {recipe.spatial}")
    index = read_index(dataset.index)
    tested = part(index, recipe.split, "test")
    device = use_device(device_name)
    network, description = load_model(model)
    to_device(network, device)
    network.eval()
    subject = Subject(
        recipe=recipe,
        network=network,
        description=description,
        reader=open_reader(description.run.input, dataset),
        videos=[
            Video(file, recording, label)
            for file, recording, label in zip(
                tested["file"], recordings(tested), tested["label"], strict=True
            )
        ],
        classes=class_names(index),
        spatial=spatial,
        device=device,
        workers=workers,
    )
    return pd.DataFrame(cast(TrialModule, import_module(recipe.module)).outcomes(subject))

"""Training samples: which video, which start, which crop; drawn from the seed alone.

Section 4 of the paper: videos drawn uniformly over the classes, a random start in each, a random
crop of the whole frame, randomly mirrored, spatial inputs with jittered colours. Sample i of a
training depends on the seed and on i, and on nothing else; so does the mask of its dropout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import Dataset

from twostream.config.streams import KINDS
from twostream.extraction.store import Stored
from twostream.training.batch import Batch, Drawn
from twostream.training.lighting import lighting
from twostream.training.reader import VideoReader
from twostream.training.squares import square_side

if TYPE_CHECKING:
    from twostream.config.scale import Training


@dataclass(frozen=True)
class TrainingVideo:
    """A video to learn from: its name, its label in the task's head, and its dataset's reader."""

    name: str
    label: int
    reader: VideoReader


@dataclass(frozen=True)
class Sample:
    """One drawn input, still on the CPU and as stored, [length, ...]; see `Batch` for the rest.

    `keep` [units] says which units of the network's fully connected layers are not dropped.
    """

    stored: Stored
    top: int
    left: int
    side: int
    flip: bool
    jitter: np.ndarray
    keep: np.ndarray
    label: int


@dataclass(frozen=True)
class Dropout:
    """How many units a network has that are dropped, and with which probability."""

    units: int
    probability: float


class TaskSamples(Dataset[Sample]):
    """The endless, numbered samples of one task."""

    def __init__(
        self,
        videos: list[TrainingVideo],
        training: Training,
        short_side: int,
        dropout: Dropout,
        key: Sequence[int],
    ) -> None:
        """`key` (the seed and what tells tasks apart) starts each sample's random numbers."""
        labels = sorted({video.label for video in videos})
        self._by_class = [[v for v in videos if v.label == label] for label in labels]
        self._training = training
        self._short_side = short_side
        self._dropout = dropout
        self._key = list(key)

    def __getitem__(self, number: int) -> Sample:
        rng = np.random.default_rng([*self._key, number])
        videos = self._by_class[rng.integers(len(self._by_class))]
        video = videos[rng.integers(len(videos))]
        positions = video.reader.positions(video.name)
        start = positions[rng.integers(len(positions))]
        decoded = video.reader.decode(video.name, [start])
        height, width = decoded.images[0].shape[-2:]
        side = square_side(self._training.crop, self._short_side, height, width)
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        if KINDS[video.reader.input.kind].leaves_crop:
            stored = decoded.stacked()
        else:
            # No more than the crop is needed on the device.
            stored = decoded.stacked(slice(top, top + side), slice(left, left + side))
            top = left = 0
        flip = bool(rng.integers(2))
        jitter = rng.normal(0, self._training.rgb_jitter, 3)
        keep = rng.random(self._dropout.units, np.float32) >= self._dropout.probability
        if self._training.pca_lighting:
            # Drawn last, so that with and without it all else is the same.
            jitter += lighting(rng.normal(0, self._training.pca_lighting, 3))
        return Sample(
            stored=stored,
            top=int(top),
            left=int(left),
            side=side,
            flip=flip,
            jitter=jitter.astype(np.float32),
            keep=keep,
            label=video.label,
        )


def collate(samples: list[Sample]) -> Drawn:
    """Return a batch, its dropout masks [batch, units] and its labels [batch].

    Images of different size are padded by repeating the border.
    """
    height = max(s.stored.images.shape[-2] for s in samples)
    width = max(s.stored.images.shape[-1] for s in samples)
    images = np.stack([_pad(s.stored.images, height, width) for s in samples])
    batch = Batch(
        images=torch.from_numpy(images),
        ranges=torch.from_numpy(np.stack([s.stored.ranges for s in samples])),
        top=torch.tensor([s.top for s in samples]),
        left=torch.tensor([s.left for s in samples]),
        side=torch.tensor([s.side for s in samples]),
        flip=torch.tensor([s.flip for s in samples]),
        jitter=torch.from_numpy(np.stack([s.jitter for s in samples])),
    )
    keep = torch.from_numpy(np.stack([s.keep for s in samples]))
    return batch, keep, torch.tensor([s.label for s in samples])


def _pad(images: np.ndarray, height: int, width: int) -> np.ndarray:
    below, right = height - images.shape[-2], width - images.shape[-1]
    if not below and not right:
        return images
    return np.pad(images, ((0, 0), (0, 0), (0, below), (0, right)), mode="edge")

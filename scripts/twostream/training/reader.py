"""Readers: what one kind of input needs of a dataset's stores, as it is stored there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from twostream.config.streams import KINDS, Extracted
from twostream.extraction.dataset_files import DatasetFiles
from twostream.extraction.store import Store, Stored

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


class VideoReader:
    """Reads what one kind of input needs from a dataset's stores."""

    def __init__(self, what: Input, stores: dict[Extracted, Store]) -> None:
        """`stores` holds what the input reads: `frames`; or `flow`, and `backward_flow` if bidirectional."""
        self.input = what
        self._stores = stores
        self._first = stores[KINDS[what.kind].reads]

    def positions(self, video: str) -> range:
        """Return the start positions at which the whole input lies inside the video.

        A video that is too short has one; what it lacks is repeated at its ends.
        """
        count = self._first.length(video)
        if self.input.bidirectional:
            half = self.input.length // 2
            return range(half, count - half + 1) or range(count // 2, count // 2 + 1)
        return range(max(1, count - self.input.images + 1))

    def read(self, video: str, starts: Sequence[int]) -> Stored:
        """Return the inputs that start at `starts`, [starts, images, ...]; each image decoded once.

        Bidirectional inputs hold the forward fields, then the backward ones: these lead from frame
        `start` to the one before it, and on from there.
        """
        begin = np.asarray(starts)[:, None]
        if not self.input.bidirectional:
            return self._take(self._first, video, begin + np.arange(self.input.images))
        steps = np.arange(self.input.length // 2)
        ahead = self._take(self._first, video, begin + steps)
        behind = self._take(self._stores["backward_flow"], video, begin - 1 - steps)
        return Stored(
            np.concatenate([ahead.images, behind.images], axis=1),
            np.concatenate([ahead.ranges, behind.ranges], axis=1),
        )

    @staticmethod
    def _take(store: Store, video: str, numbers: np.ndarray) -> Stored:
        inside = np.clip(numbers, 0, store.length(video) - 1)
        needed, places = np.unique(inside, return_inverse=True)
        return store.read(video, needed.tolist())[places.reshape(inside.shape)]


def open_reader(what: Input, files: DatasetFiles) -> VideoReader:
    """Return a reader of a dataset's extracted frames or flow.

    Raises UserError if shards that such an input needs were not given, or are missing or damaged.
    """
    return VideoReader(what, {name: Store(files.needed(name)) for name in what.extracted})

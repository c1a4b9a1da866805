"""Readers: what one kind of input needs of a dataset's stores, as it is stored there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from twostream.config.streams import KINDS, Extracted
from twostream.extraction.dataset_files import DatasetFiles
from twostream.extraction.store import Decoded, Store, Stored

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
        """Return the inputs that start at `starts`, [starts, images, ...]."""
        stored = self.decode(video, starts).stacked()
        shape = len(starts), -1
        return Stored(
            stored.images.reshape(*shape, *stored.images.shape[1:]), stored.ranges.reshape(*shape, 3, 2)
        )

    def decode(self, video: str, starts: Sequence[int]) -> Decoded:
        """Return the images of the inputs that start at `starts`, one input after another.

        Bidirectional inputs hold the forward fields, then the backward ones: these lead from frame
        `start` to the one before it, and on from there.
        """
        if not self.input.bidirectional:
            return _decode(self._first, video, starts, range(self.input.images))
        steps = range(self.input.length // 2)
        ahead = _decode(self._first, video, starts, steps)
        behind = _decode(self._stores["backward_flow"], video, starts, [-1 - step for step in steps])
        both = [
            (half, len(steps) * place + step)
            for place in range(len(starts))
            for half in (ahead, behind)
            for step in steps
        ]
        return Decoded(
            [half.images[number] for half, number in both],
            np.stack([half.ranges[number] for half, number in both]),
        )


def _decode(store: Store, video: str, starts: Sequence[int], steps: Sequence[int]) -> Decoded:
    """Return a video's images at all steps from each start, those outside it repeated; each decoded once."""
    last = store.length(video) - 1
    numbers = [min(max(start + step, 0), last) for start in starts for step in steps]
    needed = sorted(set(numbers))
    decoded = store.decode(video, needed)
    if numbers == needed:
        return decoded
    places = {number: place for place, number in enumerate(needed)}
    order = [places[number] for number in numbers]
    return Decoded([decoded.images[place] for place in order], decoded.ranges[order])


def open_reader(what: Input, files: DatasetFiles) -> VideoReader:
    """Return a reader of a dataset's extracted frames or flow.

    Raises UserError if shards that such an input needs were not given, or are missing or damaged.
    """
    return VideoReader(what, {name: Store(files.needed(name)) for name in what.extracted})

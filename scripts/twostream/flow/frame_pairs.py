"""Consecutive frames as pairs, in the order in which flow leads from one to the other."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")
# From two gray frames, uint8 [height, width], to the displacement field from the first to the second.
PairAlgorithm = Callable[[np.ndarray, np.ndarray], np.ndarray]


def ordered_pairs(items: Iterable[Item], backward: bool) -> Iterator[tuple[Item, Item]]:
    """Yield each two consecutive items; for backward flow the later one first."""
    for earlier, later in pairwise(items):
        yield (later, earlier) if backward else (earlier, later)


def pair_by_pair(solve: PairAlgorithm, gray: Iterable[np.ndarray], backward: bool) -> Iterator[np.ndarray]:
    """Yield the fields between consecutive frames, float32 [height, width, 2], by an algorithm for pairs."""
    for first, second in ordered_pairs(gray, backward):
        yield np.asarray(solve(first, second), np.float32)

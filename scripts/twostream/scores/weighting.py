"""Fusion by a weighted mean of the streams' scores, the weights chosen on the training part.

The paper weights its streams alike (section 4). Training videos are those that the streams were fitted to,
and one may fit them better than another without being better on new videos: then it gets more weight than
it should. Test videos are not looked at. Weights go by accuracy and not by likelihood, which is best for
the surest stream alone even where others would put right what it gets wrong.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from twostream.files import UserError
from twostream.scores.fusion import aligned
from twostream.scores.score_file import Scores

# Weights are multiples of one over so many.
STEPS = 20
# Means are told apart to so many digits: those that differ by the order of a sum are equal.
DIGITS = 9


def weights(count: int) -> np.ndarray:
    """Return the weights that so many streams may have, [combinations, count]; each row sums to 1."""
    parts = np.array([p for p in product(range(STEPS + 1), repeat=count - 1) if sum(p) <= STEPS])
    return np.column_stack([parts, STEPS - parts.sum(axis=1)]) / STEPS


def weighted(*streams: Scores) -> tuple[Scores, list[float]]:
    """Return the mean of score files by the weights that `weights` has for each, and these.

    They are those of the highest `training_accuracies`, of equals the nearest to equal weights. Raises
    UserError if the files are not of the same videos, or none of these are training videos.
    """
    found = aligned(*streams)
    chosen = chosen_weights(training_accuracies(*found), len(found))
    return mixed(found, chosen), chosen


def mixed(streams: Sequence[Scores], of_streams: Sequence[float]) -> Scores:
    """Return the mean by some weights of score files of the same videos in the same order."""
    pairs = zip(streams, of_streams, strict=True)
    return replace(streams[0], scores=np.sum([weight * stream.scores for stream, weight in pairs], axis=0))


def training_accuracies(*streams: Scores) -> np.ndarray:
    """Return the accuracy of all `weights` on the training part, [combinations], in %.

    It is the mean over groups of their videos' mean, as clips of a group come from one recording. All files
    have the same videos in the same order.
    """
    parts = [stream.part("train") for stream in streams]
    groups = parts[0].groups
    if not len(groups):
        raise UserError(
            "the weights of the streams are chosen on training videos, and there are no scores of any"
        )
    names, group = np.unique(groups, return_inverse=True)
    share = 100 / np.bincount(group)[group] / len(names)
    return np.array([(share * mixed(parts, row).right()).sum() for row in weights(len(parts))])


def chosen_weights(accuracy: np.ndarray, count: int) -> list[float]:
    """Return the weights of the highest of `training_accuracies`, of equals the nearest to equal ones."""
    of_streams = weights(count)
    apart = np.abs(of_streams - 1 / count).max(axis=1).round(DIGITS)
    chosen: list[float] = of_streams[np.lexsort((apart, -accuracy.round(DIGITS)))[0]].tolist()
    return chosen

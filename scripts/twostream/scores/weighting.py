"""Fusion by a weighted mean of the two streams' scores, the weight chosen on the training part.

The paper weights its streams alike (section 4). Training videos are those that the streams were fitted to,
and one may fit them better than the other without being better on new videos: then it gets more weight than
it should. Test videos are not looked at.
"""

from dataclasses import replace

import numpy as np

from twostream.files import UserError
from twostream.scores.fusion import common_parts, matched
from twostream.scores.likelihood import losses
from twostream.scores.score_file import Scores

# Of the spatial stream; the temporal one has the rest.
WEIGHTS = np.arange(21) / 20
# Losses are told apart to so many digits: the last ones, which are the C library's, must not decide.
DIGITS = 9


def weighted(spatial: Scores, temporal: Scores) -> tuple[Scores, float]:
    """Return `weight` * spatial + (1 - `weight`) * temporal, and the weight: one of WEIGHTS.

    It is the one of the least `training_losses`, of equals the nearest to 0.5. Raises UserError if the
    two files are not of the same videos, or none of these are training videos.
    """
    spatial, temporal = common_parts(spatial, temporal)
    temporal = matched(spatial, temporal)
    weight = chosen_weight(training_losses(spatial, temporal))
    return mixed(spatial, temporal, weight), weight


def mixed(spatial: Scores, temporal: Scores, weight: float) -> Scores:
    """Return the mean of two score files of the same videos in the same order, `weight` for the first."""
    return replace(spatial, scores=weight * spatial.scores + (1 - weight) * temporal.scores)


def training_losses(spatial: Scores, temporal: Scores) -> np.ndarray:
    """Return the loss of each of WEIGHTS on the training part, [weights]: negative log-likelihood in nats.

    It is the mean over groups of their videos' mean, as clips of a group come from one recording. Both
    files have the same videos in the same order.
    """
    spatial, temporal = spatial.part("train"), temporal.part("train")
    count = len(spatial.videos)
    if not count:
        raise UserError(
            "the weight of the streams is chosen on training videos, and there are no scores of any"
        )
    first, second = (s.scores[np.arange(count), s.labels].astype(float) for s in (spatial, temporal))
    names, group = np.unique(spatial.groups, return_inverse=True)
    share = 1 / np.bincount(group)[group] / len(names)
    return np.array([(share * losses(w * first + (1 - w) * second)).sum() for w in WEIGHTS])


def chosen_weight(loss: np.ndarray) -> float:
    """Return the weight of the least of `training_losses`, of equals the nearest to 0.5."""
    return float(WEIGHTS[np.lexsort((np.abs(WEIGHTS - 0.5), loss.round(DIGITS)))[0]])

"""Paired comparison of two methods on the same test videos, by groups, by videos and over seeds.

Clips of a group come from one recording, so groups are independent and videos are not. The test that
counts flips the signs of whole groups; McNemar's, beside it, takes videos for independent, as is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, t

from twostream.benchmark import Interval
from twostream.files import UserError
from twostream.fusion import matched
from twostream.scores import Scores

Pair = tuple[Scores, Scores]


@dataclass(frozen=True)
class Differences:
    """Where two methods differ: the share of videos that the first gets right less that of the second.

    A mean over splits and seeds, as the tables'. In points of accuracy (%), each group with its share of
    the total: `by_group` [groups] sums to the difference of the accuracies, `weights` [groups] to 1.
    `by_video` [videos] is each video's own mean over the splits and seeds it is tested in, in -1..1.
    `by_seed` [seeds] is the difference of the accuracies of each seed.
    """

    by_group: np.ndarray
    weights: np.ndarray
    by_video: np.ndarray
    by_seed: np.ndarray

    @property
    def total(self) -> float:
        """The difference of the two accuracies, in points."""
        return float(self.by_group.sum())


def differences(seeds: Sequence[Sequence[Pair]]) -> Differences:
    """Return the differences between two methods, from test parts by [seed][split].

    Raises UserError if the two of a pair are not of the same videos.
    """
    groups: list[str] = []
    videos: list[str] = []
    shares, differing, of_seed = [], [], []
    for seed, splits in enumerate(seeds):
        for first, second in splits:
            each = right(first) - right(matched(first, second))
            groups += first.groups.tolist()
            videos += first.videos.tolist()
            shares.append(np.full(len(each), 1 / (len(each) * len(splits) * len(seeds))))
            differing.append(each)
            of_seed.append(np.full(len(each), seed))
    each, share = np.concatenate(differing), np.concatenate(shares)
    group = np.unique(groups, return_inverse=True)[1]
    video = np.unique(videos, return_inverse=True)[1]
    return Differences(
        by_group=100 * np.bincount(group, weights=share * each),
        weights=np.bincount(group, weights=share),
        by_video=np.bincount(video, weights=each) / np.bincount(video),
        by_seed=100 * len(seeds) * np.bincount(np.concatenate(of_seed), weights=share * each),
    )


def right(scores: Scores) -> np.ndarray:
    """Return 1.0 for each video whose highest score is its class's, and else 0.0."""
    found: np.ndarray = (scores.scores.argmax(axis=1) == scores.labels).astype(float)
    return found


def permutation_test(found: Differences, margin: float, permutations: int, seed: int) -> float:
    """Return the two-sided p-value of a difference of `margin` points: exchanging methods by group.

    If the methods differed by just the margin, each group's difference less its share of the margin
    might as well have the other sign. For no margin that is exact, since the methods may be exchanged;
    for others it takes the differences to be spread alike to both sides.
    """
    each = found.by_group - margin * found.weights
    rng = np.random.default_rng(seed)
    extreme = 0
    # In blocks, as all signs at once would take gigabytes for thousands of groups.
    for start in range(0, permutations, 1000):
        signs = rng.integers(0, 2, (min(1000, permutations - start), len(each))) * 2.0 - 1
        extreme += int((np.abs(signs @ each) >= np.abs(each.sum()) - 1e-9).sum())
    return (1 + extreme) / (1 + permutations)


def mcnemar_test(found: Differences) -> float:
    """Return the exact two-sided p-value of McNemar's test, which takes videos for independent.

    Each video counts once: for the method that gets it right more often over splits and seeds.
    """
    better, worse = int((found.by_video > 0).sum()), int((found.by_video < 0).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def seed_test(found: Differences, margin: float) -> float:
    """Return the two-sided p-value of Student's t-test of a difference of `margin` over seeds.

    Raises UserError if there is one seed only.
    """
    count = len(found.by_seed)
    if count < 2:
        raise UserError("a test over seeds needs two of them")
    middle, spread = found.by_seed.mean() - margin, found.by_seed.std(ddof=1)
    if spread == 0:
        return 0.0 if middle else 1.0
    return float(2 * t.sf(abs(middle) / (spread / np.sqrt(count)), count - 1))


def rounded(p_value: float) -> float:
    """Return a p-value to three digits, as small as it may be."""
    return float(f"{p_value:.3g}")


def difference_interval(found: Differences, interval: Interval) -> tuple[float, float]:
    """Return a 95% interval of the difference in points, resampling whole groups."""
    count = len(found.by_group)
    drawn = np.random.default_rng(interval.seed).multinomial(
        count, np.full(count, 1 / count), size=interval.resamples
    )
    low, high = np.percentile((drawn @ found.by_group) / (drawn @ found.weights), [2.5, 97.5])
    return float(low), float(high)

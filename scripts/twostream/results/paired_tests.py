"""Paired comparison of two methods on the same test videos, by groups, by videos and over seeds.

Clips of a group come from one recording, so groups are independent and videos are not. The tests that
count exchange or resample whole groups; McNemar's, beside them, takes videos for independent, as is usual.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, t

from twostream.config.benchmark import Interval, Verdicts
from twostream.files import UserError
from twostream.results.accuracy import resampled_interval
from twostream.scores.fusion import matched
from twostream.scores.score_file import Scores

Pair = tuple[Scores, Scores]


@dataclass(frozen=True)
class Differences:
    """Where two methods differ: the share of videos that the first gets right less that of the second.

    A mean over splits and seeds, as the tables'. `by_group` [groups] (points of accuracy) sums to the
    difference of the accuracies and `weights` [groups] to 1: each group's share of it, and of the
    videos. `by_video` [videos] is each video's own mean over the splits and seeds it is tested in, in
    -1..1. `by_seed` [seeds] (points) is the difference of each seed. `splits` holds for each split of
    each seed the groups [videos] and the differences [videos], in points.
    """

    by_group: np.ndarray
    weights: np.ndarray
    by_video: np.ndarray
    by_seed: np.ndarray
    splits: list[tuple[np.ndarray, np.ndarray]]

    @property
    def total(self) -> float:
        """The difference of the two accuracies, in points."""
        return float(self.by_group.sum())


def differences(seeds: Sequence[Sequence[Pair]]) -> Differences:
    """Return the differences between two methods, from test parts by [seed][split].

    Raises UserError if the two of a pair are not of the same videos.
    """
    pairs = [pair for splits in seeds for pair in splits]
    each = [first.right() - matched(first, second).right() for first, second in pairs]
    split = np.repeat(np.arange(len(pairs)), [len(values) for values in each])
    share = (1 / np.bincount(split) / len(pairs))[split]
    value = np.concatenate(each)
    group = np.unique(np.concatenate([first.groups for first, _ in pairs]), return_inverse=True)[1]
    video = np.unique(np.concatenate([first.videos for first, _ in pairs]), return_inverse=True)[1]
    return Differences(
        by_group=100 * np.bincount(group, weights=share * value),
        weights=np.bincount(group, weights=share),
        by_video=np.bincount(video, weights=value) / np.bincount(video),
        by_seed=100 * np.array([values.mean() for values in each]).reshape(len(seeds), -1).mean(axis=1),
        splits=[(first.groups, 100 * values) for (first, _), values in zip(pairs, each, strict=True)],
    )


def exchange_test(found: Differences, permutations: int, seed: int) -> float:
    """Return the two-sided p-value of no difference: the methods are exchanged group by group.

    If neither is better, they might as well be, so the difference of each group has either sign.
    """
    rng = np.random.default_rng(seed)
    extreme = 0
    # In blocks, as all signs at once would take gigabytes for thousands of groups.
    for start in range(0, permutations, 1000):
        signs = rng.integers(0, 2, (min(1000, permutations - start), len(found.by_group))) * 2.0 - 1
        extreme += int((np.abs(signs @ found.by_group) >= abs(found.total) - 1e-9).sum())
    return (1 + extreme) / (1 + permutations)


def margin_test(found: Differences, margin: float, resamples: int, seed: int) -> float:
    """Return the two-sided p-value of a difference of `margin` points: groups are resampled.

    For a difference other than zero nothing can be exchanged. How far resampled differences lie from
    the one found is measured in standard errors (the studentised bootstrap), since few groups that
    differ, all to one side, make a skewed distribution.
    """
    error = _standard_error(found.by_group, found.weights, np.ones((1, len(found.weights))))[1][0]
    if error == 0:
        return 1.0 if np.isclose(found.total, margin) else 1 / (1 + resamples)
    rng = np.random.default_rng(seed)
    count = len(found.weights)
    distances = []
    for start in range(0, resamples, 1000):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(1000, resamples - start)).astype(
            float
        )
        means, errors = _standard_error(found.by_group, found.weights, drawn)
        # Where all that were drawn differ alike, the error is zero: as far away as can be, or just there.
        with np.errstate(divide="ignore", invalid="ignore"):
            distances.append(np.nan_to_num((means - found.total) / errors, nan=0.0))
    distance = np.concatenate(distances)
    ours = (found.total - margin) / error
    tails = [(distance >= ours).sum(), (distance <= ours).sum()]
    return float(min(1.0, 2 * (1 + min(tails)) / (1 + resamples)))


def _standard_error(
    by_group: np.ndarray, weights: np.ndarray, drawn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Differences and standard errors [samples], where groups are drawn so often [samples, groups]."""
    weight = drawn @ weights
    means = (drawn @ by_group) / weight
    squares = (
        drawn @ by_group**2 - 2 * means * (drawn @ (by_group * weights)) + means**2 * (drawn @ weights**2)
    )
    count = len(weights)
    return means, np.sqrt(np.maximum(squares, 0) * count / max(1, count - 1)) / weight


def mcnemar_test(found: Differences) -> float:
    """Return the exact two-sided p-value of McNemar's test, which takes videos for independent.

    Each video counts once: for the method that gets it right more often over splits and seeds.
    """
    better, worse = int((found.by_video > 0).sum()), int((found.by_video < 0).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def seed_test(found: Differences, margin: float) -> float:
    """Return the two-sided p-value of Student's t-test of a difference of `margin` over seeds.

    Seeds that differ alike to the last video tell nothing of how they spread: 1. Raises UserError if
    there is one seed only.
    """
    count = len(found.by_seed)
    if count < 2:
        raise UserError("a test over seeds needs two of them")
    spread = found.by_seed.std(ddof=1)
    if np.isclose(spread, 0):
        return 1.0
    return float(2 * t.sf(abs(found.by_seed.mean() - margin) / (spread / np.sqrt(count)), count - 1))


def difference_columns(found: Differences, interval: Interval, verdicts: Verdicts) -> dict[str, Any]:
    """Return what is told of a difference: points, their 95% interval, and p-values of no difference.

    `difference_sd` and `p_seeds` are over seeds, none for a single one.
    """
    low, high = resampled_interval(found.splits, interval.resamples, interval.seed)
    several = len(found.by_seed) > 1
    return {
        "difference": round(found.total, 2),
        "difference_low": round(low, 2),
        "difference_high": round(high, 2),
        "difference_sd": round(float(found.by_seed.std(ddof=1)), 2) if several else None,
        "p_groups": rounded(exchange_test(found, verdicts.permutations, verdicts.seed)),
        "p_mcnemar": rounded(mcnemar_test(found)),
        "p_seeds": rounded(seed_test(found, 0)) if several else None,
    }


def rounded(p_value: float) -> float:
    """Return a p-value to three digits, as small as it may be."""
    return float(f"{p_value:.3g}")

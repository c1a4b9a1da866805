"""Accuracies of score files, and how far to trust them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from twostream.config.benchmark import Interval
from twostream.scores.score_file import Scores


def mean_class_accuracy(scores: Scores) -> float:
    """Return the mean over the classes that occur of the share of their videos got right, in %."""
    right = scores.scores.argmax(axis=1) == scores.labels
    return float(100 * np.mean([right[scores.labels == c].mean() for c in np.unique(scores.labels)]))


def top_accuracy(scores: Scores, k: int = 5) -> float:
    """Return the share of videos whose class is among the k highest scores, in %."""
    highest = np.argsort(-scores.scores, axis=1, kind="stable")[:, :k]
    return float(100 * (highest == scores.labels[:, None]).any(axis=1).mean())


def bootstrap_interval(splits: Sequence[Scores], resamples: int, seed: int) -> tuple[float, float]:
    """Return a 95% interval (%) of the accuracy's mean over splits, resampling whole groups."""
    return resampled_interval([(s.groups, 100 * s.right()) for s in splits], resamples, seed)


def resampled_interval(
    splits: Sequence[tuple[np.ndarray, np.ndarray]], resamples: int, seed: int
) -> tuple[float, float]:
    """Return a 95% interval of the mean over splits of the mean over videos, resampling whole groups.

    Each split is the groups [videos] and the values [videos]. Clips of a group come from one recording,
    so videos are not independent but groups are; a group that is in several splits is drawn for all of
    them at once.
    """
    names = sorted({group for groups, _ in splits for group in groups.tolist()})
    place = {group: i for i, group in enumerate(names)}
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    total = np.zeros(resamples)
    for groups, values in splits:
        where = np.array([place[group] for group in groups.tolist()])
        of_group = np.bincount(where, minlength=len(names))
        sum_of_group = np.bincount(where, weights=values, minlength=len(names))
        total += (drawn @ sum_of_group) / np.maximum(drawn @ of_group, 1)
    low, high = np.percentile(total / len(splits), [2.5, 97.5])
    return float(low), float(high)


# What tables say of test parts, beside their accuracy: columns of `measured`, in this order.
MEASURED = ["sd", "mean_class", "top5", "interval_low", "interval_high", "test_videos", "seeds"]


def measured(seeds: Sequence[Sequence[Scores]], interval: Interval) -> dict[str, Any]:
    """Return what tables say of the test parts by [seed][split]: means over both, in %.

    `sd` is the standard deviation over seeds of the mean over splits, none for one seed.
    """
    every = [scores for splits in seeds for scores in splits]
    low, high = bootstrap_interval(every, interval.resamples, interval.seed)
    of_seed = [float(np.mean([s.accuracy() for s in splits])) for splits in seeds]
    return {
        "accuracy": round(float(np.mean(of_seed)), 2),
        "sd": round(float(np.std(of_seed, ddof=1)), 2) if len(of_seed) > 1 else None,
        "mean_class": round(float(np.mean([mean_class_accuracy(s) for s in every])), 2),
        "top5": round(float(np.mean([top_accuracy(s) for s in every])), 2),
        "interval_low": round(low, 2),
        "interval_high": round(high, 2),
        "test_videos": sum(len(s.videos) for s in seeds[0]),
        "seeds": len(seeds),
    }

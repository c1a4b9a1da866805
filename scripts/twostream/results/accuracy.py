"""Accuracies of score files, how well their scores are calibrated, and how far to trust them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twostream.config.benchmark import Interval
from twostream.scores.likelihood import losses
from twostream.scores.score_file import Scores

# Guo et al. 2017, "On Calibration of Modern Neural Networks".
BINS = 15


def mean_class_accuracy(scores: Scores) -> float:
    """Return the mean over the classes that occur of the share of their videos got right, in %."""
    right = scores.scores.argmax(axis=1) == scores.labels
    return float(100 * np.mean([right[scores.labels == c].mean() for c in np.unique(scores.labels)]))


def top_accuracy(scores: Scores, k: int = 5) -> float:
    """Return the share of videos whose class is among the k highest scores, in %."""
    highest = np.argsort(-scores.scores, axis=1, kind="stable")[:, :k]
    return float(100 * (highest == scores.labels[:, None]).any(axis=1).mean())


def negative_log_likelihood(scores: Scores) -> float:
    """Return the mean over videos of `likelihood.losses`, in nats, from 0 to 15.9."""
    return float(losses(scores.scores[np.arange(len(scores.labels)), scores.labels]).mean())


def calibration_error(scores: Scores) -> float:
    """Return the expected calibration error, in points, from 0 to 100 (Guo et al. 2017, BINS bins).

    Videos are put into bins of equal width by their highest score; in each, how far the mean of these is
    from the share of videos got right, weighted by the bin's share of all videos.
    """
    highest = scores.scores.max(axis=1).astype(float)
    # A score on the edge of two bins is in the lower one.
    place = np.clip(np.ceil(highest * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(place, weights=scores.right() - highest, minlength=BINS)
    return float(100 * np.abs(gaps).sum() / len(highest))


@dataclass(frozen=True)
class Measure:
    """A column of the results: what it says of a test part, its heading, and the digits that are shown."""

    of: Callable[[Scores], float]
    heading: str
    digits: int = 1


# What is said of each test part: columns of tables and of other methods, means over splits and seeds.
OF_PART = {
    "mean_class": Measure(mean_class_accuracy, "per class"),
    "top5": Measure(top_accuracy, "top 5"),
    "nll": Measure(negative_log_likelihood, "NLL", digits=2),
    "ece": Measure(calibration_error, "ECE"),
}


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
MEASURED = ["sd", *OF_PART, "interval_low", "interval_high", "test_videos", "seeds"]


def measured(seeds: Sequence[Sequence[Scores]], interval: Interval) -> dict[str, Any]:
    """Return what tables say of the test parts by [seed][split]: means over both, accuracies in %.

    `sd` is the standard deviation over seeds of the mean over splits, none for one seed. What `OF_PART`
    measures has a digit more than is shown, and accuracies two.
    """
    every = [scores for splits in seeds for scores in splits]
    low, high = bootstrap_interval(every, interval.resamples, interval.seed)
    of_seed = [float(np.mean([s.accuracy() for s in splits])) for splits in seeds]
    return {
        "accuracy": round(float(np.mean(of_seed)), 2),
        "sd": round(float(np.std(of_seed, ddof=1)), 2) if len(of_seed) > 1 else None,
        **{
            column: round(float(np.mean([measure.of(s) for s in every])), measure.digits + 1)
            for column, measure in OF_PART.items()
        },
        "interval_low": round(low, 2),
        "interval_high": round(high, 2),
        "test_videos": sum(len(s.videos) for s in seeds[0]),
        "seeds": len(seeds),
    }

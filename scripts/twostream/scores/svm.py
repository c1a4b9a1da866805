"""Fusion by a multi-class linear SVM on the streams' scores (section 4)."""

import math
import warnings
from dataclasses import replace
from decimal import Decimal

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from twostream.config.scale import SVM
from twostream.files import UserError
from twostream.scores.fusion import aligned
from twostream.scores.score_file import Scores


def svm(*streams: Scores, settings: SVM, seed: int) -> tuple[Scores, float]:
    """Return the scores of a multi-class linear SVM (Crammer & Singer), and the cost it chose.

    Features are the streams' L2-normalised softmax scores, stacked. The SVM learns from the training
    part. Its cost C is the smallest of `settings.costs` whose accuracy, in cross-validation over groups of
    the training part, is within one standard error of the best one's (Breiman et al. 1984, section 3.4.3):
    networks are surer of videos that they were trained on, so what their scores gain by a larger C there
    need not hold for others. Videos of a class with few of them weigh more, so that all classes weigh the
    same; else, where C is small, a class's number of videos would decide. Scores are the softmax of its
    decision values, in which a video's classes keep their order. Raises UserError if all training videos
    are of one class.
    """
    found = aligned(*streams)
    first, features = found[0], np.hstack([normalize(stream.scores) for stream in found])
    train = first.parts == "train"
    labels, groups = first.labels[train], first.groups[train]
    if len(set(labels.tolist())) < 2:
        raise UserError("the SVM needs training videos of at least two classes")
    accuracies = {
        cost: _cross_validated(features[train], labels, groups, cost, settings.folds, seed)
        for cost in sorted(settings.costs)
    }
    cost = _within_one_standard_error(accuracies)
    machine = _fit(features[train], labels, cost, seed)
    decisions = np.full((len(features), len(first.classes)), -np.inf)
    values = machine.decision_function(features)
    decisions[:, machine.classes_] = np.stack([-values, values], 1) if values.ndim == 1 else values
    exponents = _exp(decisions - decisions.max(axis=1, keepdims=True))
    return replace(first, scores=exponents / exponents.sum(axis=1, keepdims=True)), cost


def _exp(values: np.ndarray) -> np.ndarray:
    """Return e to the power of each value, correctly rounded; NumPy's depends on the C library."""
    rounded: np.ndarray = np.vectorize(lambda value: float(Decimal(value).exp()), otypes=[float])(values)
    return rounded


def _fit(features: np.ndarray, labels: np.ndarray, cost: float, seed: int) -> LinearSVC:
    machine = LinearSVC(
        multi_class="crammer_singer", C=cost, class_weight="balanced", max_iter=5000, random_state=seed
    )
    with warnings.catch_warnings():
        # A large C on separable data stops at max_iter: close enough, and the same every time.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return machine.fit(features, labels)


def _within_one_standard_error(accuracies: dict[float, np.ndarray]) -> float:
    """Return the smallest cost whose mean accuracy over folds is within one standard error of the best.

    `accuracies` gives each cost's, of each fold; the standard error is that of the best one's mean.
    """
    means = {cost: float(folds.mean()) for cost, folds in accuracies.items()}
    best = max(sorted(means), key=means.__getitem__)
    folds = accuracies[best]
    error = float(folds.std(ddof=1)) / math.sqrt(len(folds)) if len(folds) > 1 else 0.0
    return min(cost for cost, mean in means.items() if mean >= means[best] - error)


def _cross_validated(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, cost: float, folds: int, seed: int
) -> np.ndarray:
    """Return for each fold the share of its videos that an SVM of the other folds gets right.

    A fold whose others hold one class alone counts as wrong; with one group there is a single fold, wrong.
    """
    folds = min(folds, len(set(groups.tolist())))
    if folds < 2:
        return np.zeros(1)
    splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    right = []
    for others, fold in splitter.split(features, labels, groups):
        if len(set(labels[others].tolist())) < 2:
            right.append(0.0)
            continue
        machine = _fit(features[others], labels[others], cost, seed)
        right.append(np.count_nonzero(machine.predict(features[fold]) == labels[fold]) / len(fold))
    return np.array(right)

"""Fusion of the two streams' scores (section 4): their average, or a linear SVM on top of them."""

import warnings

import numpy as np
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from twostream.config import SVM
from twostream.files import UserError
from twostream.scores import Scores


def average(spatial: Scores, temporal: Scores) -> Scores:
    """Return the mean of two score files for the same videos; raise UserError if they differ."""
    temporal = matched(spatial, temporal)
    return _with_scores(spatial, (spatial.scores + temporal.scores) / 2)


def svm(spatial: Scores, temporal: Scores, settings: SVM, seed: int) -> tuple[Scores, float]:
    """Return the scores of a multi-class linear SVM (Crammer & Singer), and the cost it chose.

    Features are the two L2-normalised softmax scores, stacked. The SVM learns from the training
    part; its cost C is the one of `settings.costs` with the highest accuracy in cross-validation
    over groups of the training part, the smallest of equals. Scores are the softmax of its decision
    values, in which a video's classes keep their order.
    """
    temporal = matched(spatial, temporal)
    features = np.hstack([normalize(spatial.scores), normalize(temporal.scores)])
    train = spatial.parts == "train"
    labels, groups = spatial.labels[train], spatial.groups[train]
    if len(set(labels.tolist())) < 2:
        raise UserError("the SVM needs training videos of at least two classes")
    accuracy = [
        _cross_validated(features[train], labels, groups, cost, settings.folds, seed)
        for cost in settings.costs
    ]
    cost = settings.costs[int(np.argmax(accuracy))]
    machine = _fit(features[train], labels, cost, seed)
    decisions = np.full((len(features), len(spatial.classes)), -np.inf)
    values = machine.decision_function(features)
    decisions[:, machine.classes_] = np.stack([-values, values], 1) if values.ndim == 1 else values
    exponents = np.exp(decisions - decisions.max(axis=1, keepdims=True))
    return _with_scores(spatial, exponents / exponents.sum(axis=1, keepdims=True)), cost


def matched(first: Scores, second: Scores) -> Scores:
    """Return `second` with its videos in the order of `first`; raise UserError if they differ."""
    if first.classes.tolist() != second.classes.tolist():
        raise UserError("the two score files have different classes")
    place = {video: i for i, video in enumerate(second.videos.tolist())}
    missing = set(first.videos.tolist()) ^ set(place)
    if missing:
        raise UserError(f"{sorted(missing)[0]} and {len(missing) - 1} more are in one score file only")
    order = [place[video] for video in first.videos.tolist()]
    if (first.labels != second.labels[order]).any() or (first.parts != second.parts[order]).any():
        raise UserError("the two score files disagree about labels or about the split")
    return _with_scores(first, second.scores[order])


def _with_scores(scores: Scores, values: np.ndarray) -> Scores:
    return Scores(scores.videos, scores.labels, scores.parts, scores.groups, values, scores.classes)


def _fit(features: np.ndarray, labels: np.ndarray, cost: float, seed: int) -> LinearSVC:
    machine = LinearSVC(multi_class="crammer_singer", C=cost, max_iter=5000, random_state=seed)
    with warnings.catch_warnings():
        # A large C on separable data stops at max_iter: close enough, and the same every time.
        warnings.simplefilter("ignore")
        return machine.fit(features, labels)


def _cross_validated(
    features: np.ndarray, labels: np.ndarray, groups: np.ndarray, cost: float, folds: int, seed: int
) -> float:
    """Return the share of videos that an SVM of the other folds gets right; -1 if none can be made.

    Folds that hold all of a class's groups are left out, as no SVM could know that class.
    """
    folds = min(folds, len(set(groups.tolist())))
    right = [
        (_fit(features[a], labels[a], cost, seed).predict(features[b]) == labels[b])
        for a, b in GroupKFold(folds, shuffle=True, random_state=seed).split(features, labels, groups)
        if len(set(labels[a].tolist())) > 1
    ]
    return float(np.concatenate(right).mean()) if right else -1.0

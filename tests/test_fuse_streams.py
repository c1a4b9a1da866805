"""Score files and their fusion."""

import json
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from conftest import ROOT, call, said
from scipy.special import softmax
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from twostream.config.scale import SVM
from twostream.files import UserError
from twostream.scores.fusion import average
from twostream.scores.score_file import Scores, read_scores, write_scores
from twostream.scores.svm import _within_one_standard_error, svm
from twostream.scores.weighting import chosen_weights, training_accuracies, weighted, weights


def make_scores(seed: int, classes: int = 3, videos: int = 60, skill: float = 1.0) -> Scores:
    """Scores that point to the true class, more or less."""
    labels = np.arange(videos) % classes
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(videos, classes)) + skill * np.eye(classes)[labels]
    values = np.exp(logits)
    return Scores(
        videos=np.array([f"v{i}" for i in range(videos)]),
        labels=labels,
        parts=np.array(["train" if i < videos // 2 else "test" for i in range(videos)]),
        groups=np.array([f"g{i // 4}" for i in range(videos)]),
        scores=values / values.sum(axis=1, keepdims=True),
        classes=np.array([f"c{c}" for c in range(classes)]),
    )


def shuffled(scores: Scores) -> Scores:
    order = np.random.default_rng(9).permutation(len(scores.videos))
    per_video = ("videos", "labels", "parts", "groups", "scores")
    return replace(scores, **{name: getattr(scores, name)[order] for name in per_video})


def test_a_score_file_comes_back_the_same_with_the_same_bytes(tmp_path):
    scores = make_scores(0)
    for name in ("1.npz", "2.npz"):
        write_scores(scores, tmp_path / name)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    back = read_scores(tmp_path / "1.npz")
    assert (back.scores == scores.scores).all() and (back.videos == scores.videos).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": np.full(60, 3)}, "labels"),
        ({"labels": np.zeros(60)}, "labels"),
        ({"labels": np.zeros(59, int)}, "`labels` has 59 rows"),
        ({"parts": np.full(60, "val")}, "more than train and test"),
        ({"videos": np.full(60, "v")}, "twice"),
        ({"scores": np.full((60, 3), 0.5)}, "sum to 1"),
        ({"scores": np.full((60, 3), np.nan)}, "not finite"),
        ({"scores": np.full((60, 2), 0.5)}, "not .videos, classes."),
    ],
)
def test_a_wrong_score_file_is_refused(tmp_path, change, said):
    with pytest.raises(UserError, match=said):
        write_scores(replace(make_scores(0), **change), tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_score_file_is_refused(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(UserError, match=r"x\.npz: is not a score file"):
        read_scores(tmp_path / "x.npz")


def test_averaging_is_the_mean_whatever_the_order_of_the_videos():
    spatial, temporal = make_scores(1), make_scores(2)
    fused = average(spatial, shuffled(temporal))
    np.testing.assert_allclose(fused.scores, (spatial.scores + temporal.scores) / 2)


def test_an_average_of_three_is_the_mean_of_each_score():
    first, second, third = make_scores(1), make_scores(2), make_scores(3)
    fused = average(first, shuffled(second), shuffled(third))
    by_hand = np.mean([first.scores, second.scores, third.scores], axis=0)
    np.testing.assert_allclose(fused.scores, by_hand, rtol=1e-15)
    np.testing.assert_allclose(average(first, first, first).scores, first.scores, rtol=1e-15)


def test_of_three_streams_only_the_part_is_fused_that_all_have():
    fused = average(make_scores(1), make_scores(2), make_scores(3).part("test"))
    assert set(fused.parts) == {"test"}


def test_one_stream_does_not_fuse():
    for fuse in (average, weighted, partial(svm, settings=SVM(costs=[1.0], folds=3), seed=0)):
        with pytest.raises(UserError, match="two streams or more"):
            fuse(make_scores(1))


def test_score_files_of_different_videos_or_labels_do_not_fuse():
    spatial = make_scores(1)
    with pytest.raises(UserError, match="in one score file only"):
        average(spatial, make_scores(2, videos=63))
    other = make_scores(2)
    with pytest.raises(UserError, match="disagree about labels"):
        average(spatial, replace(other, labels=(other.labels + 1) % 3))
    with pytest.raises(UserError, match="different classes"):
        average(spatial, make_scores(2, classes=4))


@pytest.mark.parametrize("count", [2, 3])
def test_the_svm_is_crammer_and_singers_on_stacked_normalised_scores(count):
    spatial, *others = (make_scores(1 + number) for number in range(count))
    fused, cost = svm(spatial, *map(shuffled, others), settings=SVM(costs=[1.0], folds=3), seed=0)
    assert cost == 1.0
    unit = [s.scores / np.linalg.norm(s.scores, axis=1, keepdims=True) for s in (spatial, *others)]
    features, train = np.hstack(unit), spatial.parts == "train"
    machine = LinearSVC(
        multi_class="crammer_singer", class_weight="balanced", C=1.0, max_iter=100_000, random_state=0
    )
    decisions = machine.fit(features[train], spatial.labels[train]).decision_function(features)
    assert (fused.scores.argmax(1) == decisions.argmax(1)).all()
    np.testing.assert_allclose(fused.scores, softmax(decisions, axis=1), rtol=1e-6)


def test_where_the_cost_is_small_classes_of_few_training_videos_are_not_passed_over():
    """Networks are sure of their training videos, so all costs do as well there; not so on others."""
    counts, classes, random = [60, 60, 10, 10, 10], np.arange(5), np.random.default_rng(0)
    labels = np.concatenate([np.repeat(classes, counts), np.repeat(classes, 100)])
    parts = np.repeat(["train", "test"], [sum(counts), 500])
    streams = []
    for _ in range(2):
        sureness = np.where(parts == "train", 8.0, 1.5)[:, None] * np.eye(5)[labels]
        scores = softmax(random.normal(size=(len(labels), 5)) + sureness, axis=1)
        videos = np.array([f"v{i}" for i in range(len(labels))])
        streams.append(Scores(videos, labels, parts, videos, scores, np.array([f"c{c}" for c in classes])))
    averaged = average(*streams).part("test").accuracy()
    for cost in (1e-4, 0.1):
        fused, _ = svm(*streams, settings=SVM(costs=[cost], folds=3), seed=0)
        assert fused.part("test").accuracy() > averaged - 2


def test_scores_of_the_svm_do_not_depend_on_the_c_librarys_exp(monkeypatch):
    spatial, temporal = make_scores(1), make_scores(2)
    monkeypatch.setattr(np, "exp", None)
    fused, _ = svm(spatial, temporal, settings=SVM(costs=[1.0], folds=3), seed=0)
    np.testing.assert_allclose(fused.scores.sum(axis=1), 1)


def test_the_svm_chooses_its_cost_by_the_one_standard_error_rule_over_groups():
    """The smallest of those near the best, by scikit-learn's own search; it differs from case to case."""
    costs, chosen, best = [0.001, 0.1, 1.0, 10.0], set(), set()
    for seed in range(4):
        spatial, temporal = (make_scores(seed + n, skill=1.5, videos=240) for n in (0, 10))
        _, cost = svm(spatial, temporal, settings=SVM(costs=costs[::-1], folds=3), seed=0)
        train = spatial.parts == "train"
        search = GridSearchCV(
            LinearSVC(multi_class="crammer_singer", class_weight="balanced", max_iter=5000, random_state=0),
            {"C": costs},
            cv=GroupKFold(3, shuffle=True, random_state=0),
        )
        features = np.hstack([normalize(spatial.scores), normalize(temporal.scores)])[train]
        search.fit(features, spatial.labels[train], groups=spatial.groups[train])
        found = search.cv_results_
        # scikit-learn's deviation divides by the number of folds; ours is that of a sample.
        error = found["std_test_score"][search.best_index_] * np.sqrt(3 / 2) / np.sqrt(3)
        near = found["mean_test_score"] >= search.best_score_ - error
        assert cost == min(c for c, is_near in zip(costs, near, strict=True) if is_near)
        chosen.add(cost)
        best.add(search.best_params_["C"])
    assert len(chosen) > 1 and chosen != best


def test_the_one_standard_error_rule_by_hand():
    # Mean 0.8, and a standard error of 0.1 / sqrt(3) = 0.058.
    folds = {10.0: [0.7, 0.8, 0.9], 0.1: [0.75, 0.75, 0.75], 1.0: [0.5, 0.9, 0.9], 0.01: [0.7, 0.7, 0.8]}
    assert chosen_of(folds) == 0.1
    # No fold differs from another: the best itself, and the smallest of equals.
    assert chosen_of({0.1: [0.7, 0.7], 1.0: [0.8, 0.8], 10.0: [0.8, 0.8]}) == 1.0
    assert chosen_of({0.1: [0.0], 1.0: [0.0]}) == 0.1


def chosen_of(accuracies: dict[float, list[float]]) -> float:
    return _within_one_standard_error({cost: np.array(folds) for cost, folds in accuracies.items()})


def test_two_classes_and_a_class_without_training_videos_work():
    two, _ = svm(make_scores(1, 2), make_scores(2, 2), settings=SVM(costs=[1.0], folds=3), seed=0)
    assert two.scores.shape == (60, 2)
    spatial, temporal = make_scores(1), make_scores(2)
    parts = np.where(spatial.labels == 2, "test", spatial.parts)
    fused, _ = svm(
        *(replace(stream, parts=parts) for stream in (spatial, temporal)),
        settings=SVM(costs=[1.0], folds=3),
        seed=0,
    )
    assert (fused.scores[:, 2] == 0).all()


def training_accuracy(streams: list[Scores], of_streams: tuple[float, ...]) -> float:
    """As scikit-learn has it, each group of videos counting once."""
    train = streams[0].parts == "train"
    size = np.unique(streams[0].groups[train], return_counts=True)[1]
    fused = sum(w * s.scores[train] for w, s in zip(of_streams, streams, strict=True))
    return 100 * accuracy_score(
        streams[0].labels[train],
        fused.argmax(axis=1),
        sample_weight=1 / size[np.unique(streams[0].groups[train], return_inverse=True)[1]],
    )


def test_the_weight_is_that_of_the_highest_accuracy_on_the_training_part():
    spatial, temporal = make_scores(1, skill=1.0), make_scores(2, skill=1.5)
    fused, (weight, rest) = weighted(spatial, shuffled(temporal))
    by_weight = [training_accuracy([spatial, temporal], (w, 1 - w)) for w in np.arange(21) / 20]
    np.testing.assert_allclose(training_accuracies(spatial, temporal), by_weight)
    assert by_weight[round(weight * 20)] == max(by_weight) > by_weight[10]
    assert 0 < weight < 1 and weight != 0.5 and rest == pytest.approx(1 - weight)
    np.testing.assert_allclose(fused.scores, weight * spatial.scores + (1 - weight) * temporal.scores)


def test_weights_are_all_multiples_of_a_twentieth_that_sum_to_one():
    assert (weights(2) == np.column_stack([np.arange(21), np.arange(20, -1, -1)]) / 20).all()
    three = weights(3)
    # As they are in a record: 0.45, and not 0.44999999999999996.
    assert max(len(str(weight)) for weight in three.ravel().tolist()) == len("0.45")
    assert len(np.unique(three.round(9), axis=0)) == len(three) == 21 * 22 // 2
    assert (three >= 0).all() and np.abs(three.sum(axis=1) - 1).max() < 1e-15


def test_of_three_streams_the_weights_are_those_of_the_highest_accuracy():
    streams = [make_scores(number, skill=skill) for number, skill in ((1, 0.8), (2, 1.5), (3, 1.2))]
    fused, chosen = weighted(*streams)
    tried = {
        (a / 20, b / 20): training_accuracy(streams, (a / 20, b / 20, 1 - (a + b) / 20))
        for a in range(21)
        for b in range(21 - a)
    }
    assert tried[chosen[0], chosen[1]] == pytest.approx(max(tried.values()))
    assert sum(chosen) == pytest.approx(1) and max(tried.values()) > tried[0.35, 0.3]
    np.testing.assert_allclose(fused.scores, sum(w * s.scores for w, s in zip(chosen, streams, strict=True)))


def test_a_stream_that_is_surest_but_not_best_alone_does_not_get_all_the_weight():
    """One is sure and right of two classes of four, the other right of the others, less sure of all."""
    labels = np.arange(40) % 4
    sure = np.where(labels[:, None] < 2, np.eye(4)[labels], 0.25)
    hazy = np.full((40, 4), 0.2) + 0.2 * np.eye(4)[np.where(labels < 2, 0, labels)]
    one, other = (replace(make_scores(1, 4, 40), scores=scores) for scores in (sure, hazy))
    fused, chosen = weighted(one, other)
    assert fused.accuracy() == 100 and chosen == [0.5, 0.5]


def test_the_test_part_has_no_say_in_the_weight():
    spatial, temporal = make_scores(1, skill=0.5), make_scores(2, skill=2)
    test = spatial.parts == "test"
    turned = replace(temporal, scores=np.where(test[:, None], temporal.scores[:, ::-1], temporal.scores))
    assert weighted(spatial, turned)[1] == weighted(spatial, temporal)[1]


def test_of_equal_weights_the_nearest_to_one_half_is_taken():
    assert weighted(make_scores(1), make_scores(1))[1] == [0.5, 0.5]
    accuracy = np.full(21, 50.0)
    accuracy[[2, 14]] = 60
    assert chosen_weights(accuracy, 2) == pytest.approx([0.7, 0.3])
    accuracy[2] += 1e-12  # by the order of a sum
    assert chosen_weights(accuracy, 2) == pytest.approx([0.7, 0.3])


def test_without_training_videos_there_is_no_weight():
    spatial, temporal = make_scores(1), make_scores(2).part("test")
    with pytest.raises(UserError, match="chosen on training videos"):
        weighted(spatial, temporal)


def test_the_chosen_weight_is_in_the_record(tmp_path):
    for number, name in enumerate(("spatial", "temporal"), 1):
        write_scores(make_scores(number), tmp_path / f"{name}.npz")
    recipe = json.dumps({"method": "weighted", "svm": None, "seed": 0})
    command = ["python", str(ROOT / "scripts/fuse_streams.py"), "--recipe", recipe, "--out", "fused.npz"]
    said(tmp_path, *command, "--spatial", "spatial.npz", "--temporal", "temporal.npz")
    expected, (spatial, temporal) = weighted(make_scores(1), make_scores(2))
    assert (read_scores(tmp_path / "fused.npz").scores == expected.scores).all()
    record = json.loads((tmp_path / "fused.record.json").read_text())
    assert record["weights"] == {"spatial": spatial, "temporal": temporal}


@pytest.mark.parametrize(
    ("temporal", "message"),
    [
        (None, r"--spatial spatial\.npz: fusing takes the score files of two streams or more"),
        (
            make_scores(2, videos=63),
            r"--spatial spatial\.npz, --temporal temporal\.npz: v60 and 2 more are in",
        ),
        (make_scores(2, classes=4), r"temporal\.npz: the score files have different classes"),
    ],
)
def test_what_does_not_fuse_is_named(tmp_path, temporal, message):
    write_scores(make_scores(1), tmp_path / "spatial.npz")
    options = ["--spatial", "spatial.npz"]
    if temporal:
        write_scores(temporal, tmp_path / "temporal.npz")
        options += ["--temporal", "temporal.npz"]
    recipe = json.dumps({"method": "average", "svm": None, "seed": 0})
    script = str(ROOT / "scripts/fuse_streams.py")
    done = call(tmp_path, "python", script, "--recipe", recipe, "--out", "fused.npz", *options)
    assert done.returncode == 1 and re.search(message, done.stdout)
    assert not (tmp_path / "fused.npz").exists()

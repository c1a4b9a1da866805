"""Simulated reproductions: methods are as accurate as the paper says, and correlated as was asked for."""

from itertools import product

import numpy as np
import pytest
from claim_power import GROUPS, Experiment, Shares, accuracy_sd, claims_of_the_paper, outcomes
from scipy.stats import multivariate_normal, norm

SHARES = Shares(methods=0.7, groups=0.5, training=0.3, training_sd=0.6)
RECIPE = claims_of_the_paper()
CLAIMS = {claim.number: claim for claim in RECIPE.claims}
# Claim 9's is on split 1 of UCF-101.
COMPARED = CLAIMS[9].comparisons[0]


def right(shares: Shares, run: str, experiment: int, seed: int = 0, accuracy: float = 80) -> np.ndarray:
    return Experiment(shares, experiment).scores(run, accuracy, COMPARED, 1, seed).right()


def test_test_parts_have_the_official_sizes():
    scores = Experiment(SHARES, 0).scores("flow-10", 81, COMPARED, 1, 0)
    assert len(scores.videos) == 3783 and len(set(scores.groups.tolist())) == GROUPS["UCF-101"] == 707


def test_methods_are_on_average_as_accurate_as_the_paper_says():
    found = [100 * right(SHARES, "a", experiment, accuracy=81).mean() for experiment in range(40)]
    assert np.mean(found) == pytest.approx(81, abs=4 * np.std(found) / np.sqrt(40))


def both(correlation: float) -> float:
    """How often two methods of 80% are both right."""
    place = norm.ppf(0.8)
    return multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([place, place])


def test_methods_and_clips_are_correlated_as_asked():
    shares = Shares(methods=0.7, groups=0.5, training=0.3, training_sd=0)
    together, clips = [], []
    for number in range(30):
        experiment = Experiment(shares, number)
        first, second = (experiment.scores(run, 80, COMPARED, 1, 0).right() for run in "ab")
        together.append((first * second).mean())
        same = np.diff(experiment.scores("a", 80, COMPARED, 1, 0).groups) == 0
        clips.append((first[1:] * first[:-1])[same].mean())
    assert np.mean(together) == pytest.approx(both(0.7), abs=0.01)
    assert np.mean(clips) == pytest.approx(both(0.5), abs=0.01)


def test_trainings_of_a_method_differ_by_luck_and_by_the_standard_deviation_that_was_asked_for():
    alike = Shares(methods=0.7, groups=0.5, training=0, training_sd=0)
    assert accuracy_sd(alike, COMPARED) == pytest.approx(0, abs=1e-9)
    asked = Shares(methods=0.7, groups=0.5, training=0, training_sd=1)
    assert accuracy_sd(asked, COMPARED) == pytest.approx(1, abs=0.15)
    assert accuracy_sd(SHARES, COMPARED) > 0.6


def test_an_experiment_is_the_same_each_time_and_another_by_its_number():
    for run, seed in product("ab", (0, 1)):
        assert (right(SHARES, run, 3, seed) == right(SHARES, run, 3, seed)).all()
    assert (right(SHARES, "a", 3) != right(SHARES, "a", 4)).any()


def test_large_differences_are_always_told_and_small_ones_not_on_one_seed():
    verdicts = RECIPE.verdicts.model_copy(update={"permutations": 100})
    experiment = Experiment(SHARES, 0)
    assert outcomes(CLAIMS[1], experiment, [1, 3], verdicts) == {1: "holds", 3: "holds"}
    assert outcomes(CLAIMS[7], experiment, [1], verdicts) == {1: "one seed"}
    assert outcomes(CLAIMS[12], experiment, [1], verdicts)[1] in {"one seed", "undecided"}

"""Paired tests, against enumeration, formulas and other libraries, and how often they err."""

from dataclasses import replace
from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.stats import norm, ttest_1samp
from test_make_table import with_right

from twostream.config.benchmark import Interval, Verdicts
from twostream.files import UserError
from twostream.results.accuracy import bootstrap_interval
from twostream.results.paired_tests import (
    Differences,
    difference_columns,
    differences,
    exchange_test,
    margin_test,
    mcnemar_test,
    seed_test,
)
from twostream.scores.score_file import Scores

VERDICTS = Verdicts(marginal=2, by_far=5, level=0.05, permutations=200, seed=0)


def pair(first: list[bool], second: list[bool], groups: list[str]) -> tuple[Scores, Scores]:
    return with_right(first, groups), with_right(second, groups)


def random_pair(rng: np.random.Generator, groups: int = 9) -> tuple[Scores, Scores]:
    names = [f"g{i % groups}" for i in range(5 * groups)]
    return pair(*([bool(x) for x in rng.random(len(names)) < p] for p in (0.8, 0.6)), names)


def test_differences_by_hand():
    """Two videos of one group, two groups of one: the first method is right where the second is not twice."""
    found = differences([[pair([True, True, False, True], [False, True, True, False], list("aabc"))]])
    assert found.total == pytest.approx(25)
    assert found.by_group.tolist() == pytest.approx([25, -25, 25])
    assert found.weights.tolist() == pytest.approx([0.5, 0.25, 0.25])
    assert found.by_video.tolist() == [1, 0, -1, 1]
    assert found.by_seed.tolist() == pytest.approx([25])


def test_the_difference_is_the_mean_over_splits_and_seeds_whatever_their_size():
    rng = np.random.default_rng(0)
    seeds = [[random_pair(rng, groups) for groups in (4, 9)] for _ in range(3)]
    found = differences(seeds)
    of_seed = [np.mean([a.accuracy() - b.accuracy() for a, b in splits]) for splits in seeds]
    assert found.by_seed.tolist() == pytest.approx(of_seed)
    assert found.total == pytest.approx(np.mean(of_seed))
    assert found.weights.sum() == pytest.approx(1)


def test_the_interval_against_a_method_that_is_always_wrong_is_that_of_the_accuracy():
    rng = np.random.default_rng(8)
    splits = [random_pair(rng, groups)[0] for groups in (4, 9, 7)]
    wrong = [with_right([False] * len(s.videos), s.groups.tolist()) for s in splits]
    found = differences([list(zip(splits, wrong, strict=True))])
    told = difference_columns(found, Interval(resamples=300, seed=1), VERDICTS)
    low, high = bootstrap_interval(splits, 300, 1)
    assert (told["difference_low"], told["difference_high"]) == pytest.approx((low, high), abs=0.01)


def test_videos_are_matched_by_name():
    first, second = random_pair(np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(len(second.videos))
    per_video = ("videos", "labels", "parts", "groups", "scores")
    shuffled = replace(second, **{name: getattr(second, name)[order] for name in per_video})
    assert differences([[(first, shuffled)]]).total == differences([[(first, second)]]).total
    with pytest.raises(UserError, match="in one score file only"):
        differences([[(first, random_pair(np.random.default_rng(1), 5)[1])]])


def test_the_exchange_test_is_that_of_all_exchanges_of_groups():
    found = differences([[random_pair(np.random.default_rng(3))]])
    sums = [abs(np.dot(signs, found.by_group)) for signs in product((1, -1), repeat=len(found.by_group))]
    exact = np.mean([total >= abs(found.total) - 1e-9 for total in sums])
    assert exchange_test(found, 20000, 0) == pytest.approx(exact, abs=0.01)


def drawn(groups: int, clips: int, better: float, worse: float, rng: np.random.Generator) -> Differences:
    """Two methods of which the first, or the second, is right alone on such a share of the videos."""
    place = rng.random(groups * clips)
    first, second = place < better, (place >= better) & (place < better + worse)
    return differences(
        [[pair(first.tolist(), second.tolist(), [f"g{i // clips}" for i in range(len(place))])]]
    )


def test_the_margin_test_is_the_normal_one_for_many_groups():
    found = drawn(2000, 1, 0.2, 0.1, np.random.default_rng(4))
    each = found.by_group * len(found.by_group)
    distance = (each.mean() - 8) / (each.std(ddof=1) / np.sqrt(len(each)))
    assert margin_test(found, 8, 20000, 0) == pytest.approx(2 * norm.sf(abs(distance)), abs=0.02)


@pytest.mark.parametrize(
    ("groups", "clips", "better", "worse"), [(156, 2, 0.05, 0.0), (156, 2, 0.125, 0.075)]
)
def test_a_difference_of_just_the_margin_is_rarely_taken_for_another(groups, clips, better, worse):
    """Also where all that differ do so to one side, which makes the differences skewed."""
    rng = np.random.default_rng(7)
    margin = 100 * (better - worse)
    p_values = [margin_test(drawn(groups, clips, better, worse, rng), margin, 200, 0) for _ in range(200)]
    assert np.mean(np.array(p_values) < 0.05) < 0.09


def test_where_all_groups_differ_alike_the_margin_is_met_or_not():
    found = differences([[pair([True] * 8, [False] * 8, list("aabbccdd"))]])
    assert margin_test(found, 100, 100, 0) == 1
    assert margin_test(found, 5, 100, 0) < 0.05


def test_mcnemar_is_the_binomial_of_the_videos_that_differ():
    found = differences([[pair([True] * 9 + [False] * 3, [False] * 8 + [True] * 4, [*"abcdefghijkl"])]])
    better, worse = 8, 3
    tail = sum(comb(better + worse, k) for k in range(worse + 1)) / 2 ** (better + worse)
    assert mcnemar_test(found) == pytest.approx(2 * tail)
    same = differences([[pair([True] * 4, [True] * 4, list("abcd"))]])
    assert mcnemar_test(same) == 1 and exchange_test(same, 100, 0) == 1


def test_a_video_counts_once_for_mcnemar_over_seeds():
    one = pair([True] * 6 + [False] * 2, [False] * 6 + [True] * 2, list("abcdefgh"))
    assert mcnemar_test(differences([[one]] * 3)) == mcnemar_test(differences([[one]]))


def test_the_test_over_seeds_is_students():
    found = Differences(np.zeros(1), np.ones(1), np.zeros(1), np.array([1.0, 2.5, 0.5, 3.0]), [])
    assert seed_test(found, 0.4) == pytest.approx(ttest_1samp(found.by_seed, 0.4).pvalue)
    with pytest.raises(UserError, match="two"):
        seed_test(replace(found, by_seed=np.array([1.0])), 0)


def test_seeds_that_differ_alike_tell_nothing():
    found = Differences(np.zeros(1), np.ones(1), np.zeros(1), np.array([0.3, 0.3]), [])
    assert seed_test(found, 0) == 1


def test_the_interval_of_a_difference_is_the_normal_one_for_many_groups():
    rng = np.random.default_rng(5)
    names = [f"g{i}" for i in range(900)]
    first, second = (rng.random(900) < p for p in (0.8, 0.7))
    found = differences([[pair(first.tolist(), second.tolist(), names)]])
    each = 100 * (first.astype(float) - second)
    half = 1.96 * each.std() / 30
    told = difference_columns(found, Interval(resamples=4000, seed=0), VERDICTS)
    assert (told["difference_low"], told["difference_high"]) == pytest.approx(
        (each.mean() - half, each.mean() + half), abs=0.4
    )


def test_where_clips_of_a_group_agree_groups_err_as_often_as_they_may_and_mcnemar_more():
    """Two methods that are equally good, each right or wrong on all six clips of a group."""
    rng = np.random.default_rng(6)
    names = [f"g{i // 6}" for i in range(180)]
    by_group, by_video = [], []
    for _ in range(300):
        right = [np.repeat(rng.random(30) < 0.7, 6).tolist() for _ in range(2)]
        found = differences([[pair(right[0], right[1], names)]])
        by_group.append(exchange_test(found, 200, 0) < 0.05)
        by_video.append(mcnemar_test(found) < 0.05)
    assert np.mean(by_group) < 0.09
    assert np.mean(by_video) > 0.3

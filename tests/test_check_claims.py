"""Verdicts on claims: by margins, by groups, over seeds, and in which words."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from test_make_table import with_right

from twostream.benchmark import Benchmark, Verdicts
from twostream.claims import check_claims, judge, readable, sampling_error
from twostream.comparison import Differences
from twostream.loading import load, parse
from twostream.recipes import ClaimsRecipe
from twostream.scores import Scores

VERDICTS = Verdicts(marginal=2, by_far=5, level=0.05, permutations=1000, seed=0)


def spread(middle: float, seeds: int, width: float = 0.5) -> Differences:
    """A difference of so many points, nearly the same in each of 50 groups and for each seed."""
    around = width * np.linspace(-1, 1, 50)
    return Differences(
        by_group=(middle + around) / 50,
        weights=np.full(50, 1 / 50),
        by_video=np.zeros(1),
        by_seed=middle + width * np.linspace(-1, 1, seeds) if seeds > 1 else np.array([middle]),
    )


@pytest.mark.parametrize(
    ("expected", "points", "outcome"),
    [
        ("better", 1, "holds"),
        ("better", -1, "fails"),
        ("better", 0, "undecided"),
        ("far_better", 8, "holds"),
        ("far_better", 3, "fails"),
        ("far_better", 5, "undecided"),
        ("marginally_better", 1, "holds"),
        ("marginally_better", 4, "fails"),
        ("marginally_better", -1, "fails"),
        ("marginally_better", 0, "undecided"),
        ("marginally_better", 2, "undecided"),
        ("no_better", -3, "holds"),
        ("no_better", 0, "holds"),
        ("no_better", 1, "fails"),
        ("no_better", 4, "fails"),
    ],
)
def test_margins_decide(expected, points, outcome):
    assert judge(spread(points, seeds=5), expected, VERDICTS) == outcome


@pytest.mark.parametrize("expected", ["marginally_better", "no_better"])
def test_small_differences_are_not_judged_on_one_seed(expected):
    assert judge(spread(1, seeds=1), expected, VERDICTS) == "one seed"
    assert judge(spread(1, seeds=1), "better", VERDICTS) == "holds"


def test_what_holds_for_the_videos_but_not_over_seeds_is_undecided():
    found = spread(3, seeds=1)
    apart = Differences(found.by_group, found.weights, found.by_video, np.array([-4.0, 3.0, 10.0]))
    assert judge(apart, "better", VERDICTS) == "undecided"


def test_the_papers_sampling_error_is_the_binomials():
    """81.0 against 81.2 on the 3,783 test videos of split 1."""
    by_hand = 1.96 * np.sqrt((0.81 * 0.19 + 0.812 * 0.188) / 3783) * 100
    assert sampling_error((81.2, 81.0), [3783]) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(1.77, abs=0.01)
    assert sampling_error((50, 50), [1000, 1000]) == pytest.approx(1.96 * np.sqrt(0.5 / 2000) * 100)


def recipe(data: str = "generated", expected: str = "better", seeds: int = 1) -> ClaimsRecipe:
    def compared(run: str) -> dict:
        return {
            "comparison": {
                "run": run, "expected": expected, "than": "c", "dataset": "primary", "splits": [1]
            },
            "paper": [81.2, 81.0],
            "files": [f"{run}-{{split}}-{{seed}}", "c-{split}-{seed}"],
        }  # fmt: skip

    benchmark = yaml.safe_load((ROOT / "config/benchmark.yaml").read_text())
    content = {
        "claims": [
            {"claim": "Both", "comparisons": [compared("a"), compared("b")]},
            {"claim": "One", "comparisons": [compared("a")]},
        ],
        "verdicts": VERDICTS.model_dump(),
        "interval": {"resamples": 100, "seed": 0},
        "paper": benchmark["datasets"],
        "our_names": {"primary": "demo_a", "secondary": "demo_b"},
        "data": data,
        "seeds": list(range(seeds)),
    }
    return parse(ClaimsRecipe, content, "test")


def read(name: str) -> Scores:
    """`a` is right on all videos, `b` on none, `c` on half of them."""
    right = {"a": [True] * 40, "b": [False] * 40, "c": [True, False] * 20}[name[0]]
    return with_right(right, [f"g{i}" for i in range(40)])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("generated", ["holds in the model", "does not hold in the model"]),
        ("paper", ["reproduced", "not reproduced"]),
        ("other", ["holds on this data", "does not hold on this data"]),
    ],
)
def test_a_claim_holds_if_all_its_comparisons_do_in_words_for_the_data(data, words):
    claims = check_claims(recipe(data), read)
    assert claims["number"].tolist() == [1, 1, 2]
    assert claims["verdict"].tolist() == [words[0], words[1], words[0]]
    assert claims["claim_verdict"].tolist() == [words[1], words[1], words[0]]
    assert claims["difference"].tolist() == [50, -50, 50]
    assert claims["ours_run"].tolist() == [100, 0, 100]
    assert claims["paper_within_error"].all()
    assert claims["sd"].isna().all() and claims["p_seeds"].isna().all()


def test_marginal_claims_on_one_seed_say_so():
    claims = check_claims(recipe(expected="marginally_better"), read)
    assert set(claims["verdict"]) == {"undecided: one seed does not tell a small difference"}
    several = check_claims(recipe(expected="marginally_better", seeds=3), read)
    assert several["seeds"].tolist() == [3] * 3 and several["sd"].tolist() == [0] * 3
    assert several["claim_verdict"].tolist() == ["does not hold in the model"] * 3


def test_the_print_out_names_each_claim_once_with_its_comparisons(tmp_path):
    file = tmp_path / "claims.csv"
    check_claims(recipe(), read).to_csv(file, index=False)
    text = readable(pd.read_csv(file, dtype={"splits": "string"}))
    assert text.count("1. Both: DOES NOT HOLD IN THE MODEL") == text.count("2. One: HOLDS IN THE MODEL") == 1
    assert "b > c; UCF-101, split 1" in text and "-50.0" in text
    assert "3 are within the sampling error" in text and "claim 1 (2), 2 (1)" in text


def test_all_claims_of_the_paper_are_there_with_its_numbers():
    benchmark = parse(Benchmark, yaml.safe_load((ROOT / "config/benchmark.yaml").read_text()), "benchmark")
    assert len(benchmark.claims) == 16
    numbers = {
        number: {
            tuple(benchmark.published(run, c.dataset, c.splits) for run in (c.run, c.than))
            for c in claim.comparisons
        }
        for number, claim in enumerate(benchmark.claims, 1)
    }
    # From the text of the paper; the rest is in the tables.
    assert numbers[2] == {(52.3, 42.5)} and numbers[3] == {(72.8, 72.7)} and numbers[4] == {(72.7, 59.9)}
    assert numbers[7] == {(81.0, 79.9), (80.2, 79.6)} and numbers[8] == {(81.0, 80.2), (79.9, 79.6)}
    assert numbers[9] == {(81.2, 81.0)} and numbers[11] == {(56.4, 52.3), (81.0, 56.4)}
    assert numbers[12] == {(55.4, 52.8), (52.8, 49.0), (49.0, 46.6)} and numbers[13] == {(81.5, 81.0)}
    assert (87.0, 86.2) in numbers[15] and numbers[16] == {(85.6, 85.9)}


@pytest.mark.parametrize(("scale", "data"), [("demo", "generated"), ("paper", "paper")])
def test_reproduced_is_a_word_for_the_papers_datasets(scale, data):
    from twostream.plan import Plan

    plan = Plan(load(ROOT / "config", {"scale": scale}))
    made = plan.check_claims().recipe
    assert isinstance(made, ClaimsRecipe) and made.data == data


def test_margins_leave_room_for_the_papers_own_words():
    """What the paper calls marginal or far is so by the margins."""
    benchmark = parse(Benchmark, yaml.safe_load(Path(ROOT / "config/benchmark.yaml").read_text()), "b")
    for claim in benchmark.claims:
        for c in claim.comparisons:
            first, second = (benchmark.published(run, c.dataset, c.splits) for run in (c.run, c.than))
            difference = first - second
            assert {
                "better": difference > 0,
                "far_better": difference > benchmark.verdicts.by_far,
                "marginally_better": 0 < difference < benchmark.verdicts.marginal,
                "no_better": difference <= 0,
            }[c.expected], claim.claim

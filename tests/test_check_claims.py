"""Verdicts on claims: by margins, by groups, over seeds, and in which words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT
from test_make_table import with_right

from twostream import paths
from twostream.config.benchmark import Benchmark, Verdicts
from twostream.config.loading import load_config, parse
from twostream.config.networks import Backbone
from twostream.config.recipes import ClaimsRecipe
from twostream.results.claims import check_claims, judge, sampling_error
from twostream.results.formatting import as_text, claim_overview, claim_rows, read_table, sampling_note
from twostream.results.paired_tests import Differences
from twostream.scores.score_file import Scores

VERDICTS = Verdicts(marginal=2, by_far=5, level=0.05, permutations=1000, seed=0)


def spread(middle: float, seeds: int, width: float = 0.5) -> Differences:
    """A difference of so many points, nearly the same in each of 50 groups and for each seed."""
    around = width * np.linspace(-1, 1, 50)
    return Differences(
        by_group=(middle + around) / 50,
        weights=np.full(50, 1 / 50),
        by_video=np.zeros(1),
        by_seed=middle + width * np.linspace(-1, 1, seeds) if seeds > 1 else np.array([middle]),
        splits=[],
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
        ("marginally_better", 0.1, "holds"),
        ("marginally_better", 0, "holds"),
        ("marginally_better", -0.1, "holds"),
        ("marginally_better", 2, "undecided"),
        ("no_better", -3, "holds"),
        ("no_better", 0, "holds"),
        ("no_better", 1, "fails"),
        ("no_better", 4, "fails"),
    ],
)
def test_margins_decide(expected, points, outcome):
    assert judge(spread(points, seeds=5), expected, VERDICTS) == outcome


def test_what_holds_for_the_videos_but_not_over_seeds_is_undecided():
    found = spread(3, seeds=1)
    apart = replace(found, by_seed=np.array([-4.0, 3.0, 10.0]))
    assert judge(apart, "better", VERDICTS) == "undecided"


def test_the_papers_sampling_error_is_the_binomials():
    """81.0 against 81.2 on the 3,783 test videos of split 1."""
    by_hand = 1.96 * np.sqrt((0.81 * 0.19 + 0.812 * 0.188) / 3783) * 100
    assert sampling_error([(81.2, 81.0)], [3783]) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(1.77, abs=0.01)
    assert sampling_error([(50, 50)], [1000, 1000]) == pytest.approx(1.96 * np.sqrt(0.5 / 2000) * 100)
    assert sampling_error([(81.2, 81.0)] * 4, [3783]) == pytest.approx(by_hand / 2)


def recipe(
    data: str = "generated",
    expected: str = "better",
    seeds: int = 1,
    paper: tuple[float, float] = (70.8, 42.5),
    videos: int = 40,
) -> ClaimsRecipe:
    def compared(run: str) -> dict:
        return {
            "comparison": {
                "run": run, "expected": expected, "than": "c", "dataset": "primary", "splits": [1]
            },
            "datasets": ["UCF-101", "ours"],
            "data": data,
            "paper": [paper],
            "paper_videos": [videos],
            "files": [[f"{run}-{{split}}-{{seed}}", "c-{split}-{seed}"]],
        }  # fmt: skip

    content = {
        "claims": [
            {"number": 3, "claim": "Both", "comparisons": [compared("a"), compared("b")]},
            {"number": 5, "claim": "One", "comparisons": [compared("a")]},
        ],
        "verdicts": VERDICTS.model_dump(),
        "interval": {"resamples": 100, "seed": 0},
        "seeds": list(range(seeds)),
    }
    return parse(ClaimsRecipe, content, "test")


def read(name: str) -> Scores:
    """`a` is right on all videos but one for each seed, `b` on just these, `c` on half of all."""
    run, _, seed = name.split("-")
    first = [i < int(seed) for i in range(40)]
    right = {"a": [not f for f in first], "b": first, "c": [True, False] * 20}[run]
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
    assert claims["number"].tolist() == [3, 3, 5]
    assert claims["verdict"].tolist() == [words[0], words[1], words[0]]
    assert claims["claim_verdict"].tolist() == [words[1], words[1], words[0]]
    assert claims["difference"].tolist() == [50, -50, 50]
    assert claims["ours_run"].tolist() == [100, 0, 100]
    assert not claims["paper_within_error"].any()
    assert claims["difference_sd"].isna().all() and claims["p_seeds"].isna().all()


@pytest.mark.parametrize(
    ("expected", "paper"),
    [("marginally_better", (81.0, 80.2)), ("no_better", (85.6, 85.9)), ("better", (81.0, 79.9))],
)
def test_small_differences_are_not_judged_on_one_seed(expected, paper):
    one, several = (check_claims(recipe(expected=expected, seeds=n, paper=paper), read) for n in (1, 3))
    assert set(one["verdict"]) == {"undecided on one seed (the paper's difference is small)"}
    assert one["p_margin_seeds"].isna().all()
    assert several["seeds"].tolist() == [3] * 3 and (several["difference_sd"] > 0).tolist()[0]
    verdict = "holds" if expected == "better" else "does not hold"
    assert several["verdict"][0] == f"{verdict} in the model"


def test_what_the_papers_test_set_is_too_small_for_is_not_judged_on_one_seed():
    """55.4 against 52.8 on 1,530 videos: more than `marginal`, less than the sampling error of 3.5."""
    one, several = (check_claims(recipe(seeds=n, paper=(55.4, 52.8), videos=1530), read) for n in (1, 3))
    assert one["paper_within_error"].all() and (one["paper_difference"] > VERDICTS.marginal).all()
    assert set(one["verdict"]) == {"undecided on one seed (the paper's difference is small)"}
    assert several["verdict"][0] == "holds in the model"
    surely = check_claims(recipe(paper=(55.4, 51.8), videos=1530), read)
    assert not surely["paper_within_error"].any() and surely["verdict"][0] == "holds in the model"


def pooled(seeds: int = 1) -> ClaimsRecipe:
    """One claim, on the mean of two pairs; the paper's numbers are of another split than ours."""
    given = recipe(seeds=seeds)
    compared = given.claims[1].comparisons[0]
    comparison = compared.comparison.model_copy(
        update={"run": ["a", "b"], "than": ["c", "d"], "splits": [2], "paper_splits": [1]}
    )
    files = [("a-{split}-{seed}", "c-{split}-{seed}"), ("b-{split}-{seed}", "c-{split}-{seed}")]
    numbers = {"paper": [(81.0, 79.9), (80.2, 79.6)], "paper_videos": [3783, 40], "files": files}
    compared = compared.model_copy(update={"comparison": comparison, **numbers})
    claim = given.claims[1].model_copy(update={"comparisons": [compared]})
    return given.model_copy(update={"claims": [claim]})


def test_pairs_of_runs_are_judged_by_the_mean_of_their_differences(tmp_path):
    """`a` is 50 points better than `c`, `b` 50 points worse; together they are as good."""
    check_claims(pooled(seeds=3), read).to_csv(tmp_path / "claims.csv", index=False)
    claims = read_table(str(tmp_path / "claims.csv"))
    (row,) = claims.to_dict("records")
    assert (row["run"], row["than"]) == ("a, b", "c, d")
    assert row["difference"] == 0 and row["test_videos"] == 40 and row["seeds"] == 3
    assert row["difference_low"] < 0 < row["difference_high"]
    assert (row["paper_run"], row["paper_than"]) == pytest.approx((80.6, 79.75))
    assert row["paper_difference"] == pytest.approx(0.85)
    assert row["paper_error"] == pytest.approx(sampling_error([(81.0, 79.9), (80.2, 79.6)], [3783]), abs=0.01)
    assert "mean of a, b > c, d; UCF-101, split 2" in as_text(claim_rows(claims))
    assert claim_overview(claims)[1][1:3] == ("+0.8 (split 1)", "+0.0")


def test_nothing_is_reproduced_without_all_videos():
    claims = check_claims(recipe("paper", videos=41), read)
    assert claims["verdict"][0] == "holds on this data"


def test_scores_that_know_no_seeds_count_once():
    fixed = recipe(seeds=3)
    one = fixed.claims[1].comparisons[0].model_copy(update={"files": [("a-{split}-0", "c-{split}-0")]})
    claim = fixed.claims[1].model_copy(update={"comparisons": [one]})
    claims = check_claims(fixed.model_copy(update={"claims": [claim]}), read)
    assert claims["seeds"].tolist() == [1] and claims["difference_sd"].isna().all()


def test_the_print_out_names_each_claim_once_with_its_comparisons(tmp_path):
    file = tmp_path / "claims.csv"
    check_claims(recipe(paper=(81.2, 81.0), seeds=3, videos=3783), read).to_csv(file, index=False)
    claims = read_table(str(file))
    text = as_text(claim_rows(claims))
    assert text.count("3. Both: DOES NOT HOLD IN THE MODEL") == text.count("5. One: HOLDS IN THE MODEL") == 1
    assert "b > c; UCF-101, split 1" in text and "± 1.8" in text and "-47.5" in text
    assert "3 differences 3 are within" in sampling_note(claims) and "3 (2), 5 (1)" in sampling_note(claims)
    assert "0 are within the sampling error of its test set." in sampling_note(
        claims.assign(paper_within_error=False)
    )


def test_all_claims_of_the_paper_are_there_with_its_numbers():
    benchmark = parse(Benchmark, yaml.safe_load((ROOT / "config/benchmark.yaml").read_text()), "benchmark")
    assert [claim.number for claim in benchmark.claims] == list(range(1, 18))
    numbers = {
        claim.number: {
            tuple(benchmark.published(run, c.dataset, c.published_splits) for run in pair)
            for c in claim.comparisons
            for pair in c.pairs
        }
        for claim in benchmark.claims
    }
    # From the text of the paper; the rest is in the tables.
    assert numbers[2] == {(52.3, 42.5)} and numbers[3] == {(72.8, 72.7)} and numbers[4] == {(72.7, 59.9)}
    assert numbers[7] == {(81.0, 79.9), (80.2, 79.6)} and numbers[8] == {(81.0, 80.2), (79.9, 79.6)}
    assert numbers[9] == {(81.2, 81.0)} and numbers[11] == {(56.4, 52.3), (81.0, 56.4)}
    assert numbers[12] == {(55.4, 52.8), (52.8, 49.0), (49.0, 46.6)} and numbers[13] == {(81.5, 81.0)}
    assert (87.0, 86.2) in numbers[15] and numbers[16] == {(85.6, 85.9)}
    assert numbers[17] == {(86.2, 85.9)}


@pytest.mark.parametrize(("scale", "data"), [("demo", "generated"), ("paper", "paper")])
def test_reproduced_is_a_word_for_the_papers_datasets(scale, data):
    from twostream.plan.plan import Plan

    plan = Plan(load_config(ROOT / "config", {"scale": scale}))
    made = plan.step_of(paths.CLAIMS).recipe
    assert isinstance(made, ClaimsRecipe)
    assert {compared.data for claim in made.claims for compared in claim.comparisons} == {data}


def test_what_a_backbone_is_compared_in_is_no_reproduction():
    from twostream.plan.plan import Plan

    config = load_config(ROOT / "config", {"scale": "paper"})
    networks = config.scale.networks | {"temporal": Backbone(backbone="resnet18")}
    scale = config.scale.model_copy(update={"networks": networks})
    made = Plan(config.model_copy(update={"scale": scale})).step_of(paths.CLAIMS).recipe
    found = {pair: c.data for claim in made.claims for c in claim.comparisons for pair in c.comparison.pairs}
    assert found["spatial-scratch-d09", "spatial-scratch-d05"] == "paper"
    assert found["flow-5", "flow-1"] == found["flow-10", "slow-fusion"] == "other"
    assert found["multitask-svm", "multitask-average"] == "other"


def test_margins_leave_room_for_the_papers_own_words():
    """What the paper calls marginal or far is so by the margins."""
    benchmark = parse(Benchmark, yaml.safe_load(Path(ROOT / "config/benchmark.yaml").read_text()), "b")
    for claim in benchmark.claims:
        for c in claim.comparisons:
            numbers = [
                [benchmark.published(run, c.dataset, c.published_splits) for run in pair] for pair in c.pairs
            ]
            difference = np.mean([first - second for first, second in numbers])
            assert {
                "better": difference > 0,
                "far_better": difference > benchmark.verdicts.by_far,
                "marginally_better": 0 < difference < benchmark.verdicts.marginal,
                "no_better": difference <= 0,
            }[c.expected], claim.claim

"""What the paper claims, judged on our score files: a row a comparison."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from twostream.config.benchmark import Expected, Verdicts
from twostream.config.recipes import ClaimsRecipe, Compared, Data
from twostream.results.paired_tests import (
    Differences,
    Pair,
    difference_columns,
    differences,
    exchange_test,
    margin_test,
    rounded,
    seed_test,
)
from twostream.scores.score_file import Scores

Outcome = Literal["holds", "fails", "undecided", "one seed"]

# The word for each outcome: on drawn videos the model of the experiment is judged, and not the paper.
WORDS: dict[Data, dict[Outcome, str]] = {
    "generated": {"holds": "holds in the model", "fails": "does not hold in the model"},
    "paper": {"holds": "reproduced", "fails": "not reproduced"},
    "other": {"holds": "holds on this data", "fails": "does not hold on this data"},
}
UNDECIDED: dict[Outcome, str] = {
    "undecided": "undecided at this sample size",
    "one seed": "undecided on one seed (the paper's difference is small)",
}


def check_claims(recipe: ClaimsRecipe, read: Callable[[str], Scores]) -> pd.DataFrame:
    """Return the rows of results/claims.csv, in the order of the claims; accuracies in %.

    `read` gives the scores in a file; their test parts are compared. docs/claims.md explains the columns.
    """
    rows = []
    for claim in recipe.claims:
        judged = [_row(compared, recipe, read) for compared in claim.comparisons]
        claimed = together(outcome for _, outcome, _ in judged)
        # The claim is as much the paper's as the least of its comparisons.
        data = min((data for _, _, data in judged), key=["generated", "other", "paper"].index)
        for content, outcome, own in judged:
            verdicts = {"verdict": word(outcome, own), "claim_verdict": word(claimed, data)}
            rows.append({"number": claim.number, "claim": claim.claim} | content | verdicts)
    return pd.DataFrame(rows).astype({"test_videos": "Int64", "seeds": "Int64"})


def word(outcome: Outcome, data: Data) -> str:
    """Return what an outcome is called on such data."""
    return {**WORDS[data], **UNDECIDED}[outcome]


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """Return what comes out for a claim: it holds if all its comparisons do, and fails if one does."""
    found = set(outcomes)
    order: tuple[Outcome, ...] = ("fails", "undecided", "one seed", "holds")
    return next(outcome for outcome in order if outcome in found)


def _row(
    compared: Compared, recipe: ClaimsRecipe, read: Callable[[str], Scores]
) -> tuple[dict[str, Any], Outcome, Data]:
    """A comparison's columns but the verdict, what came out, and on whose data."""
    comparison, verdicts = compared.comparison, recipe.verdicts
    pairs = _pairs(compared, recipe.seeds, read)
    found = differences(pairs)
    videos = sum(len(first.videos) for first, _ in pairs[0][: len(comparison.splits)])
    paper_run, paper_than = (float(np.mean(numbers)) for numbers in zip(*compared.paper, strict=True))
    error = _error(compared)
    # Without the videos that are skipped it is not the paper's test.
    skipped = compared.data == "paper" and videos != sum(_videos(compared, comparison.splits))
    content = {
        "run": ", ".join(run for run, _ in comparison.pairs),
        "expected": comparison.expected,
        "than": ", ".join(than for _, than in comparison.pairs),
        "paper_dataset": compared.datasets[0],
        "paper_splits": _numbers(comparison.published_splits),
        "splits": _numbers(comparison.splits),
        "paper_run": round(paper_run, 2),
        "paper_than": round(paper_than, 2),
        "paper_difference": round(paper_run - paper_than, 2),
        "paper_error": round(error, 2),
        "paper_within_error": abs(paper_run - paper_than) <= error,
        "our_dataset": compared.datasets[1],
        "ours_run": round(_mean(first for splits in pairs for first, _ in splits), 2),
        "ours_than": round(_mean(second for splits in pairs for _, second in splits), 2),
        **difference_columns(found, recipe.interval, verdicts),
        **_against_margin(found, comparison.expected, verdicts),
        "seeds": len(pairs),
        "test_videos": videos,
    }
    return content, outcome_of(compared, found, verdicts), "other" if skipped else compared.data


def outcome_of(compared: Compared, found: Differences, verdicts: Verdicts) -> Outcome:
    """Return what comes out for a comparison: as `judge` says, unless one seed cannot tell.

    One training may be better than another by as much as a small difference, whatever its input: by one
    of less than `marginal`, or within the sampling error of the paper's test set.
    """
    first, second = (float(np.mean(numbers)) for numbers in zip(*compared.paper, strict=True))
    small = abs(first - second) < verdicts.marginal or abs(first - second) <= _error(compared)
    if small and len(found.by_seed) < 2:
        return "one seed"
    return judge(found, compared.comparison.expected, verdicts)


def _error(compared: Compared) -> float:
    return sampling_error(compared.paper, _videos(compared, compared.comparison.published_splits))


def _videos(compared: Compared, splits: list[int]) -> list[int]:
    """The paper's test videos of each split."""
    return [compared.paper_videos[split - 1] for split in splits]


def _numbers(splits: list[int]) -> str:
    return " ".join(map(str, splits))


def _pairs(compared: Compared, seeds: list[int], read: Callable[[str], Scores]) -> list[list[Pair]]:
    """The test parts of both, by [seed][pair of runs and split].

    Pairs count like splits: what is compared is their mean, and a group that occurs in several is one.
    Methods that were not trained here have no seeds.
    """
    if not any("{seed}" in file for files in compared.files for file in files):
        seeds = seeds[:1]

    def pair(files: tuple[str, str], split: int, seed: int) -> Pair:
        first, second = (read(file.format(split=split, seed=seed)).part("test") for file in files)
        return first, second

    splits = compared.comparison.splits
    return [[pair(files, split, seed) for files in compared.files for split in splits] for seed in seeds]


def _mean(scores: Iterable[Scores]) -> float:
    return float(np.mean([found.accuracy() for found in scores]))


def sampling_error(paper: Sequence[tuple[float, float]], videos: list[int]) -> float:
    """Return the half-width (points) of the 95% interval of the difference of published accuracies (%).

    They are means over splits with so many test videos each; of several pairs it is the mean
    difference's. Which videos each got right is not published, so they are taken for independent, and
    videos too: for methods that err on the same videos it is less, for clips of the same recording more.
    """
    shares = [accuracy / 100 for pair in paper for accuracy in pair]
    spread = sum(share * (1 - share) for share in shares) / len(paper) ** 2
    variance = sum(spread / count for count in videos) / len(videos) ** 2
    return float(100 * 1.96 * np.sqrt(variance))


def margins(expected: Expected, verdicts: Verdicts) -> list[float]:
    """Return the margins (points) other than zero that decide a comparison."""
    return {
        "better": [],
        "far_better": [verdicts.by_far],
        "marginally_better": [verdicts.marginal, -verdicts.marginal],
        "no_better": [verdicts.marginal],
    }[expected]


def _against_margin(found: Differences, expected: Expected, verdicts: Verdicts) -> dict[str, Any]:
    """The margin and the p-values of a difference of it; of two margins the larger p-values."""
    decisive = margins(expected, verdicts)
    if not decisive:
        return {"margin": None, "p_margin": None, "p_margin_seeds": None}
    several = len(found.by_seed) > 1
    return {
        "margin": decisive[0],
        "p_margin": rounded(max(_by_groups(found, margin, verdicts) for margin in decisive)),
        "p_margin_seeds": rounded(max(seed_test(found, m) for m in decisive)) if several else None,
    }


def judge(found: Differences, expected: Expected, verdicts: Verdicts) -> Outcome:
    """Return whether a comparison comes out as the paper claims.

    `better`: the difference is above zero. `far_better`: above the margin `by_far`.
    `marginally_better`: the two are equivalent, above -`marginal` and below `marginal`, and it is not
    below zero. `no_better`: below `marginal`, and not above zero. Each must be significant by groups
    and, with several seeds, over these; what is significantly otherwise fails.
    """

    def side(margin: float) -> int:
        return _side(found, margin, verdicts)

    if expected in ("better", "far_better"):
        of_side: dict[int, Outcome] = {-1: "fails", 0: "undecided", 1: "holds"}
        return of_side[side(0 if expected == "better" else verdicts.by_far)]
    if expected == "no_better":
        return "fails" if side(0) > 0 else "holds" if side(verdicts.marginal) < 0 else "undecided"
    if side(0) < 0 or side(verdicts.marginal) > 0:
        return "fails"
    return "holds" if side(verdicts.marginal) < 0 < side(-verdicts.marginal) else "undecided"


def _side(found: Differences, margin: float, verdicts: Verdicts) -> int:
    """1 if the difference is significantly above a margin, -1 if below, 0 if neither."""
    p_values = [_by_groups(found, margin, verdicts)]
    if len(found.by_seed) > 1:
        p_values.append(seed_test(found, margin))
    return int(np.sign(found.total - margin)) if max(p_values) < verdicts.level else 0


def _by_groups(found: Differences, margin: float, verdicts: Verdicts) -> float:
    if margin == 0:
        return exchange_test(found, verdicts.permutations, verdicts.seed)
    return margin_test(found, margin, verdicts.permutations, verdicts.seed)

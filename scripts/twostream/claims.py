"""What the paper claims, judged on our score files: a row a comparison."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from twostream.benchmark import Comparison, Expected, Verdicts
from twostream.comparison import (
    Differences,
    Pair,
    difference_interval,
    differences,
    mcnemar_test,
    permutation_test,
    rounded,
    seed_test,
)
from twostream.recipes import ClaimsRecipe, Compared, Data
from twostream.scores import Scores
from twostream.tables import aligned, number, p_value

Outcome = Literal["holds", "fails", "undecided", "one seed"]

# The word for each outcome: on drawn videos the model of the experiment is judged, and not the paper.
WORDS: dict[Data, dict[Outcome, str]] = {
    "generated": {"holds": "holds in the model", "fails": "does not hold in the model"},
    "paper": {"holds": "reproduced", "fails": "not reproduced"},
    "other": {"holds": "holds on this data", "fails": "does not hold on this data"},
}
UNDECIDED: dict[Outcome, str] = {
    "undecided": "undecided at this sample size",
    "one seed": "undecided: one seed does not tell a small difference",
}
# One training may be better than another by as much, whatever its input; so seeds must decide these.
SMALL: tuple[Expected, ...] = ("marginally_better", "no_better")


def check_claims(recipe: ClaimsRecipe, read: Callable[[str], Scores]) -> pd.DataFrame:
    """Return the rows of results/claims.csv, in the order of the claims; accuracies in %.

    `read` gives the scores in a file; their test parts are compared. README.md explains the columns.
    """
    rows = []
    for place, claim in enumerate(recipe.claims, start=1):
        judged = [_row(compared, recipe, read) for compared in claim.comparisons]
        all_in_all = _together(outcome for _, outcome in judged)
        for content, outcome in judged:
            verdicts = {
                "verdict": word(outcome, recipe.data),
                "claim_verdict": word(all_in_all, recipe.data),
            }
            rows.append({"number": place, "claim": claim.claim} | content | verdicts)
    return pd.DataFrame(rows).astype({"test_videos": "Int64", "seeds": "Int64"})


def word(outcome: Outcome, data: Data) -> str:
    """Return what an outcome is called on such data."""
    return {**WORDS[data], **UNDECIDED}[outcome]


def _together(outcomes: Iterable[Outcome]) -> Outcome:
    """A claim holds if all its comparisons do, and fails if one does."""
    found = set(outcomes)
    order: tuple[Outcome, ...] = ("fails", "undecided", "one seed", "holds")
    return next(outcome for outcome in order if outcome in found)


def _row(
    compared: Compared, recipe: ClaimsRecipe, read: Callable[[str], Scores]
) -> tuple[dict[str, Any], Outcome]:
    comparison, verdicts = compared.comparison, recipe.verdicts
    seeds = [
        [_pair(compared.files, split, seed, read) for split in comparison.splits] for seed in recipe.seeds
    ]
    found = differences(seeds)
    low, high = difference_interval(found, recipe.interval)
    margin = margin_of(comparison.expected, verdicts)
    error = sampling_error(compared.paper, _paper_videos(comparison, recipe))
    paper_difference = compared.paper[0] - compared.paper[1]
    several = len(recipe.seeds) > 1
    content = {
        "run": comparison.run,
        "expected": comparison.expected,
        "than": comparison.than,
        "paper_dataset": getattr(recipe.paper, comparison.dataset).name,
        "splits": " ".join(map(str, comparison.splits)),
        "paper_run": compared.paper[0],
        "paper_than": compared.paper[1],
        "paper_difference": round(paper_difference, 2),
        "paper_error": round(error, 2),
        "paper_within_error": abs(paper_difference) <= error,
        "our_dataset": getattr(recipe.our_names, comparison.dataset),
        "ours_run": round(_mean(first for splits in seeds for first, _ in splits), 2),
        "ours_than": round(_mean(second for splits in seeds for _, second in splits), 2),
        "difference": round(found.total, 2),
        "interval_low": round(low, 2),
        "interval_high": round(high, 2),
        "seeds": len(recipe.seeds),
        "sd": round(float(found.by_seed.std(ddof=1)), 2) if several else None,
        "p_groups": rounded(permutation_test(found, 0, verdicts.permutations, verdicts.seed)),
        "margin": margin or None,
        "p_margin": rounded(permutation_test(found, margin, verdicts.permutations, verdicts.seed))
        if margin
        else None,
        "p_seeds": rounded(seed_test(found, 0)) if several else None,
        "p_mcnemar": rounded(mcnemar_test(found)),
        "test_videos": sum(len(first.videos) for first, _ in seeds[0]),
    }
    return content, judge(found, comparison.expected, verdicts)


def _pair(files: tuple[str, str], split: int, seed: int, read: Callable[[str], Scores]) -> Pair:
    first, second = (read(file.format(split=split, seed=seed)).part("test") for file in files)
    return first, second


def _mean(scores: Iterable[Scores]) -> float:
    return float(np.mean([found.accuracy() for found in scores]))


def _paper_videos(comparison: Comparison, recipe: ClaimsRecipe) -> list[int]:
    of_split = getattr(recipe.paper, comparison.dataset).test_videos
    return [of_split[split - 1] for split in comparison.splits]


def sampling_error(paper: tuple[float, float], videos: list[int]) -> float:
    """Return the half-width (points) of the 95% interval of the difference of two published accuracies (%).

    They are means over splits with so many test videos each. Which videos each got right is not
    published, so they are taken for independent, and videos too: for methods that err on the same
    videos it is less, for clips of the same recording more.
    """
    shares = [accuracy / 100 for accuracy in paper]
    spread = sum(share * (1 - share) for share in shares)
    variance = sum(spread / count for count in videos) / len(videos) ** 2
    return float(100 * 1.96 * np.sqrt(variance))


def margin_of(expected: Expected, verdicts: Verdicts) -> float:
    """Return the margin (points) that a comparison is judged by beside zero; zero if by none."""
    margins = {"far_better": verdicts.by_far, "marginally_better": verdicts.marginal}
    return {**margins, "no_better": verdicts.marginal}.get(expected, 0.0)


def judge(found: Differences, expected: Expected, verdicts: Verdicts) -> Outcome:
    """Return whether a comparison comes out as the paper claims.

    `better`: the difference is above zero. `far_better`: above the margin `by_far`.
    `marginally_better`: above zero and below `marginal`. `no_better`: below `marginal`, and not above
    zero. Each must be significant by groups and, with several seeds, over these; what is significantly
    otherwise fails.
    """
    if expected in SMALL and len(found.by_seed) < 2:
        return "one seed"
    zero = _side(found, 0, verdicts)
    margin = _side(found, margin_of(expected, verdicts), verdicts)
    if expected in ("better", "far_better"):
        return "holds" if margin > 0 else "fails" if margin < 0 else "undecided"
    if expected == "marginally_better":
        if zero < 0 or margin > 0:
            return "fails"
        return "holds" if zero > 0 and margin < 0 else "undecided"
    return "fails" if zero > 0 else "holds" if margin < 0 else "undecided"


def _side(found: Differences, margin: float, verdicts: Verdicts) -> int:
    """1 if the difference is significantly above a margin, -1 if below, 0 if neither."""
    p_values = [permutation_test(found, margin, verdicts.permutations, verdicts.seed)]
    if len(found.by_seed) > 1:
        p_values.append(seed_test(found, margin))
    return int(np.sign(found.total - margin)) if max(p_values) < verdicts.level else 0


SIGNS: dict[str, str] = {
    "better": ">",
    "far_better": ">>",
    "marginally_better": "> a little",
    "no_better": "not >",
}


def readable(claims: pd.DataFrame) -> str:
    """Return the claims as text for a terminal: each with its verdict, and under it its comparisons."""
    rows = shown(claims)
    lines = iter(aligned([cells for cells in rows if len(cells) > 1]).splitlines())
    text = [f"\n{cells[0]}" if len(cells) == 1 else f"   {next(lines)}" for cells in rows]
    within = int(claims["paper_within_error"].sum())
    return "\n".join(
        [
            "Claims of the paper: differences of two accuracies, in points",
            "",
            *text,
            "",
            f"Of the paper's own {len(claims)} differences {within} are within the sampling error of its test"
            f" set: {_within(claims)}.",
        ]
    )


def shown(claims: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the claims as they are shown: the headings, and a row of texts for each comparison.

    Above the comparisons of a claim it stands with its verdict, a row of one cell.
    """
    differences = ("paper", "sampling error", "ours", "95% interval", "sd")
    tests = ("p (groups)", "p (McNemar)", "p (seeds)")
    rows: list[tuple[str, ...]] = [("", *differences, *tests, "verdict")]
    for (place, claim, verdict), compared in claims.groupby(["number", "claim", "claim_verdict"]):
        rows.append((f"{place}. {claim}: {str(verdict).upper()}",))
        rows += map(_cells, compared.to_dict("records"))
    return rows


def _within(claims: pd.DataFrame) -> str:
    of_claim = claims[claims["paper_within_error"]].groupby("number").size()
    return "claim " + ", ".join(f"{number} ({count})" for number, count in of_claim.items())


def _cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    splits = f"split{'s' if ' ' in row['splits'] else ''} {row['splits'].replace(' ', ', ')}"
    return (
        f"{row['run']} {SIGNS[row['expected']]} {row['than']}; {row['paper_dataset']}, {splits}",
        f"{row['paper_difference']:+.1f}",
        f"± {row['paper_error']:.1f}",
        f"{row['difference']:+.1f}",
        f"{row['interval_low']:+.1f} to {row['interval_high']:+.1f}",
        number(row["sd"]),
        p_value(row["p_groups"]),
        p_value(row["p_mcnemar"]),
        p_value(row["p_seeds"]),
        row["verdict"],
    )

"""How often each claim would be decided, if the paper's numbers were the truth: simulated trainings.

For each claim, score files are simulated on test parts of the official sizes, by methods that are on
average as accurate as the paper says, and judged as ours are. What is simulated is which videos a training
gets right: those whose difficulty is below what the method's accuracy wants. Difficulty is normally
distributed, a sum of what a video has for all methods, for one method, and for one training; of each, a
part is the same for all clips of a group. Besides, each training is better or worse on all videos alike.
All of these shares are options, as nobody has published which videos the paper's networks got right.

    PYTHONPATH=scripts python benchmarks/claim_power.py --experiments 200  # the table of docs/claims.md
    PYTHONPATH=scripts python benchmarks/claim_power.py --training-sd 0.9 --seeds 5 10

A hundred reproductions take about five minutes.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split
import numpy as np
from scipy.stats import norm

from twostream import paths
from twostream.config.benchmark import Verdicts
from twostream.config.loading import load_config
from twostream.config.recipes import ClaimRecipe, ClaimsRecipe, Compared
from twostream.plan.plan import Plan
from twostream.results.claims import Outcome, outcome_of, together
from twostream.results.paired_tests import Pair, differences
from twostream.scores.score_file import Scores

# Test groups in each split: UCF-101 has 7 of each of 101 classes. HMDB-51 has 30 test videos of each of 51;
# how many clips come from one film varies, and three a group are taken for all.
GROUPS = {"UCF-101": 101 * 7, "HMDB-51": 51 * 10}


@dataclass(frozen=True)
class Shares:
    """What difficulties are made of (shares of their variance), and how trainings differ (points)."""

    methods: float
    groups: float
    training: float
    training_sd: float


class Experiment:
    """One reproduction of all trainings; what it draws is drawn once, whoever asks for it first."""

    def __init__(self, shares: Shares, seed: int) -> None:
        self._shares = shares
        self._rng = np.random.default_rng(seed)
        # They are those of this experiment alone.
        self._common, self._own, self._trained = (
            cache(draw) for draw in (self._draw_common, self._draw_own, self._draw_training)
        )

    def scores(self, run: str, accuracy: float, compared: Compared, split: int, seed: int) -> Scores:
        """Return the test part of a training whose method is right on so many videos (%) on average."""
        dataset, videos = compared.datasets[0], compared.paper_videos[split - 1]
        difficulty, better = self._trained(run, dataset, videos, split, seed)
        right = difficulty < norm.ppf(np.clip((accuracy + better) / 100, 0.001, 0.999))
        # Test groups of different splits are different ones.
        groups = split * 10_000 + _groups(dataset, videos)
        return Scores(
            videos=split * 10_000 + np.arange(videos),
            labels=np.zeros(videos, int),
            parts=np.full(videos, "test"),
            groups=groups,
            scores=np.where(right[:, None], [1.0, 0.0], [0.0, 1.0]),
            classes=np.array(["its own", "another"]),
        )

    def _draw_training(
        self, run: str, dataset: str, videos: int, split: int, seed: int
    ) -> tuple[np.ndarray, float]:
        """The difficulty of each video for a training, and by how much it is better than its method."""
        shares = self._shares
        of_method = 1 - shares.methods
        parts = (
            (shares.methods, self._common(dataset, videos, split)),
            (of_method * (1 - shares.training), self._own(run, dataset, videos, split)),
            (of_method * shares.training, self._draw(dataset, videos)),
        )
        better = shares.training_sd * float(self._rng.normal())
        return sum(np.sqrt(share) * part for share, part in parts), better

    def _draw_common(self, dataset: str, videos: int, _split: int) -> np.ndarray:
        return self._draw(dataset, videos)

    def _draw_own(self, _run: str, dataset: str, videos: int, _split: int) -> np.ndarray:
        return self._draw(dataset, videos)

    def _draw(self, dataset: str, videos: int) -> np.ndarray:
        """Standard normal numbers [videos], correlated in each group."""
        of_group = self._rng.normal(size=GROUPS[dataset])[_groups(dataset, videos)]
        share = self._shares.groups
        return np.sqrt(share) * of_group + np.sqrt(1 - share) * self._rng.normal(size=videos)


def _groups(dataset: str, videos: int) -> np.ndarray:
    """The group of each video, [videos]; all are of about the same size."""
    return np.arange(videos) * GROUPS[dataset] // videos


def outcomes(
    claim: ClaimRecipe, experiment: Experiment, seeds: list[int], verdicts: Verdicts
) -> dict[int, Outcome]:
    """Return what comes out for a claim with each number of seeds."""
    judged: dict[int, list[Outcome]] = {count: [] for count in seeds}
    for compared in claim.comparisons:
        trained = [list(_pairs(compared, experiment, seed)) for seed in range(max(seeds))]
        for count in seeds:
            judged[count].append(outcome_of(compared, differences(trained[:count]), verdicts))
    return {count: together(found) for count, found in judged.items()}


def _pairs(compared: Compared, experiment: Experiment, seed: int) -> Iterator[Pair]:
    """The test parts of what is compared, with one seed."""
    for (run, than), (first, second) in zip(compared.comparison.pairs, compared.paper, strict=True):
        for split in compared.comparison.splits:
            yield (
                experiment.scores(run, first, compared, split, seed),
                experiment.scores(than, second, compared, split, seed),
            )


def claims_of_the_paper() -> ClaimsRecipe:
    """Return the claims as they are judged at the paper's scale."""
    step = Plan(load_config(overrides={"scale": "paper"})).step_of(paths.CLAIMS)
    assert step is not None and isinstance(step.recipe, ClaimsRecipe)
    return step.recipe


def accuracy_sd(shares: Shares, compared: Compared) -> float:
    """Return the standard deviation (points) of a method's accuracy over trainings, on the same videos."""
    run, accuracy = compared.comparison.pairs[0][0], compared.paper[0][0]
    experiments = [Experiment(shares, seed) for seed in range(20)]
    found = [
        np.var([e.scores(run, accuracy, compared, 1, seed).accuracy() for seed in range(20)], ddof=1)
        for e in experiments
    ]
    return float(np.sqrt(np.mean(found)))


def row(claim: ClaimRecipe, found: dict[int, Counter[Outcome]]) -> str:
    """Return a claim's line of the table: for each number of seeds, the shares of its outcomes (%)."""
    cells = []
    for counts in found.values():
        holds, fails = (100 * counts[name] / counts.total() for name in ("holds", "fails"))
        cells.append(f"{holds:.0f} / {fails:.0f} / {100 - holds - fails:.0f}")
    return f"| {claim.number}. {claim.claim} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    option = parser.add_argument
    option("--experiments", type=int, default=100, help="reproductions that are simulated")
    option("--seeds", type=int, nargs="+", default=[1, 3, 5], help="numbers of seeds")
    option("--permutations", type=int, default=200, help="of the tests by groups (the project's are more)")
    option("--training-sd", type=float, default=0.6, help="points by which trainings differ on all videos")
    option("--methods", type=float, default=0.7, help="correlation of a video's difficulty for two methods")
    option("--groups", type=float, default=0.5, help="its correlation for two clips of a group")
    option("--training", type=float, default=0.3, help="share of what is a method's own that is a training's")
    args = parser.parse_args()
    shares = Shares(args.methods, args.groups, args.training, args.training_sd)
    recipe = claims_of_the_paper()
    verdicts = recipe.verdicts.model_copy(update={"permutations": args.permutations})
    found = {claim.number: {count: Counter[Outcome]() for count in args.seeds} for claim in recipe.claims}
    for number in range(args.experiments):
        experiment = Experiment(shares, number)
        for claim in recipe.claims:
            for count, outcome in outcomes(claim, experiment, args.seeds, verdicts).items():
                found[claim.number][count][outcome] += 1
    compared = next(claim.comparisons[0] for claim in recipe.claims if claim.number == 9)
    spread = accuracy_sd(shares, compared)
    print(f"{args.experiments} experiments, {args.permutations} permutations: holds / fails / undecided (%).")
    print(f"The accuracy of {compared.comparison.run} has a standard deviation of {spread:.1f} points.\n")
    print(f"| claim | {' | '.join(f'seeds: {count}' for count in args.seeds)} |")
    print(f"| --- |{' ---: |' * len(args.seeds)}")
    for claim in recipe.claims:
        print(row(claim, found[claim.number]))


if __name__ == "__main__":
    main()

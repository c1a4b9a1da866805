"""What people read: tables, the verdicts on the paper's claims, and other methods beside ours."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from twostream import paths
from twostream.config.benchmark import Comparison, ExternalMethod, Role, RoleNames
from twostream.config.networks import Backbone
from twostream.config.recipes import (
    ClaimRecipe,
    ClaimsRecipe,
    Compared,
    Data,
    MethodRecipe,
    MethodsRecipe,
    TableRecipe,
    TrialTableRecipe,
)
from twostream.config.settings import Config
from twostream.config.trials import TRIALS, TrialName
from twostream.files import UserError
from twostream.plan.memo import NoSuchStepError, memoized
from twostream.plan.scores import Scores
from twostream.plan.videos import Videos
from twostream.provenance.steps import Step

# What the paper's datasets are called where they are published.
PAPERS: dict[Role, str] = {"primary": "ucf101", "secondary": "hmdb51"}

# Trials are of it, as the paper's figures are.
SPLIT = 1


def score_inputs(steps: Iterable[Step]) -> list[tuple[str, Step]]:
    """Name steps as rules name their score files; each is read once."""
    return [("scores", step) for step in {id(step): step for step in steps}.values()]


class Results:
    """What is worked out from the score files of one configuration."""

    def __init__(self, config: Config, videos: Videos, scores: Scores) -> None:
        self._config, self._benchmark = config, config.benchmark
        self._roles = config.scale.roles
        self._videos, self._scores = videos, scores

    def all(self) -> list[Step]:
        """Tables and, if there are any, claims and other methods."""
        results = [self.make_table(table) for table in self._benchmark.tables]
        if self._benchmark.claims:
            results.append(self.check_claims())
        results += [self.compare_trial(name) for name, trial in TRIALS.items() if trial.with_tables]
        return [*results, self.compare_methods()] if self.methods_here() else results

    def asked_for(self) -> list[str]:
        """The names of what is made only if it is asked for: `more_tables`, and trials of the same kind."""
        trials = [name for name, trial in TRIALS.items() if not trial.with_tables and self.tried(name)]
        return [*self._benchmark.more_tables, *trials]

    def more_here(self) -> dict[str, Step]:
        """What was asked for and is here, be it current or not, by its name."""
        here = [name for name in self.asked_for() if Path(paths.TABLE.format(table=name)).exists()]
        return {name: self.compare_trial(name) if name in TRIALS else self.make_table(name) for name in here}

    @memoized
    def make_table(self, table: str) -> Step:
        """A table of the paper, or one more."""
        settings, methods = self._benchmark.all_tables[table], self._benchmark.methods
        recipe = TableRecipe(
            table=settings,
            paper_names=self._benchmark.datasets.names,
            our_names=RoleNames(primary=self._roles.primary, secondary=self._roles.secondary),
            interval=self._benchmark.interval,
            seeds=self._config.seeds,
            methods=sorted({row.run for row in settings.rows if row.run in methods}),
        )
        scores = [
            ("scores", self._scores.of(row.run, self._dataset(row.dataset), split, seed))
            for row in settings.rows
            if row.run
            for seed in (self._config.all_seeds[:1] if row.run in methods else self._config.all_seeds)
            for split in row.splits
        ]
        return Step.of("make_table", recipe, [paths.TABLE.format(table=table)], scores)

    @memoized
    def check_claims(self) -> Step:
        """The verdicts on the paper's claims."""
        if not self._benchmark.claims:
            raise NoSuchStepError("no claim can be judged at this scale; `snakemake -n` says why")
        recipe = ClaimsRecipe(
            claims=[
                ClaimRecipe(
                    number=claim.number,
                    claim=claim.claim,
                    comparisons=[self._compared(comparison) for comparison in claim.comparisons],
                )
                for claim in self._benchmark.claims
            ],
            verdicts=self._benchmark.verdicts,
            interval=self._benchmark.interval,
            seeds=self._config.all_seeds,
        )
        scores = [
            self._scores.of(name, self._dataset(comparison.dataset), split, seed)
            for claim in self._benchmark.claims
            for comparison in claim.comparisons
            for name in chain.from_iterable(comparison.pairs)
            for seed in self._config.all_seeds
            for split in comparison.splits
        ]
        return Step.of("check_claims", recipe, [paths.CLAIMS], score_inputs(scores))

    @memoized
    def compare_trial(self, trial: TrialName) -> Step:
        """Runs in each way of a trial: the primary dataset, split 1, the first seed."""
        dataset, seed, runs = self._roles.primary, self._config.all_seeds[0], self.tried(trial)
        if not runs:
            raise NoSuchStepError(f"results/{trial}.csv: no run of the tables at this scale can be tried so")
        recipe = TrialTableRecipe(
            runs=runs,
            dataset=dataset,
            split=SPLIT,
            interval=self._benchmark.interval,
            verdicts=self._benchmark.verdicts if TRIALS[trial].tested else None,
        )
        outcomes = [("outcomes", self._scores.score_trial(trial, run, dataset, SPLIT, seed)) for run in runs]
        return Step.of("compare_trial", recipe, [paths.TRIAL_TABLE.format(trial=trial)], outcomes)

    def tried(self, trial: TrialName) -> list[str]:
        """The runs that a trial's table is of; none if none can be tried."""
        runs, fusions = self._benchmark.runs, self._benchmark.fusions
        if not TRIALS[trial].of_motion:
            return list(fusions[self._benchmark.two_stream].streams.values())
        rows = chain.from_iterable(table.rows for table in self._benchmark.tables.values())
        shown = [row.run for row in rows if row.run and row.dataset == "primary" and SPLIT in row.splits]
        behind = chain.from_iterable(
            fusions[name].streams.values() if name in fusions else [name] for name in shown
        )
        return [name for name in dict.fromkeys(behind) if name in runs and runs[name].input.shows_motion]

    @memoized
    def compare_methods(self) -> Step:
        """Methods that were not trained here, beside ours."""
        methods = self.methods_here()
        if not methods:
            named = ", ".join(f"{name} is for {m.dataset}" for name, m in self._benchmark.methods.items())
            raise NoSuchStepError(
                "config/benchmark.yaml: methods: there is none for a dataset of the scale"
                f" {self._config.scale_name}{f' ({named})' if named else ''}"
            )
        recipe = MethodsRecipe(
            methods=[self._method_recipe(name, method) for name, method in methods.items()],
            verdicts=self._benchmark.verdicts,
            interval=self._benchmark.interval,
            seeds=self._config.all_seeds,
        )
        scores = [
            self._scores.of(run, method.dataset, split, seed)
            for name, method in methods.items()
            for run in (name, *self._ours())
            for seed in self._config.all_seeds
            for split in method.splits
        ]
        return Step.of("compare_methods", recipe, [paths.METHODS], score_inputs(scores))

    def methods_here(self) -> dict[str, ExternalMethod]:
        """The methods that were not trained here and are for a dataset of this scale."""
        datasets = self._config.scale.datasets
        return {name: m for name, m in self._benchmark.methods.items() if m.dataset in datasets}

    def _dataset(self, role: Role) -> str:
        return str(getattr(self._roles, role))

    def _ours(self) -> list[str]:
        """The two streams, and both together, that other methods are compared with."""
        two_stream = self._benchmark.two_stream
        return [*self._benchmark.fusions[two_stream].streams.values(), two_stream]

    def _method_recipe(self, name: str, method: ExternalMethod) -> MethodRecipe:
        ours = [(run, self._scores.pattern(run, method.dataset)) for run in self._ours()]
        return MethodRecipe(
            name=name,
            method=method,
            files=self._scores.pattern(name, method.dataset),
            spatial=ours[0],
            temporal=ours[1],
            two_stream=ours[2],
        )

    def _compared(self, comparison: Comparison) -> Compared:
        paper = getattr(self._benchmark.datasets, comparison.dataset)
        dataset, pairs = self._dataset(comparison.dataset), comparison.pairs
        return Compared(
            comparison=comparison,
            datasets=(paper.name, dataset),
            data=self._data(comparison),
            paper=[(self._published(a, comparison), self._published(b, comparison)) for a, b in pairs],
            paper_videos=paper.test_videos,
            files=[(self._scores.pattern(a, dataset), self._scores.pattern(b, dataset)) for a, b in pairs],
        )

    def _published(self, run: str, comparison: Comparison) -> float:
        number = self._benchmark.published(run, comparison.dataset, comparison.published_splits)
        if number is None:
            # `loading` refuses it before.
            raise UserError(f"config/benchmark.yaml: no table has the paper's number for {run}")
        return number

    def _data(self, comparison: Comparison) -> Data:
        """Whether a comparison's data are drawn, or (of runs with the paper's layers) the paper's own."""
        role = comparison.dataset
        data = self._videos.dataset(self._dataset(role)).data(PAPERS[role])
        runs = chain(*(self._benchmark.runs_of(name) for pair in comparison.pairs for name in pair))
        networks = self._config.scale.networks
        others = any(isinstance(networks[run.network_name], Backbone) for run in runs)
        return "other" if data == "paper" and others else data

"""The plan: for each artefact its recipe, what it is made from, and its spec, from one place.

The Snakefile's rules ask here for inputs and parameters. Each group of rules has a module beside this one.
Nothing is read but the configuration and the code (and, for videos, the names and sizes of a user's
files, and whether an index leaves any out; for methods that were not trained here, their files).
"""

from collections.abc import Callable, Container
from inspect import signature
from types import SimpleNamespace
from typing import Any

from twostream import paths
from twostream.config.flow import FLOW_ALGORITHMS
from twostream.config.recipes import HeldOut, ReportRecipe
from twostream.config.settings import Config
from twostream.config.trials import TRIALS
from twostream.plan.extraction import Extraction
from twostream.plan.figures import Figures
from twostream.plan.memo import NoSuchStepError, steps_by_rule
from twostream.plan.networks import Networks
from twostream.plan.pages import Pages
from twostream.plan.report import Report
from twostream.plan.results import Results
from twostream.plan.scores import Scores
from twostream.plan.videos import Videos
from twostream.provenance.steps import Step


def _read_split(split: str) -> int | HeldOut | None:
    """Which split; None for the whole dataset, and a test part for the whole without its recordings."""
    if without := paths.parse_without(split):
        return HeldOut(dataset=without[0], split=without[1])
    return None if split == paths.WHOLE else int(split)


# How wildcards are read that are not names.
READ: dict[str, Callable[[str], Any]] = {"split": _read_split, "seed": int}


class Plan:
    """The steps of one configuration, put together from a group for each part of the workflow."""

    def __init__(self, config: Config) -> None:
        self.config, self.scale, self.benchmark = config, config.scale, config.benchmark
        self.videos = Videos(config)
        self.extraction = Extraction(config, self.videos)
        self.networks = Networks(config, self.videos, self.extraction)
        self.scores = Scores(config, self.videos, self.extraction, self.networks)
        self._results = Results(config, self.videos, self.scores)
        self._figures = Figures(
            config, self.videos, self.extraction, self.networks, self.scores, self._results
        )
        self._pages = Pages(config, self.videos, self._results)
        self._report = Report(config, self.videos, self.extraction, self.scores, self._figures, self._pages)
        self._by_rule = steps_by_rule(
            self.videos,
            self.extraction,
            self.networks,
            self.scores,
            self._results,
            self._figures,
            self._pages,
            self._report,
        )

    def step(self, rule: str, wildcards: Any) -> Step:
        """The step of a rule (a key of `paths.ARTEFACTS`) for its wildcards; KeyError if one names nothing.

        Raises UserError if the configuration has no such step, or something stands in its way.
        """
        method = self._by_rule[rule]
        folder = getattr(wildcards, "folder", None)
        if folder and folder != self.benchmark.runs[wildcards.run].folder:
            raise NoSuchStepError(
                f"the run {wildcards.run} lies in the folder {self.benchmark.runs[wildcards.run].folder}"
            )
        if rule != "train_stream" and not getattr(wildcards, "split", "1").isdigit():
            raise NoSuchStepError(f"split {wildcards.split}: networks alone are of a whole dataset")
        names = signature(method).parameters
        return method(*(READ.get(name, str)(getattr(wildcards, name)) for name in names))

    def step_of(self, artefact: str) -> Step | None:
        """The step that makes a file; None if it is no artefact, or the configuration names none such.

        Raises UserError where it names one, but something stands in the way.
        """
        known: dict[str, Container[str]] = {
            "dataset": self.scale.datasets,
            "run": self.benchmark.runs,
            "fusion": self.benchmark.fusions,
            "method": self.benchmark.methods,
            "table": self.benchmark.all_tables,
            "trial": TRIALS,
            "algorithm": FLOW_ALGORITHMS,
            "page": self.pages(),
            "weights": self.networks.weights_names(),
        }
        for rule, wildcards in paths.parse_path(artefact):
            if all(value in known.get(name, [value]) for name, value in wildcards.items()):
                try:
                    step = self.step(rule, SimpleNamespace(**wildcards))
                except NoSuchStepError:
                    continue
                if artefact in step.outputs:
                    return step
        return None

    def results(self) -> list[Step]:
        """What people read: tables, claims and, if there are any, other methods."""
        return self._results.all()

    def more_here(self) -> dict[str, Step]:
        """Tables and trials that are made only if they are asked for, and are here, by their names."""
        return self._results.more_here()

    def figures(self) -> list[Step]:
        """The figures."""
        return self._figures.all()

    def report_recipe(self) -> ReportRecipe:
        """What the report is made by: also what our data stand for."""
        recipe = self._report.write_report().recipe
        assert isinstance(recipe, ReportRecipe)
        return recipe

    def pages(self) -> dict[str, str]:
        """The titles of the pages that there can be, by their names."""
        return self._pages.titles()

    def pages_shown(self) -> list[str]:
        """The pages of the report."""
        return self._pages.shown()

    def check(self) -> None:
        """Lay out all steps, so that what is wrong with one shows before any job starts."""
        self.results()
        self.figures()

"""The pages of the report: what lies in results/, and where its numbers come from; and of datasets."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from twostream import paths
from twostream.config.recipes import DescriptionRecipe, PageKind, PageRecipe
from twostream.config.settings import Config
from twostream.config.trials import TRIALS
from twostream.plan.memo import memoized
from twostream.plan.results import Results
from twostream.plan.videos import Videos
from twostream.provenance.steps import Step

# What a page says of its columns, by the kind of its rows.
NOTES = "workflow/report/{kind}.txt"


class Pages:
    """The pages of one configuration's report."""

    def __init__(self, config: Config, videos: Videos, results: Results) -> None:
        self._tables, self._claims = config.benchmark.all_tables, config.benchmark.claims
        self._left_out, self._videos, self._results = config.left_out, videos, results

    @memoized
    def write_page(self, page: str) -> Step:
        """A page of the report: a table of results/ and where its numbers come from."""
        others: dict[str, tuple[PageKind, Callable[[], Step]]] = {
            "claims": ("claims", self._results.check_claims),
            "methods": ("methods", self._results.compare_methods),
            **{trial: (trial, partial(self._results.compare_trial, trial)) for trial in TRIALS},
        }
        kind, made = others.get(page, ("table", partial(self._results.make_table, page)))
        note = Path(NOTES.format(kind=kind)).read_text() + " ".join(self._told(page))
        recipe = PageRecipe(kind=kind, title=self.titles()[page], note=note)
        table = made()
        return Step("write_page", recipe, [paths.PAGE.format(page=page)], [table])

    @memoized
    def describe_dataset(self, dataset: str) -> Step:
        """A page on a dataset as it was understood."""
        recipe = DescriptionRecipe(dataset=dataset, media=self._videos.dataset(dataset).settings.media)
        outputs = [paths.DESCRIPTION.format(dataset=dataset)]
        return Step.of("describe_dataset", recipe, outputs, [("index", self._videos.index(dataset))])

    def _told(self, page: str) -> list[str]:
        """What is left out of a page, a sentence each; that of claims tells of whole tables too."""
        others = self._left_out.keys() - self.titles().keys() if page == "claims" else set()
        return [
            f"Left out at this scale: {line}."
            for name, lines in self._left_out.items()
            if name == page or name in others
            for line in lines
        ]

    def shown(self) -> list[str]:
        """The pages of the report: all but those of what is made only if it is asked for, and is not here."""
        missing = {*self._results.asked_for()} - {*self._results.more_here()}
        return [page for page in self.titles() if page not in missing]

    def titles(self) -> dict[str, str]:
        """The titles of the pages that there can be, by their names."""
        titles = {name: settings.title for name, settings in self._tables.items()}
        if self._claims:
            titles["claims"] = "Claims of the paper"
        titles |= {name: trial.title for name, trial in TRIALS.items() if self._results.tried(name)}
        return titles | ({"methods": "Other methods beside ours"} if self._results.methods_here() else {})

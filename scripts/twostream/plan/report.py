"""The report: one page to look at, of all results, figures and test videos."""

from pathlib import Path

from twostream import paths
from twostream.config.recipes import PageRecipe, ReportRecipe
from twostream.config.settings import Config
from twostream.plan.extraction import Extraction
from twostream.plan.figures import SPLIT, Figures
from twostream.plan.memo import memoized
from twostream.plan.pages import Pages
from twostream.plan.results import PAPERS
from twostream.plan.scores import Scores
from twostream.plan.videos import Videos
from twostream.provenance.digest import digest
from twostream.provenance.steps import Step

# What the page is made of beside code; the recipe has a digest of it.
FOLDER = Path(__file__).resolve().parents[1] / "report"
ASSETS = ("page.html", "page.css", "page.js")


class Report:
    """The report of one configuration; its figures and videos are those of `Figures`."""

    def __init__(
        self,
        config: Config,
        videos: Videos,
        extraction: Extraction,
        scores: Scores,
        figures: Figures,
        pages: Pages,
    ) -> None:
        self._config, self._benchmark = config, config.benchmark
        self._videos, self._extraction, self._scores = videos, extraction, scores
        self._figures, self._pages = figures, pages

    @memoized
    def write_report(self) -> Step:
        """The page."""
        dataset, seed = self._config.scale.roles.primary, self._config.all_seeds[0]
        pages = [self._pages.write_page(page) for page in self._pages.shown()]
        recipe = self._recipe(dataset, [page.recipe for page in pages if isinstance(page.recipe, PageRecipe)])
        figures = self._figures
        inputs = [
            *(("results", table) for page in pages for table in page.made_from),
            ("confusion", figures.plot_confusion()),
            ("recall", figures.plot_recall()),
            ("fusion_weight", figures.plot_fusion_weight()),
            ("curves", figures.plot_curves()),
            ("flow_figure", figures.plot_flow()),
            ("filters", figures.plot_filters()),
            ("index", self._videos.index(dataset)),
            ("frames", self._extraction.extract_frames(dataset)),
            ("flow", self._extraction.extract_flow(dataset, "forward")),
            *((system, self._scores.of(run, dataset, SPLIT, seed)) for system, run in recipe.systems.items()),
        ]
        return Step.of("write_report", recipe, [paths.REPORT], inputs)

    def _recipe(self, dataset: str, tables: list[PageRecipe]) -> ReportRecipe:
        roles, names = self._config.scale.roles, self._benchmark.datasets.names
        here = {role: ours for role in PAPERS if (ours := roles.dataset(role))}
        fusion = self._benchmark.fusions[self._benchmark.two_stream]
        systems = (self._benchmark.two_stream, *fusion.streams.values())
        published = {run: self._benchmark.published(run, "primary", [SPLIT]) for run in systems}
        return ReportRecipe(
            scale=self._config.scale_name,
            tables=tables,
            left_out=[
                f"Left out at this scale: {line}."
                for name, lines in self._config.left_out.items()
                if name not in self._pages.titles()
                for line in lines
            ],
            data={ours: self._videos.dataset(ours).data(PAPERS[role]) for role, ours in here.items()},
            names={ours: getattr(names, role) for role, ours in here.items()},
            fused=self._benchmark.two_stream,
            **fusion.streams,
            method=fusion.method,
            published={run: number for run, number in published.items() if number is not None},
            dataset=dataset,
            shards=self._videos.shards(dataset),
            split=SPLIT,
            interval=self._benchmark.interval,
            assets=digest({name: (FOLDER / name).read_text(encoding="utf-8") for name in ASSETS}),
        )

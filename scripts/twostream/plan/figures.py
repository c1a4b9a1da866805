"""The paper's figures, and the training curves."""

from pathlib import PurePosixPath

from twostream import paths
from twostream.config.recipes import (
    ConfusionFigureRecipe,
    CurvesFigureRecipe,
    FiltersFigureRecipe,
    FlowFigureRecipe,
    FusionWeightFigureRecipe,
    RecallFigureRecipe,
    TrainingRecipe,
    WeighedFusion,
)
from twostream.config.settings import Config
from twostream.config.streams import facts
from twostream.plan.extraction import Extraction
from twostream.plan.memo import memoized, steps_by_rule
from twostream.plan.networks import Networks
from twostream.plan.results import PAPERS, Results, score_inputs
from twostream.plan.scores import Scores
from twostream.plan.videos import Videos
from twostream.provenance.steps import Step, with_upstream

# The paper's figures are of split 1.
SPLIT = 1


class Figures:
    """The figures of one configuration; they show its primary dataset, and its first seed."""

    def __init__(
        self,
        config: Config,
        videos: Videos,
        extraction: Extraction,
        networks: Networks,
        scores: Scores,
        results: Results,
    ) -> None:
        self._benchmark, self._seeds = config.benchmark, config.all_seeds
        self._dataset = config.scale.roles.primary
        self._videos, self._extraction, self._networks = videos, extraction, networks
        self._scores, self._results = scores, results

    def all(self) -> list[Step]:
        """Every figure."""
        return [plot() for plot in steps_by_rule(self).values()]

    @memoized
    def plot_flow(self) -> Step:
        """Figure 2: frames and their flow."""
        dataset = self._dataset
        recipe = FlowFigureRecipe(dataset=dataset, shards=self._videos.shards(dataset), split=SPLIT)
        inputs = [
            ("index", self._videos.index(dataset)),
            ("frames", self._extraction.extract_frames(dataset)),
            ("flow", self._extraction.extract_flow(dataset, "forward")),
        ]
        return Step.of("plot_flow", recipe, [paths.FIGURE_FLOW], inputs)

    @memoized
    def plot_filters(self) -> Step:
        """Figure 4: the first layer of the temporal stream."""
        dataset, seed = self._dataset, self._seeds[0]
        name = self._benchmark.fusions[self._benchmark.two_stream].streams["temporal"]
        run = self._benchmark.runs[name]
        recipe = FiltersFigureRecipe(run=name, dataset=dataset, split=SPLIT, seed=seed)
        model = self._networks.train_stream(name, dataset, SPLIT, seed)
        seen = facts(run.stream, run.input.kind, shown=True)
        return Step.of("plot_filters", recipe, [paths.FIGURE_FILTERS], [("model", model)], settled=seen)

    @memoized
    def plot_confusion(self) -> Step:
        """Figure 5: what the two streams together take for what."""
        run = self._benchmark.two_stream
        recipe = ConfusionFigureRecipe(run=run, dataset=self._dataset, split=SPLIT)
        return Step.of("plot_confusion", recipe, [paths.FIGURE_CONFUSION], [("scores", self._shown(run))])

    @memoized
    def plot_recall(self) -> Step:
        """Figure 6: the recall of each class."""
        run = self._benchmark.two_stream
        streams = self._benchmark.fusions[run].streams
        recipe = RecallFigureRecipe(
            fused=run, **streams, dataset=self._dataset, split=SPLIT, paper=self._paper_recall()
        )
        inputs = [(label, self._shown(name)) for label, name in (("fused", run), *streams.items())]
        return Step.of("plot_recall", recipe, [paths.FIGURE_RECALL], inputs)

    @memoized
    def plot_fusion_weight(self) -> Step:
        """The accuracy of fused streams over their weights."""
        fusions = [self._benchmark.fusions[name] for name in self._averages()]
        runs = {run for fusion in fusions for run in fusion.streams.values()}
        files = {run: (run, self._shown(run).outputs[0]) for run in sorted(runs)}
        recipe = FusionWeightFigureRecipe(
            fusions=[
                WeighedFusion(name=name, **{stream: files[run] for stream, run in fusion.streams.items()})
                for name, fusion in zip(self._averages(), fusions, strict=True)
            ],
            dataset=self._dataset,
            split=SPLIT,
            interval=self._benchmark.interval,
        )
        scores = score_inputs(self._shown(run) for run in files)
        return Step.of("plot_fusion_weight", recipe, [paths.FIGURE_FUSION_WEIGHT], scores)

    @memoized
    def plot_curves(self) -> Step:
        """The training curves of all networks that the tables take, with the first seed."""
        trainings = [
            step
            for step in with_upstream(self._results.all())
            if isinstance(step.recipe, TrainingRecipe) and step.recipe.seed not in self._seeds[1:]
        ]
        recipe = CurvesFigureRecipe(models=[_label(step.outputs[0]) for step in trainings])
        return Step.of("plot_curves", recipe, [paths.FIGURE_CURVES], [("models", step) for step in trainings])

    def _averages(self) -> list[str]:
        """The averages of two streams that tables have of what figures show; else the two-stream model."""
        fusions, runs = self._benchmark.fusions, self._benchmark.runs
        rows = [row for table in self._benchmark.tables.values() for row in table.rows]
        shown = {row.run for row in rows if row.dataset == "primary" and SPLIT in row.splits}
        found = [
            name
            for name, fusion in fusions.items()
            if name in shown and fusion.method == "average" and fusion.is_two_stream
            if set(fusion.streams.values()) <= runs.keys()
        ]
        return found or [self._benchmark.two_stream]

    def _paper_recall(self) -> dict[str, float]:
        """The paper's recall (%) by class; drawn data has none of its classes."""
        if self._videos.dataset(self._dataset).data(PAPERS["primary"]) == "generated":
            return {}
        counts = self._benchmark.paper_recall.items()
        return {name: round(100 * right / videos, 2) for name, (right, videos) in counts}

    def _shown(self, name: str) -> Step:
        return self._scores.of(name, self._dataset, SPLIT, self._seeds[0])


def _label(model: str) -> str:
    """The run and the data of a model, from its path."""
    path = PurePosixPath(model)
    return path.stem if path.parent.name == "pretrained" else f"{path.parent.name} {path.stem}"

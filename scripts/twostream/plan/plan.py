"""The plan: for each artefact its recipe, what it is made from, and its spec, from one place.

The Snakefile's rules ask here for inputs and parameters. `score_plan` leads from videos to score files,
and this module on to what people look at.
"""

from collections.abc import Callable, Container, Iterable
from inspect import signature
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

from twostream import paths
from twostream.config.benchmark import Comparison, ExternalMethod, Role, RoleNames
from twostream.config.recipes import (
    ClaimRecipe,
    ClaimsRecipe,
    Compared,
    ConfusionFigureRecipe,
    CurvesFigureRecipe,
    Data,
    FiltersFigureRecipe,
    FlowFigureRecipe,
    MethodRecipe,
    MethodsRecipe,
    PageKind,
    PageRecipe,
    RecallFigureRecipe,
    TableRecipe,
    TrainingRecipe,
)
from twostream.config.scale import Archive, Backbone, Folder, Generated, Official, StillImages
from twostream.config.streams import facts
from twostream.files import UserError
from twostream.plan.score_plan import NoSuchStepError, ScorePlan, memoized
from twostream.provenance.steps import Step, with_upstream

# The paper's figures are of split 1.
FIGURE_SPLIT = 1
# What a page says of its columns, by the kind of its rows.
PAGE_NOTES = "workflow/report/{kind}.txt"


def _each_once(steps: Iterable[Step]) -> list[Step]:
    return list({id(step): step for step in steps}.values())


def _scores(steps: Iterable[Step]) -> list[tuple[str, Step]]:
    return [("scores", step) for step in steps]


def _label(model: str) -> str:
    """The run and the data of a model, from its path."""
    path = PurePosixPath(model)
    return path.stem if path.parent.name == "pretrained" else f"{path.parent.name} {path.stem}"


class Plan(ScorePlan):
    """The steps of one configuration."""

    @memoized
    def make_table(self, table: str) -> Step:
        """A table of the paper."""
        settings = self.benchmark.tables[table]
        roles = self.scale.roles
        recipe = TableRecipe(
            table=settings,
            paper_names=self.benchmark.datasets.names,
            our_names=RoleNames(primary=roles.primary, secondary=roles.secondary),
            interval=self.benchmark.interval,
            seeds=len(self.seeds),
            methods=sorted({row.run for row in settings.rows if row.run in self.benchmark.methods}),
        )
        made_from = [
            self.scores(row.run, getattr(roles, row.dataset), split, seed)
            for row in settings.rows
            if row.run
            for seed in (self.seeds[:1] if row.run in self.benchmark.methods else self.seeds)
            for split in row.splits
        ]
        return Step.of("make_table", recipe, [paths.TABLE.format(table=table)], _scores(made_from))

    @memoized
    def check_claims(self) -> Step:
        """The verdicts on the paper's claims."""
        roles = self.scale.roles
        recipe = ClaimsRecipe(
            claims=[
                ClaimRecipe(
                    number=claim.number,
                    claim=claim.claim,
                    comparisons=[self._compared(comparison) for comparison in claim.comparisons],
                )
                for claim in self.benchmark.claims
            ],
            verdicts=self.benchmark.verdicts,
            interval=self.benchmark.interval,
            seeds=self.seeds,
        )
        made_from = [
            self.scores(name, getattr(roles, comparison.dataset), split, seed)
            for claim in self.benchmark.claims
            for comparison in claim.comparisons
            for name in (comparison.run, comparison.than)
            for seed in self.seeds
            for split in comparison.splits
        ]
        return Step.of("check_claims", recipe, [paths.CLAIMS], _scores(_each_once(made_from)))

    @memoized
    def compare_methods(self) -> Step:
        """Methods that were not trained here, beside ours."""
        if not self._methods_here():
            named = ", ".join(f"{name} is for {m.dataset}" for name, m in self.benchmark.methods.items())
            raise NoSuchStepError(
                "config/benchmark.yaml: methods: there is none for a dataset of the scale"
                f" {self.config.scale_name}{f' ({named})' if named else ''}"
            )
        fusion = self.benchmark.fusions[self.benchmark.two_stream]
        methods, made_from = [], []
        for name, method in self._methods_here().items():
            ours = [
                (run, self.scores_pattern(run, method.dataset))
                for run in (*fusion.streams.values(), self.benchmark.two_stream)
            ]
            methods.append(
                MethodRecipe(
                    name=name,
                    method=method,
                    files=self.scores_pattern(name, method.dataset),
                    spatial=ours[0],
                    temporal=ours[1],
                    two_stream=ours[2],
                )
            )
            made_from += [
                self.scores(run, method.dataset, split, seed)
                for run in (name, *(run for run, _ in ours))
                for seed in self.seeds
                for split in method.splits
            ]
        recipe = MethodsRecipe(
            methods=methods,
            verdicts=self.benchmark.verdicts,
            interval=self.benchmark.interval,
            seeds=self.seeds,
        )
        return Step.of("compare_methods", recipe, [paths.METHODS], _scores(_each_once(made_from)))

    def results(self) -> list[Step]:
        """What people read: tables, claims and, if there are any, other methods."""
        results = [self.make_table(table) for table in self.benchmark.tables]
        results.append(self.check_claims())
        return [*results, self.compare_methods()] if self._methods_here() else results

    @memoized
    def plot_flow(self) -> Step:
        """Figure 2: frames and their flow."""
        dataset = self.scale.roles.primary
        recipe = FlowFigureRecipe(dataset=dataset, shards=self._dataset(dataset).shards, split=FIGURE_SPLIT)
        inputs = [
            ("index", self.videos(dataset)),
            ("frames", self.frames(dataset)),
            ("flow", self.flow(dataset, "forward")),
        ]
        return Step.of("plot_flow", recipe, [paths.FIGURE_FLOW], inputs)

    @memoized
    def plot_filters(self) -> Step:
        """Figure 4: the first layer of the temporal stream."""
        dataset = self.scale.roles.primary
        run = self.benchmark.fusions[self.benchmark.two_stream].temporal
        recipe = FiltersFigureRecipe(run=run, dataset=dataset, split=FIGURE_SPLIT, seed=self.config.seed)
        model = self.train_stream(run, dataset, FIGURE_SPLIT, self.config.seed)
        seen = facts(self._run(run).stream, self._run(run).input.kind, shown=True)
        return Step.of("plot_filters", recipe, [paths.FIGURE_FILTERS], [("model", model)], settled=seen)

    @memoized
    def plot_confusion(self) -> Step:
        """Figure 5: what the two streams together take for what."""
        run, dataset = self.benchmark.two_stream, self.scale.roles.primary
        recipe = ConfusionFigureRecipe(run=run, dataset=dataset, split=FIGURE_SPLIT)
        scores = self.scores(run, dataset, FIGURE_SPLIT, self.config.seed)
        return Step.of("plot_confusion", recipe, [paths.FIGURE_CONFUSION], _scores([scores]))

    @memoized
    def plot_recall(self) -> Step:
        """Figure 6: the recall of each class."""
        run, dataset = self.benchmark.two_stream, self.scale.roles.primary
        fusion = self.benchmark.fusions[run]
        recipe = RecallFigureRecipe(fused=run, **fusion.streams, dataset=dataset, split=FIGURE_SPLIT)
        inputs = [
            (label, self.scores(name, dataset, FIGURE_SPLIT, self.config.seed))
            for label, name in (("fused", run), *fusion.streams.items())
        ]
        return Step.of("plot_recall", recipe, [paths.FIGURE_RECALL], inputs)

    @memoized
    def plot_curves(self) -> Step:
        """The training curves of all networks that the tables take, with the first seed."""
        trainings = [
            step
            for step in with_upstream(self.results())
            if isinstance(step.recipe, TrainingRecipe) and step.recipe.seed not in self.seeds[1:]
        ]
        recipe = CurvesFigureRecipe(models=[_label(step.outputs[0]) for step in trainings])
        return Step.of("plot_curves", recipe, [paths.FIGURE_CURVES], [("models", step) for step in trainings])

    @memoized
    def write_page(self, page: str) -> Step:
        """A page of the report: a table of results/ and where its numbers come from."""
        kind: PageKind = "claims" if page == "claims" else "methods" if page == "methods" else "table"
        note = Path(PAGE_NOTES.format(kind=kind)).read_text()
        recipe = PageRecipe(kind=kind, title=self.pages()[page], note=note)
        if kind == "table":
            table = self.make_table(page)
        else:
            table = self.check_claims() if kind == "claims" else self.compare_methods()
        return Step("write_page", recipe, [paths.PAGE.format(page=page)], [table])

    def pages(self) -> dict[str, str]:
        """The titles of the report's pages, by their names."""
        titles = {name: settings.title for name, settings in self.benchmark.tables.items()}
        titles["claims"] = "Claims of the paper"
        return titles | ({"methods": "Other methods beside ours"} if self._methods_here() else {})

    def figures(self) -> list[Step]:
        """The figures."""
        return [
            self.plot_flow(),
            self.plot_filters(),
            self.plot_confusion(),
            self.plot_recall(),
            self.plot_curves(),
        ]

    def step(self, rule: str, wildcards: Any) -> Step:
        """The step that one of the methods above gives for a rule's wildcards."""
        method = getattr(self, rule)
        read: dict[str, Callable[[str], Any]] = {
            "split": lambda split: None if split == paths.WHOLE else int(split),
            "seed": int,
        }
        names = signature(method).parameters
        folder = getattr(wildcards, "folder", None)
        if folder and folder != self._run(wildcards.run).folder:
            raise NoSuchStepError(
                f"the run {wildcards.run} lies in the folder {self._run(wildcards.run).folder}"
            )
        return method(*(read.get(name, str)(getattr(wildcards, name)) for name in names))

    def step_of(self, artefact: str) -> Step | None:
        """The step that makes a file; None if it is no artefact, or the configuration names none such.

        Raises UserError where it names one, but something stands in the way.
        """
        known: dict[str, Container[str]] = {
            "dataset": self.scale.datasets,
            "run": self.benchmark.runs,
            "fusion": self.benchmark.fusions,
            "method": self.benchmark.methods,
            "table": self.benchmark.tables,
            "page": self.pages(),
            "weights": [] if isinstance(self.scale.pretrained, StillImages) else [self.scale.pretrained.name],
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

    def check(self) -> None:
        """Lay out all steps, so that what is wrong with one shows before any job starts."""
        self.results()
        self.figures()

    def list_option(self, dataset: str) -> list[str]:
        """The argument for a folder's list, if it has one."""
        source = self._dataset(dataset).source
        return ["--list", source.list] if isinstance(source, Folder) and source.list else []

    def launcher(self) -> str:
        """What starts a training script: one process, or one for each GPU."""
        gpus = self.config.gpus
        return f"torchrun --standalone --nproc-per-node {gpus}" if gpus > 1 else "python"

    def folder(self, dataset: str) -> str:
        """The folder that the files in a dataset's index are relative to."""
        source = self._dataset(dataset).source
        if isinstance(source, Official):
            return source.videos.folder or paths.OFFICIAL_VIDEOS.format(dataset=dataset)
        return source.folder if isinstance(source, Folder) else paths.VIDEOS.format(dataset=dataset)

    def source_json(self, dataset: str) -> str:
        """The source of a dataset as the script `download_videos` takes it."""
        return self._dataset(dataset).source.model_dump_json(exclude_defaults=True)

    def weights_option(self) -> list[str]:
        """The argument that says where the published weights come from."""
        settings = self._published()
        if settings.file:
            return ["--file", settings.file]
        archive = Archive(sources=settings.sources)
        return ["--archive", archive.model_dump_json(exclude_defaults=True)]

    def _compared(self, comparison: Comparison) -> Compared:
        paper = getattr(self.benchmark.datasets, comparison.dataset)
        dataset = getattr(self.scale.roles, comparison.dataset)
        both = (comparison.run, comparison.than)
        numbers = [self.benchmark.published(run, comparison.dataset, comparison.splits) for run in both]
        if numbers[0] is None or numbers[1] is None:
            # `loading` refuses it before.
            raise UserError(
                f"config/benchmark.yaml: no table has the paper's numbers for {' and '.join(both)}"
            )
        files = [self.scores_pattern(run, dataset) for run in both]
        return Compared(
            comparison=comparison,
            datasets=(paper.name, dataset),
            data=self._kind_of_data(comparison.dataset),
            paper=(numbers[0], numbers[1]),
            paper_videos=paper.test_videos,
            files=(files[0], files[1]),
        )

    def _kind_of_data(self, role: Role) -> Data:
        """Whether a role's dataset is drawn, or (with the paper's network) the paper's own."""
        source = self._dataset(getattr(self.scale.roles, role)).source
        if isinstance(source, Generated):
            return "generated"
        papers = {"primary": "ucf101", "secondary": "hmdb51"}[role]
        is_papers = isinstance(source, Official) and source.protocol == papers
        return "paper" if is_papers and not isinstance(self.scale.network, Backbone) else "other"

    def _methods_here(self) -> dict[str, ExternalMethod]:
        """The methods whose dataset is one of this scale."""
        methods = self.benchmark.methods.items()
        return {name: method for name, method in methods if method.dataset in self.scale.datasets}

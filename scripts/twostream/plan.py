"""The plan: for each artefact its recipe, what it is made from, and its spec, from one place.

The Snakefile's rules ask here for inputs and parameters; nothing is read but the configuration and
the code (and, for videos, the names and sizes of a user's files, and whether an index leaves any out).
"""

from collections.abc import Callable, Container
from functools import wraps
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Concatenate, ParamSpec

from pydantic import BaseModel

from twostream import paths
from twostream.benchmark import RoleNames, Run
from twostream.config import Config
from twostream.files import UserError
from twostream.listing import listing_digest
from twostream.recipes import (
    FlowRecipe,
    FramesRecipe,
    FusionRecipe,
    GeneratorRecipe,
    ImportRecipe,
    IndexRecipe,
    OfficialRecipe,
    ScoringRecipe,
    Source,
    TableRecipe,
    Task,
    TrainingRecipe,
)
from twostream.records import read_record
from twostream.scale import (
    Archive,
    Backbone,
    BroxSettings,
    Dataset,
    Folder,
    Generated,
    Official,
    PublishedWeights,
    Schedule,
    StillImages,
)
from twostream.steps import Step


class NoSuchStepError(UserError):
    """The configuration, as it stands, has no step that makes this."""


Args = ParamSpec("Args")
Method = Callable[Concatenate["Plan", Args], Step]


def once(method: Method[Args]) -> Method[Args]:
    """Make each step once for a plan: its spec takes everything upstream to work out."""

    @wraps(method)
    def remembered(self: "Plan", *args: Args.args, **kwargs: Args.kwargs) -> Step:
        key = (method.__name__, *args)
        if key not in self.steps:
            self.steps[key] = method(self, *args, **kwargs)
        return self.steps[key]

    return remembered


class Plan:
    """The steps of one configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.scale = config.scale
        self.benchmark = config.benchmark
        self.steps: dict[tuple[object, ...], Step] = {}

    @once
    def videos(self, dataset: str) -> Step:
        """The videos of a dataset and their index, by its source."""
        settings = self._dataset(dataset)
        if isinstance(settings.source, Generated):
            script = "generate_videos"
            recipe: BaseModel = GeneratorRecipe(
                dataset=dataset,
                media=settings.media,
                splits=settings.splits,
                source=settings.source,
            )
        elif isinstance(settings.source, Official):
            script = "download_videos"
            recipe = OfficialRecipe(protocol=settings.source.protocol)
        else:
            script = "index_folder"
            recipe = self._index_recipe(dataset, settings, settings.source)
        self._refuse_skipped(dataset)
        return Step(script, recipe, [paths.INDEX.format(dataset=dataset)], [])

    @once
    def frames(self, dataset: str) -> Step:
        """The frames of a dataset, all shards."""
        settings = self._dataset(dataset)
        recipe = FramesRecipe(media=settings.media, shards=settings.shards, frames=self.scale.frames)
        outputs = paths.frame_shards(dataset, settings.shards)
        return Step("extract_frames", recipe, outputs, [self.videos(dataset)])

    @once
    def flow(self, dataset: str, direction: paths.Direction) -> Step:
        """The optical flow of a dataset in one direction, all shards."""
        shards = self._dataset(dataset).shards
        flow = self.scale.flow
        if flow.method != "brox":
            # A recipe holds only what its step uses.
            flow = flow.model_copy(update={"brox": BroxSettings()})
        recipe = FlowRecipe(shards=shards, flow=flow, direction=direction)
        outputs = paths.flow_shards(dataset, direction, shards)
        return Step("extract_flow", recipe, outputs, [self.videos(dataset)])

    @once
    def pretrain(self, dataset: str) -> Step:
        """The spatial network trained on all still images of a set."""
        run = self.benchmark.pretraining
        output = paths.PRETRAINED.format(dataset=dataset)
        source = Source(dataset=dataset, shards=self._dataset(dataset).shards, split=None)
        recipe = self._training_recipe(
            run, [Task(head=dataset, sources=[source])], self.scale.schedules.pretraining, 0
        )
        return Step("pretrain", recipe, [output], [self.videos(dataset), self.frames(dataset)])

    @once
    def import_weights(self, weights: str) -> Step:
        """The spatial network with the published weights of that name."""
        settings = self._published()
        recipe = ImportRecipe(
            name=weights,
            kind=settings.kind,
            network=self.scale.network,
            crop=self.scale.training.crop,
        )
        return Step("import_weights", recipe, [paths.IMPORTED.format(weights=weights)])

    @once
    def train_stream(self, run: str, dataset: str, split: int | None, seed: int) -> Step:
        """A run's network, trained on a split of a dataset, or (None) on the whole of it."""
        settings = self._run(run)
        self._fusible(run, settings)
        self._split(dataset, split or 1)
        tasks = self._tasks(run, settings, dataset, split)
        recipe = self._training_recipe(settings, tasks, self._schedule(settings), seed)
        initial = self._initial(run, dataset, seed)
        made_from = [initial] if initial else []
        for task in tasks:
            for source in task.sources:
                made_from += self._inputs_of(settings, source.dataset)
        output = paths.MODEL.format(
            folder=settings.folder, run=run, dataset=dataset, split=split or paths.WHOLE, seed=seed
        )
        return Step("train_stream", recipe, [output], made_from)

    @once
    def score_videos(self, run: str, dataset: str, split: int, seed: int) -> Step:
        """A run's scores for the training and test videos of a split."""
        settings = self._run(run)
        recipe = ScoringRecipe(
            dataset=dataset,
            shards=self._dataset(dataset).shards,
            split=split,
            testing=self.scale.testing,
        )
        made_from = [self.train_stream(run, dataset, split, seed)]
        made_from += self._inputs_of(settings, dataset)
        output = paths.SCORES.format(folder=settings.folder, run=run, dataset=dataset, split=split, seed=seed)
        return Step("score_videos", recipe, [output], made_from)

    @once
    def fuse_streams(self, fusion: str, dataset: str, split: int, seed: int) -> Step:
        """The fused scores of two runs."""
        settings = self.benchmark.fusions[fusion]
        recipe = FusionRecipe(
            method=settings.method,
            svm=self.scale.svm if settings.method == "svm" else None,
            seed=seed,
        )
        made_from = [
            self.score_videos(run, dataset, split, seed) for run in (settings.spatial, settings.temporal)
        ]
        output = paths.FUSED.format(fusion=fusion, dataset=dataset, split=split, seed=seed)
        return Step("fuse_streams", recipe, [output], made_from)

    @once
    def make_table(self, table: str) -> Step:
        """A table of the paper."""
        settings = self.benchmark.tables[table]
        roles = self.scale.roles
        recipe = TableRecipe(
            table=settings,
            paper_names=self.benchmark.datasets,
            our_names=RoleNames(primary=roles.primary, secondary=roles.secondary),
            interval=self.benchmark.interval,
        )
        made_from = []
        for row in settings.rows:
            if row.run:
                made = self.fuse_streams if row.run in self.benchmark.fusions else self.score_videos
                made_from += [
                    made(row.run, getattr(roles, row.dataset), split, self.config.seed)
                    for split in row.splits
                ]
        return Step("make_table", recipe, [paths.TABLE.format(table=table)], made_from)

    def step(self, stage: str, wildcards: Any) -> Step:
        """The step that one of the methods above gives for a rule's wildcards."""
        method = getattr(self, stage)
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
            "table": self.benchmark.tables,
            "weights": [] if isinstance(self.scale.pretrained, StillImages) else [self.scale.pretrained.name],
        }
        for stage, wildcards in paths.read(artefact):
            if all(value in known.get(name, [value]) for name, value in wildcards.items()):
                try:
                    step = self.step(stage, SimpleNamespace(**wildcards))
                except NoSuchStepError:
                    continue
                if artefact in step.outputs:
                    return step
        return None

    def check_tables(self) -> None:
        """Lay out every table's steps, so that what is wrong with one shows before any job starts."""
        for table in self.benchmark.tables:
            self.make_table(table)

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

    def initial_model(self, run: str, dataset: str, seed: int) -> list[str]:
        """The model that a run starts from, as a list of one; or of none, from scratch."""
        step = self._initial(run, dataset, seed)
        return step.outputs if step else []

    def _dataset(self, name: str) -> Dataset:
        return self.scale.datasets[name]

    def _split(self, dataset: str, split: int) -> None:
        if split > self._dataset(dataset).splits:
            raise NoSuchStepError(
                f"{dataset} has {self._dataset(dataset).splits} splits, and no split {split}"
            )

    def _run(self, name: str) -> Run:
        return self.benchmark.runs[name]

    def _published(self) -> PublishedWeights:
        assert isinstance(self.scale.pretrained, PublishedWeights)
        return self.scale.pretrained

    def _fusible(self, name: str, run: Run) -> None:
        if run.input.is_slow_fusion and isinstance(self.scale.network, Backbone):
            raise NoSuchStepError(
                f"the run {name} fuses frames from layer to layer, which a backbone cannot do:"
                " leave its rows out of the tables in config/benchmark.yaml"
            )

    def _refuse_skipped(self, dataset: str) -> None:
        """Whether a video is bad shows in the index alone, so that is no part of the spec."""
        index = paths.INDEX.format(dataset=dataset)
        skipped = (read_record(index) or {}).get("skipped", 0)
        if skipped and self.config.on_bad_video == "stop":
            raise UserError(
                f"{index}: was made with `on_bad_video: skip`, and leaves {skipped} videos out"
                f" ({paths.SKIPPED.format(dataset=dataset)}); set that in config/config.yaml, or delete the"
                " index to be told of them"
            )

    def _index_recipe(self, dataset: str, settings: Dataset, source: Folder) -> IndexRecipe:
        return IndexRecipe(
            media=settings.media,
            splits=settings.splits,
            listing=listing_digest(
                source, settings.media, Path(paths.record(paths.INDEX.format(dataset=dataset)))
            ),
        )

    def _training_recipe(self, run: Run, tasks: list[Task], schedule: Schedule, seed: int) -> TrainingRecipe:
        training, gpus = self.scale.training, self.config.gpus
        if training.batch % (len(tasks) * gpus):
            raise UserError(
                f"config/scale/{self.config.scale_name}.yaml: training.batch: {training.batch} cannot be"
                f" shared out equally over {len(tasks)} task(s), on {gpus} GPU(s) (`gpus` in config.yaml)"
            )
        if run.stream == "temporal":
            training = training.model_copy(update={"rgb_jitter": 0.0})
        return TrainingRecipe(
            run=run,
            tasks=tasks,
            network=self.scale.network,
            training=training,
            schedule=schedule,
            short_side=self.scale.frames.short_side,
            seed=seed,
        )

    def _schedule(self, run: Run) -> Schedule:
        schedules = self.scale.schedules
        if run.initialisation == "scratch":
            return schedules.scratch
        return schedules.last_layer if run.layers == "last" else schedules.finetuning

    def _tasks(self, name: str, run: Run, dataset: str, split: int | None) -> list[Task]:
        own = Source(dataset=dataset, shards=self._dataset(dataset).shards, split=split)
        if run.auxiliary is None:
            return [Task(head=dataset, sources=[own])]
        other = self._auxiliary(name, dataset)
        added = run.auxiliary == "added_classes"
        shared = self._shared_classes(name, other) if added else []
        # The auxiliary dataset is used whole: all its splits, training and test (section 5).
        whole = Source(dataset=other, shards=self._dataset(other).shards, split=None, without=shared)
        if added:
            return [Task(head=dataset, sources=[own, whole])]
        return [Task(head=dataset, sources=[own]), Task(head=other, sources=[whole])]

    def _initial(self, name: str, dataset: str, seed: int) -> Step | None:
        """The step whose model a run starts from."""
        initialisation = self._run(name).initialisation
        if initialisation == "scratch":
            return None
        if initialisation == "images":
            pretrained = self.scale.pretrained
            if isinstance(pretrained, StillImages):
                return self.pretrain(pretrained.dataset)
            return self.import_weights(pretrained.name)
        return self.train_stream(initialisation, self._auxiliary(name, dataset), None, seed)

    def _auxiliary(self, run: str, dataset: str) -> str:
        other = self._dataset(dataset).auxiliary
        if other is None:
            raise NoSuchStepError(
                f"the run {run} learns from a second dataset, but {dataset} names none:"
                f" set datasets.{dataset}.auxiliary in config/scale/{self.config.scale_name}.yaml"
            )
        return other

    def _shared_classes(self, run: str, dataset: str) -> list[str]:
        if dataset not in self.benchmark.shared_classes:
            raise UserError(
                f"config/benchmark.yaml: shared_classes: the run {run} adds the classes of {dataset};"
                f" list those that it shares under {dataset}, or say {{}}"
            )
        return sorted(self.benchmark.shared_classes[dataset])

    def _inputs_of(self, run: Run, dataset: str) -> list[Step]:
        """The index, and the frames or flow, that a run reads of a dataset."""
        steps = [self.videos(dataset)]
        if run.stream == "spatial":
            return [*steps, self.frames(dataset)]
        steps.append(self.flow(dataset, "forward"))
        if run.input.bidirectional:
            steps.append(self.flow(dataset, "backward"))
        return steps

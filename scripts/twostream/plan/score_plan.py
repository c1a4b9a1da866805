"""The plan from videos to score files: for each artefact its recipe, what it is made from, and its spec.

Nothing is read but the configuration and the code (and, for videos, the names and sizes of a user's
files, and whether an index leaves any out; for methods that were not trained here, their files).
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel

from twostream import paths
from twostream.config.benchmark import Run
from twostream.config.recipes import (
    FlowRecipe,
    FramesRecipe,
    FusionRecipe,
    GeneratorRecipe,
    ImportRecipe,
    ImportScoresRecipe,
    IndexRecipe,
    OfficialRecipe,
    ScoringRecipe,
    Task,
    TrainingRecipe,
    TrainingSubset,
)
from twostream.config.scale import (
    Backbone,
    Dataset,
    Folder,
    Generated,
    Official,
    PublishedWeights,
    Schedule,
    StillImages,
)
from twostream.config.settings import Config
from twostream.config.streams import DIRECTIONS, KINDS, Extracted, facts
from twostream.files import UserError, sha256
from twostream.provenance.records import read_record
from twostream.provenance.steps import Step
from twostream.videos.listing import listing_digest


class NoSuchStepError(UserError):
    """The configuration, as it stands, has no step that makes this."""


Args = ParamSpec("Args")
P = TypeVar("P", bound="ScorePlan")
StepMethod = Callable[Concatenate[P, Args], Step]


def memoized(method: StepMethod[P, Args]) -> StepMethod[P, Args]:
    """Make each step once for a plan: its spec takes everything upstream to work out."""

    @wraps(method)
    def remembered(self: P, *args: Args.args, **kwargs: Args.kwargs) -> Step:
        key = (method.__name__, *args)
        if key not in self.steps:
            self.steps[key] = method(self, *args, **kwargs)
        return self.steps[key]

    return remembered


def _seen(run: Run) -> dict[str, Any]:
    """What of the library a run's stream and kind of input stand for, as a step has it."""
    settled = facts(run.stream, run.input.kind) | {"slow_fusion": run.input.is_slow_fusion}
    return {"modules": (run.input.module,), "settled": settled}


class ScorePlan:
    """The steps of one configuration, as far as score files."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.scale = config.scale
        self.benchmark = config.benchmark
        self.seeds = [config.seed + number for number in range(config.seeds)]
        self.steps: dict[tuple[object, ...], Step] = {}

    @memoized
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

    @memoized
    def frames(self, dataset: str) -> Step:
        """The frames of a dataset, all shards."""
        settings = self._dataset(dataset)
        recipe = FramesRecipe(media=settings.media, shards=settings.shards, frames=self.scale.frames)
        outputs = paths.frame_shards(dataset, settings.shards)
        return Step.of("extract_frames", recipe, outputs, [("index", self.videos(dataset))])

    @memoized
    def flow(self, dataset: str, direction: paths.Direction) -> Step:
        """The optical flow of a dataset in one direction, all shards."""
        shards = self._dataset(dataset).shards
        flow = self.scale.flow.of_its_algorithm()
        recipe = FlowRecipe(shards=shards, flow=flow, direction=direction)
        outputs = paths.flow_shards(dataset, direction, shards)
        return Step.of("extract_flow", recipe, outputs, [("index", self.videos(dataset))], (flow.module,))

    @memoized
    def pretrain(self, dataset: str) -> Step:
        """The spatial network trained on all still images of a set."""
        run = self.benchmark.pretraining
        output = paths.PRETRAINED.format(dataset=dataset)
        source = TrainingSubset(dataset=dataset, shards=self._dataset(dataset).shards, split=None)
        recipe = self._training_recipe(
            run, [Task(head=dataset, sources=[source])], self.scale.schedules.pretraining, 0
        )
        return Step.of(
            "pretrain",
            recipe,
            [output],
            self._data_of(run, dataset),
            **_seen(run),
        )

    @memoized
    def import_weights(self, weights: str) -> Step:
        """The spatial network with the published weights of that name."""
        settings = self._published()
        recipe = ImportRecipe(
            name=weights,
            kind=settings.kind,
            network=self.scale.network,
            crop=self.scale.training.crop,
        )
        output = paths.IMPORTED.format(weights=weights)
        return Step.of("import_weights", recipe, [output], [], settled=facts("spatial", "frames"))

    @memoized
    def train_stream(self, run: str, dataset: str, split: int | None, seed: int) -> Step:
        """A run's network, trained on a split of a dataset, or (None) on the whole of it."""
        settings = self._run(run)
        self._fusible(run, settings)
        self._split(dataset, split or 1)
        tasks = self._tasks(run, settings, dataset, split)
        recipe = self._training_recipe(settings, tasks, self._schedule(settings), seed)
        initial = self._initial(run, dataset, seed)
        inputs = [("initial", initial)] if initial else []
        for task in tasks:
            for source in task.sources:
                inputs += self._data_of(settings, source.dataset)
        output = paths.MODEL.format(
            folder=settings.folder, run=run, dataset=dataset, split=split or paths.WHOLE, seed=seed
        )
        return Step.of("train_stream", recipe, [output], inputs, **_seen(settings))

    @memoized
    def score_videos(self, run: str, dataset: str, split: int, seed: int) -> Step:
        """A run's scores for the training and test videos of a split."""
        settings = self._run(run)
        recipe = ScoringRecipe(
            dataset=dataset,
            shards=self._dataset(dataset).shards,
            split=split,
            testing=self.scale.testing,
        )
        inputs = [("model", self.train_stream(run, dataset, split, seed)), *self._data_of(settings, dataset)]
        output = paths.SCORES.format(folder=settings.folder, run=run, dataset=dataset, split=split, seed=seed)
        return Step.of("score_videos", recipe, [output], inputs, **_seen(settings))

    @memoized
    def fuse_streams(self, fusion: str, dataset: str, split: int, seed: int) -> Step:
        """The fused scores of two runs."""
        settings = self.benchmark.fusions[fusion]
        recipe = FusionRecipe(
            method=settings.method,
            svm=self.scale.svm if settings.method == "svm" else None,
            seed=seed,
        )
        inputs = [
            (stream, self.scores(name, dataset, split, seed)) for stream, name in settings.streams.items()
        ]
        output = paths.FUSED.format(fusion=fusion, dataset=dataset, split=split, seed=seed)
        return Step.of("fuse_streams", recipe, [output], inputs)

    @memoized
    def import_scores(self, method: str, dataset: str, split: int) -> Step:
        """The scores of a method that was not trained here."""
        settings = self.benchmark.methods[method]
        self._split(dataset, split)
        if dataset != settings.dataset or split not in settings.splits:
            raise NoSuchStepError(
                f"config/benchmark.yaml: methods.{method} has scores for {settings.dataset}, split"
                f" {', '.join(map(str, settings.splits))}, and none for {dataset}, split {split}"
            )
        given = paths.GIVEN.format(method=method, dataset=dataset, split=split)
        output = paths.OTHERS.format(method=method, dataset=dataset, split=split)
        imported = read_record(output)
        if Path(given).exists():
            digest = sha256(given)
        elif imported:
            # Whoever pulled the scores may lack the file that they were made from.
            digest = imported["recipe"]["given"]
        else:
            raise UserError(
                f"{given}: is missing: put the scores of {settings.title} there (methods/README.md has the"
                f" format), or take methods.{method} out of config/benchmark.yaml"
            )
        recipe = ImportScoresRecipe(dataset=dataset, split=split, given=digest)
        return Step.of("import_scores", recipe, [output], [("index", self.videos(dataset))])

    def scores(self, name: str, dataset: str, split: int, seed: int) -> Step:
        """The step that gives the scores of a run, a fusion or a method."""
        if name in self.benchmark.methods:
            return self.import_scores(name, dataset, split)
        made = self.fuse_streams if name in self.benchmark.fusions else self.score_videos
        return made(name, dataset, split, seed)

    def scores_pattern(self, name: str, dataset: str) -> str:
        """The path of those scores, with `{split}` and (but for methods) `{seed}` left open."""
        places = {"dataset": dataset, "split": "{split}", "seed": "{seed}"}
        if name in self.benchmark.methods:
            return paths.OTHERS.format(method=name, **places)
        if name in self.benchmark.fusions:
            return paths.FUSED.format(fusion=name, **places)
        return paths.SCORES.format(folder=self._run(name).folder, run=name, **places)

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
                " leave it out of the tables and claims in config/benchmark.yaml"
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
            listing=listing_digest(source, settings.media, paths.INDEX.format(dataset=dataset)),
        )

    def _training_recipe(self, run: Run, tasks: list[Task], schedule: Schedule, seed: int) -> TrainingRecipe:
        training, gpus = self.scale.training, self.config.gpus
        if training.batch % (len(tasks) * gpus):
            raise UserError(
                f"config/scale/{self.config.scale_name}.yaml: training.batch: {training.batch} cannot be"
                f" shared out equally over {len(tasks)} task(s), on {gpus} GPU(s) (`gpus` in config.yaml)"
            )
        if not KINDS[run.input.kind].jittered:
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
        own = TrainingSubset(dataset=dataset, shards=self._dataset(dataset).shards, split=split)
        if run.auxiliary is None:
            return [Task(head=dataset, sources=[own])]
        other = self._auxiliary(name, dataset)
        added = run.auxiliary == "added_classes"
        shared = self._shared_classes(name, other) if added else []
        # The auxiliary dataset is used whole: all its splits, training and test (section 5).
        whole = TrainingSubset(dataset=other, shards=self._dataset(other).shards, split=None, without=shared)
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

    def _data_of(self, run: Run, dataset: str) -> list[tuple[str, Step]]:
        """The index, and the frames or flow, that a run reads of a dataset."""
        extracted = ((name, self._extracted(name, dataset)) for name in run.input.extracted)
        return [("index", self.videos(dataset)), *extracted]

    def _extracted(self, name: Extracted, dataset: str) -> Step:
        return self.frames(dataset) if name == "frames" else self.flow(dataset, DIRECTIONS[name])

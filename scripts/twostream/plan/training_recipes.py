"""What networks are trained on and how, from the configuration alone."""

from typing import Any

from twostream.config.benchmark import Run
from twostream.config.networks import Backbone
from twostream.config.recipes import HeldOut, Task, TrainingRecipe, TrainingSubset
from twostream.config.scale import Schedule
from twostream.config.settings import Config
from twostream.config.streams import KINDS, PIXEL_SCALE, facts
from twostream.files import UserError
from twostream.plan.datasets import planned_dataset
from twostream.plan.memo import NoSuchStepError


def library_of(run: Run) -> dict[str, Any]:
    """What of the library a run's stream and kind of input stand for, as a step has it."""
    settled = facts(run.stream, run.input.kind) | {"slow_fusion": run.input.is_slow_fusion}
    return {"modules": (run.input.module,), "settled": settled}


class TrainingRecipes:
    """The recipes of all trainings of one configuration."""

    def __init__(self, config: Config) -> None:
        self._config, self._scale, self._benchmark = config, config.scale, config.benchmark

    def of_pretraining(self, dataset: str) -> TrainingRecipe:
        """The recipe for a network that is trained on all still images of a set."""
        task = Task(head=dataset, sources=[self._subset(dataset, None)])
        run, schedule = self._benchmark.pretraining, self._scale.schedules.pretraining
        return self._recipe(run, self._scale.pretrained.network, [task], schedule, 0)

    def of_run(self, name: str, dataset: str, split: int | HeldOut | None, seed: int) -> TrainingRecipe:
        """The recipe for a run on a split of a dataset, or (None) on the whole of it.

        With a test part, it is for the whole of the dataset but the recordings in that.
        """
        run = self._benchmark.runs[name]
        self._check_fusible(name, run)
        tasks = self._tasks(name, run, dataset, split)
        return self._recipe(run, run.network_name, tasks, self._schedule(run), seed)

    def auxiliary(self, run: str, dataset: str) -> str:
        """The second dataset that a run learns from beside this one; NoSuchStepError if there is none."""
        other = self._scale.datasets[dataset].auxiliary
        if other is None:
            raise NoSuchStepError(
                f"the run {run} learns from a second dataset, but {dataset} names none:"
                f" set datasets.{dataset}.auxiliary in config/scale/{self._config.scale_name}.yaml"
            )
        return other

    def _recipe(
        self, run: Run, network: str, tasks: list[Task], schedule: Schedule, seed: int
    ) -> TrainingRecipe:
        training, gpus = self._scale.training, self._config.gpus
        if training.batch % (len(tasks) * gpus):
            raise UserError(
                f"config/scale/{self._config.scale_name}.yaml: training.batch: {training.batch} cannot be"
                f" shared out equally over {len(tasks)} task(s), on {gpus} GPU(s) (`gpus` in config.yaml)"
            )
        kind = KINDS[run.input.kind]
        # What `short_side` says, or nothing reads, makes no training stale.
        training = training.model_copy(update={"flow_short_side": None})
        if not kind.jittered:
            training = training.model_copy(update={"rgb_jitter": 0.0, "pca_lighting": 0.0})
        return TrainingRecipe(
            # The network is in the recipe itself, so that another name for it makes nothing stale.
            run=run.model_copy(update={"network": None}),
            tasks=tasks,
            network=self._scale.networks[network],
            training=training,
            schedule=schedule,
            short_side=self._scale.short_side(kind.reads),
            first_layer_scale=self._first_layer_scale(run),
            seed=seed,
        )

    def _first_layer_scale(self, run: Run) -> float:
        """How many times their own the weights of the first layer are that a run goes on from."""
        imported = run.initialisation == "images" and self._scale.pretrained.kind == "caffe"
        learns = run.layers == "all" and KINDS[run.input.kind].reads == "frames"
        return PIXEL_SCALE if imported and learns else 1.0

    def held_out(self, other: str, dataset: str, split: int | None) -> HeldOut | None:
        """What `other` must be without if a network that learns from it is tested on a split of `dataset`.

        None where the two cannot have recordings in common.
        """
        theirs, ours = (planned_dataset(name, self._config).recordings() for name in (other, dataset))
        if split is None or theirs is None or theirs != ours:
            return None
        return HeldOut(dataset=dataset, split=split)

    def _tasks(self, name: str, run: Run, dataset: str, split: int | HeldOut | None) -> list[Task]:
        if isinstance(split, HeldOut):
            self._check_held_out(name, run, dataset, split)
            return [Task(head=dataset, sources=[self._subset(dataset, None, apart_from=split)])]
        own = self._subset(dataset, split)
        if run.auxiliary is None:
            return [Task(head=dataset, sources=[own])]
        other = self.auxiliary(name, dataset)
        added = run.auxiliary == "added_classes"
        shared = self._shared_classes(name, other) if added else []
        # The auxiliary dataset is used whole: all its splits, training and test (section 5). The paper's two
        # have no recordings in common; of two that may have, those that are tested on are left out.
        whole = self._subset(other, None, shared, self.held_out(other, dataset, split))
        if added:
            return [Task(head=dataset, sources=[own, whole])]
        return [Task(head=dataset, sources=[own]), Task(head=other, sources=[whole])]

    def _subset(
        self,
        dataset: str,
        split: int | None,
        without: list[str] | None = None,
        apart_from: HeldOut | None = None,
    ) -> TrainingSubset:
        return TrainingSubset(
            dataset=dataset,
            shards=self._scale.datasets[dataset].shards,
            split=split,
            without=without or [],
            apart_from=apart_from,
        )

    def _check_held_out(self, name: str, run: Run, dataset: str, held_out: HeldOut) -> None:
        target = held_out.dataset
        if run.auxiliary:
            raise NoSuchStepError(f"the run {name} learns from a second dataset, so none starts from it")
        if target not in self._scale.datasets or not self.held_out(dataset, target, held_out.split):
            raise NoSuchStepError(f"{dataset} and {target} have no recordings in common")
        if held_out.split > (splits := self._scale.datasets[target].splits):
            raise NoSuchStepError(f"{target} has {splits} splits, and no split {held_out.split}")

    def _schedule(self, run: Run) -> Schedule:
        schedules = self._scale.schedules
        if run.initialisation == "scratch":
            return schedules.scratch
        return schedules.last_layer if run.layers == "last" else schedules.finetuning

    def _shared_classes(self, run: str, dataset: str) -> list[str]:
        if dataset not in self._benchmark.shared_classes:
            raise UserError(
                f"config/benchmark.yaml: shared_classes: the run {run} adds the classes of {dataset};"
                f" list those that it shares under {dataset}, or say {{}}"
            )
        return sorted(self._benchmark.shared_classes[dataset])

    def _check_fusible(self, name: str, run: Run) -> None:
        if run.input.is_slow_fusion and isinstance(self._scale.networks[run.network_name], Backbone):
            raise NoSuchStepError(
                f"the run {name} fuses frames from layer to layer, which a backbone ({run.network_name})"
                " cannot do: give it a network of layers (`network`), or leave it out of the tables and"
                " claims in config/benchmark.yaml"
            )

"""What a job needs, so that a scheduler can act on it: memory, time and GPUs.

All are upper estimates, as a job that asks for too much waits, and one that asks for too little is killed.
`rates` says how long the parts of jobs take, and what "measured" and "README" are.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from pydantic import BaseModel

from twostream.config.flow import ON_GPU
from twostream.config.recipes import (
    FiltersFigureRecipe,
    FlowRecipe,
    FramesRecipe,
    FusionRecipe,
    ImportRecipe,
    ScoringRecipe,
    TrainingRecipe,
)
from twostream.config.settings import Config
from twostream.config.streams import KINDS
from twostream.networks.input_format import channels
from twostream.plan.rates import (
    CPU_PRODUCTS,
    FETCHED,
    FRAME,
    GPU_PRODUCTS,
    PAIR,
    SAMPLES,
    SLOWER,
    START,
    SVM_PART,
)
from twostream.plan.sizes import NetworkSize, network_size
from twostream.plan.videos import DatasetSize, planned_dataset
from twostream.provenance.steps import Step

MB = 1_000_000
FLOAT = 4  # bytes

# Memory, in MB.
PLAIN = 500  # Without torch: 90 to 175 measured, and a table of the paper reads 30 files of 11.
TORCH = 2_000  # With small networks 730 to 1,040 measured, flow 860.
CUDA = 4_000  # The same with CUDA's libraries and context on the host; estimated.
WORKER = 500  # README, and two batches.
COPIES = 10  # of each value of a convolution, on a CPU: 8 give README's 3.7 GB.
PIXEL = 300 / MB  # Brox's fields at all levels, and a video's grey frames; estimated.
CLASSES = 101  # the most that a dataset of the paper has.


@dataclass(frozen=True)
class Needs:
    """Memory in MB (500 or more), time in minutes (10 or more), and GPUs (0 or more)."""

    mem_mb: int
    runtime: int
    gpu: int = 0

    def of_attempt(self, attempt: int, longest: int | None) -> "Needs":
        """Return the needs of the nth attempt: more memory, and more time up to `longest` (minutes).

        A training that is not done by then leaves a checkpoint, and goes on from it in another job.
        """
        runtime = self.runtime * attempt
        return replace(self, mem_mb=self.mem_mb * attempt, runtime=min(runtime, longest or runtime))


def needs_of(step: Step, dataset: str | None, config: Config, indexed: Mapping[str, int]) -> Needs:
    """Return what each job of a step needs.

    `dataset` is the one that the step is for, if it is for one; `indexed` has the number of videos of
    each dataset that is indexed: others are taken to be as large as those of the paper.
    """
    held = DatasetSize(0, 0, 0)
    if dataset:
        planned = planned_dataset(dataset, config)
        held = planned.size(indexed.get(dataset))
        if step.script == planned.rule:
            return _rounded(2 * PLAIN, planned.seconds(held))
    match step.recipe:
        case TrainingRecipe() as recipe:
            return _training(recipe, config)
        case ScoringRecipe() as recipe:
            trained = next(s.recipe for s in step.made_from if isinstance(s.recipe, TrainingRecipe))
            return _scoring(recipe, trained, held, config)
        case FlowRecipe() as recipe:
            gpu = int(config.device == "cuda" and recipe.flow.method in ON_GPU)
            each = PAIR * SLOWER.get(recipe.flow.method, 1.0)
            if recipe.flow.short_side:
                held = replace(held, pixels=_pixels(recipe.flow.short_side))
            return _rounded(_base(config) + PIXEL * held.pixels, each * _shard(held, recipe.shards), gpu)
        case ImportRecipe() as recipe:
            size = network_size(recipe.network, config.benchmark.pretraining, recipe.crop)
            file = size.weights * FLOAT / MB
            # The file, what it is read into, the network, and what is written.
            return _rounded(TORCH + 4 * file, FETCHED * file)
    return _without_network(step.recipe, held)


def _without_network(recipe: BaseModel, held: DatasetSize) -> Needs:
    match recipe:
        case FramesRecipe(shards=shards):
            return _rounded(PLAIN, FRAME * _shard(held, shards))
        case FusionRecipe(svm=svm) if svm:
            return _rounded(2 * PLAIN, SVM_PART * held.count * CLASSES * len(svm.costs) * svm.folds)
        case FiltersFigureRecipe():
            return _rounded(TORCH, 0)  # It loads a model: 0.4 GB with the paper's network.
    return _rounded(2 * PLAIN, 0)


def _training(recipe: TrainingRecipe, config: Config) -> Needs:
    """One process for each GPU shares the batch, each with its own workers."""
    training, run = recipe.training, recipe.run
    size = network_size(recipe.network, run, training.crop)
    batch = training.batch / config.gpus
    pixels = training.crop**2 if not KINDS[run.input.kind].leaves_crop else _whole(recipe)
    memory = _network(size, batch, config) + _input(batch * channels(run.input) * pixels, config)
    # Forward, and backward to weights and to values.
    seconds = 3 * batch * size.products / _speed(config) + batch / _samples(config)
    return _rounded(config.gpus * memory, recipe.schedule.iterations * seconds, _gpu(config) * config.gpus)


def _scoring(recipe: ScoringRecipe, trained: TrainingRecipe, held: DatasetSize, config: Config) -> Needs:
    """A video is a batch."""
    testing, run = recipe.testing, trained.run
    size = network_size(trained.network, run, trained.training.crop)
    stored = testing.frames * channels(run.input) * _whole(trained)
    memory = _network(size, testing.frames, config) + _input(stored, config)
    seconds = testing.frames * (testing.views * size.products / _speed(config) + 1 / _samples(config))
    return _rounded(memory, held.count * seconds, _gpu(config))


def _network(size: NetworkSize, batch: float, config: Config) -> float:
    """MB of a process with a network; on a GPU, what a batch leads to lies in the GPU's own memory."""
    values = 0 if config.device == "cuda" else COPIES * batch * size.values
    # Weights, gradients and momentum.
    return _base(config) + (3 * size.weights + values) * FLOAT / MB


def _input(batch_bytes: float, config: Config) -> float:
    """MB of the workers, with two batches each, and of two batches in the process itself."""
    return config.workers * WORKER + 2 * (config.workers + 1) * batch_bytes / MB


def _whole(recipe: TrainingRecipe) -> float:
    """Pixels of a whole frame or field."""
    return _pixels(recipe.short_side)


def _pixels(short_side: int) -> int:
    """Pixels at a shorter side: 4:3 is what most videos of the paper have."""
    return ceil(short_side**2 * 4 / 3)


def _shard(held: DatasetSize, shards: int) -> float:
    """Frames in a shard, counted as if they were of 320 x 240."""
    return ceil(held.count / shards) * held.frames * held.pixels / (320 * 240)


def _gpu(config: Config) -> int:
    return int(config.device == "cuda")


def _base(config: Config) -> float:
    return CUDA if config.device == "cuda" else TORCH


def _speed(config: Config) -> float:
    return GPU_PRODUCTS if config.device == "cuda" else CPU_PRODUCTS


def _samples(config: Config) -> float:
    return SAMPLES * max(1, config.workers)


def _rounded(memory: float, seconds: float, gpu: int = 0) -> Needs:
    """Round up: memory to 100 MB, time to ten minutes, from two hours on to an hour."""
    minutes = (START + seconds) / 60
    unit = 10 if minutes <= 120 else 60
    return Needs(ceil(memory / 100) * 100, ceil(minutes / unit) * unit, gpu)

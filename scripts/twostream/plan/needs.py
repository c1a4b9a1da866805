"""What a job needs, so that a scheduler can act on it: memory, time and GPUs.

All are upper estimates, as a job that asks for too much waits, and one that asks for too little is killed.
`rates` says how long the parts of jobs take, and what "measured" and "full-scale" are; `durations` adds up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil

from twostream.config.recipes import (
    FiltersFigureRecipe,
    FlowRecipe,
    FramesRecipe,
    ImportRecipe,
    ReportRecipe,
    ScoringRecipe,
    TrainingRecipe,
)
from twostream.config.settings import Config
from twostream.config.streams import KINDS
from twostream.networks.input_format import channels
from twostream.plan.datasets import DatasetSize, size_of
from twostream.plan.durations import flow_size, gpus_of, seconds_of, training_of
from twostream.plan.rates import UPPER
from twostream.plan.sizes import FLOAT, MB, NetworkSize, network_size, pixels_at
from twostream.provenance.steps import Step

# Memory, in MB.
PLAIN = 500  # Without torch: 90 to 175 measured, and a table of the paper reads 30 files of 14.
TORCH = 2_000  # With small networks 730 to 1,040 measured, flow 860.
CUDA = 4_000  # The same with CUDA's libraries and context on the host; estimated.
WORKER = 500  # full-scale, and two batches.
COPIES = 10  # of each value of a convolution, on a CPU: 8 give full-scale's 3.7 GB.
PIXEL = 300 / MB  # Brox's fields at all levels, and a video's grey frames; estimated.


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
    memory = _memory(step, size_of(dataset, config, indexed), config)
    return _rounded(memory, seconds_of(step, dataset, config, indexed, UPPER), gpus_of(step, config))


def _memory(step: Step, held: DatasetSize, config: Config) -> float:
    match step.recipe:
        case TrainingRecipe() as recipe:
            return _of_training(recipe, config)
        case ScoringRecipe() as recipe:
            return _of_scoring(recipe, training_of(step), config)
        case FlowRecipe(flow=flow):
            return _base(config) + PIXEL * flow_size(held, flow.short_side).pixels
        case ImportRecipe() as recipe:
            size = network_size(recipe.network, config.benchmark.pretraining, recipe.crop)
            # The file, what it is read into, the network, and what is written.
            return TORCH + 4 * size.weights * FLOAT / MB
        case FramesRecipe():
            return PLAIN
        case FiltersFigureRecipe():
            return TORCH  # It loads a model: 0.4 GB with the paper's network.
        case ReportRecipe():
            return 4 * PLAIN  # Frames and flow keep up to 256 MB of decoded images each.
    return 2 * PLAIN


def _of_training(recipe: TrainingRecipe, config: Config) -> float:
    """One process for each GPU shares the batch, each with its own workers."""
    training, run = recipe.training, recipe.run
    size = network_size(recipe.network, run, training.crop)
    batch = training.batch / config.gpus
    whole = KINDS[run.input.kind].leaves_crop
    pixels = pixels_at(recipe.short_side) if whole else training.crop**2
    read = _input(batch * channels(run.input) * pixels, config)
    return config.gpus * (_network(size, batch, config) + read)


def _of_scoring(recipe: ScoringRecipe, trained: TrainingRecipe, config: Config) -> float:
    """A video is a batch."""
    testing, run = recipe.testing, trained.run
    size = network_size(trained.network, run, trained.training.crop)
    stored = testing.frames * channels(run.input) * pixels_at(trained.short_side)
    return _network(size, testing.frames, config) + _input(stored, config)


def _network(size: NetworkSize, batch: float, config: Config) -> float:
    """MB of a process with a network; on a GPU, what a batch leads to lies in the GPU's own memory."""
    values = 0 if config.device == "cuda" else COPIES * batch * size.values
    # Weights, gradients and momentum.
    return _base(config) + (3 * size.weights + values) * FLOAT / MB


def _input(batch_bytes: float, config: Config) -> float:
    """MB of the workers, with two batches each, and of two batches in the process itself."""
    return config.workers * WORKER + 2 * (config.workers + 1) * batch_bytes / MB


def _base(config: Config) -> float:
    return CUDA if config.device == "cuda" else TORCH


def _rounded(memory: float, seconds: float, gpu: int) -> Needs:
    """Round up: memory to 100 MB, time to ten minutes, from two hours on to an hour."""
    minutes = seconds / 60
    unit = 10 if minutes <= 120 else 60
    return Needs(ceil(memory / 100) * 100, ceil(minutes / unit) * unit, gpu)

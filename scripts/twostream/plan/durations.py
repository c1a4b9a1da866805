"""How long a job takes, and on which processor: one formula, whether by upper rates or by expected ones."""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from twostream.config.benchmark import Run
from twostream.config.flow import ALGORITHMS
from twostream.config.recipes import (
    FlowRecipe,
    FramesRecipe,
    FusionRecipe,
    ImportRecipe,
    ScoringRecipe,
    TrainingRecipe,
    TrialRecipe,
)
from twostream.config.settings import Config
from twostream.config.trials import TRIALS
from twostream.networks.input_format import channels
from twostream.plan.datasets import DatasetSize, planned_dataset, size_of
from twostream.plan.rates import NetworkRate, Rates
from twostream.plan.sizes import FLOAT, MB, NetworkSize, network_size, pixels_at
from twostream.provenance.steps import Step


def gpus_of(step: Step, config: Config) -> int:
    """Return how many GPUs each job of a step computes on, 0 or more."""
    if config.device == "cpu":
        return 0
    match step.recipe:
        case TrainingRecipe():
            return config.gpus
        case ScoringRecipe():
            return 1
        case FlowRecipe(flow=flow):
            return int(ALGORITHMS[flow.method].on_gpu)
    return 0


def seconds_of(
    step: Step, dataset: str | None, config: Config, indexed: Mapping[str, int], rates: Rates
) -> float:
    """Return how many seconds each job of a step takes by these rates, its start included.

    `dataset` and `indexed` are as for `needs_of`.
    """
    held = size_of(dataset, config, indexed)
    if dataset and step.script == (planned := planned_dataset(dataset, config)).rule:
        return rates.start + planned.seconds(held, rates)
    return rates.start + _working(step, held, config, rates)


def _working(step: Step, held: DatasetSize, config: Config, rates: Rates) -> float:
    processor = rates.gpu if gpus_of(step, config) else rates.cpu
    match step.recipe:
        case TrainingRecipe() as recipe:
            # Where the last layer alone learns, all others go forward alone.
            rate = processor.scored if recipe.run.layers == "last" else processor.trained
            return recipe.schedule.iterations * _iteration(recipe, rate, config, rates)
        case TrialRecipe() as recipe:
            passes = TRIALS[recipe.trial].passes
            return passes * held.count * _video(recipe, training_of(step), processor.scored, config, rates)
        case ScoringRecipe() as recipe:
            return held.count * _video(recipe, training_of(step), processor.scored, config, rates)
        case FlowRecipe(shards=shards, flow=flow):
            each = processor.pair * ALGORITHMS[flow.method].slower
            return each * _shard(flow_size(held, flow.short_side), shards)
        case FramesRecipe(shards=shards):
            return rates.frame * _shard(held, shards)
        case ImportRecipe() as recipe:
            size = network_size(recipe.network, config.benchmark.pretraining, recipe.crop)
            return rates.fetched * size.weights * FLOAT / MB
        case FusionRecipe(svm=svm) if svm:
            return rates.svm_part * held.count * held.classes * len(svm.costs) * svm.folds
    return 0.0


def training_of(step: Step) -> TrainingRecipe:
    """Return how the network was trained that a step scores with."""
    return next(s.recipe for s in step.made_from if isinstance(s.recipe, TrainingRecipe))


def flow_size(held: DatasetSize, short_side: int | None) -> DatasetSize:
    """Return the size of a dataset as its flow is computed: at the shorter side given, or at its own."""
    return replace(held, pixels=pixels_at(short_side)) if short_side else held


def _iteration(recipe: TrainingRecipe, rate: NetworkRate, config: Config, rates: Rates) -> float:
    """One process for each GPU shares the batch, each with its own workers."""
    training, run = recipe.training, recipe.run
    batch = training.batch / config.gpus
    size = network_size(recipe.network, run, training.crop)
    # Added up: on an H100, workers that read take about as much from the steps as they have to read.
    return _computing(size, batch, rate) + batch * _reading(run, recipe.short_side, config, rates)


def _video(
    recipe: ScoringRecipe, trained: TrainingRecipe, rate: NetworkRate, config: Config, rates: Rates
) -> float:
    """A video is a batch."""
    frames, views = recipe.testing.frames, recipe.testing.views
    size = network_size(trained.network, trained.run, trained.training.crop)
    reading = frames * _reading(trained.run, trained.short_side, config, rates)
    return _computing(size, frames * views, rate) + reading


def _computing(size: NetworkSize, inputs: float, rate: NetworkRate) -> float:
    each = rate.product * size.products + rate.value * size.values + rate.column * size.columns
    return rate.batch + inputs * each


def _reading(run: Run, short_side: int, config: Config, rates: Rates) -> float:
    """Seconds to have one input: whole frames or fields are read, whatever is cropped of them."""
    values = channels(run.input) * pixels_at(short_side)
    return (rates.image * run.input.images + rates.value * values) / max(1, config.workers)


def _shard(held: DatasetSize, shards: int) -> float:
    """Frames in a shard, counted as if they were of 320 x 240."""
    return ceil(held.count / shards) * held.frames * held.pixels / (320 * 240)

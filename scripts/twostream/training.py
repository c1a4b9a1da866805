"""Training of one network: single-task, with classes added, or multi-task (section 4.1).

The batch is shared out over the tasks, each task's part drawn uniformly over its own classes; each
loss is taken over its own task's videos, and the total is their sum.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from twostream import paths
from twostream.devices import use_device
from twostream.files import UserError, written_whole
from twostream.index import class_names, read_index
from twostream.index import part as part_of
from twostream.inputs import Batch, open_reader, prepare
from twostream.models import Description, copy_hidden_layers, save_model
from twostream.networks import TwoStreamNetwork
from twostream.recipes import Source, Task, TrainingRecipe
from twostream.sampling import TaskSamples, TrainingVideo, collate

CURVE_POINTS = 100

Loader = Iterable[tuple[Batch, Tensor]]


def train_and_save(
    recipe: TrainingRecipe, initial: str | None, device: str, out: str, curve_out: str
) -> dict[str, int]:
    """Train a recipe's network, write model and curve, and return what its record should say."""
    network, description, curve = train(recipe, initial, device)
    with written_whole(curve_out) as part:
        curve.round(4).to_csv(part, index=False)
    save_model(network, description, out)
    return {"parameters": sum(p.numel() for p in network.parameters())}


def train(
    recipe: TrainingRecipe, initial: str | None, device_name: str
) -> tuple[TwoStreamNetwork, Description, pd.DataFrame]:
    """Train a recipe's network; return it, its description, and its training curve.

    `initial` is a model file whose hidden layers it starts from. The curve has a row for each
    hundredth of the training: iteration, learning rate, and the mean loss (nats) and accuracy (%)
    of the training batches since the row before.
    """
    device = use_device(device_name)
    torch.manual_seed(recipe.seed)
    videos = {task.head: _videos(task, recipe) for task in recipe.tasks}
    description = Description(
        run=recipe.run,
        network=recipe.network,
        crop=recipe.training.crop,
        short_side=recipe.short_side,
        heads={head: classes for head, (classes, _) in videos.items()},
    )
    network = description.build()
    if initial:
        copy_hidden_layers(initial, network)
    if recipe.run.layers == "last":
        network.freeze_hidden()
    network.to(device).train()
    loaders = _loaders(recipe, {head: found for head, (_, found) in videos.items()})
    return network, description, _descend(network, recipe, loaders, device)


def _videos(task: Task, recipe: TrainingRecipe) -> tuple[list[str], list[TrainingVideo]]:
    """Return a task's classes and its videos, those of all its sources in one numbering."""
    classes: list[str] = []
    videos: list[TrainingVideo] = []
    for source in task.sources:
        reader = open_reader(recipe.run.input, source.dataset, source.shards)
        index = read_index(paths.INDEX.format(dataset=source.dataset))
        kept = _kept_classes(source, class_names(index))
        label = {name: len(classes) + i for i, name in enumerate(kept)}
        chosen = part_of(index, source.split, "train")
        videos += [
            TrainingVideo(file, label[name], reader)
            for file, name in zip(chosen["file"], chosen["class"], strict=True)
            if name in label
        ]
        classes += kept
    if not videos:
        raise UserError(f"{task.head}: its split has no video to train on")
    return classes, videos


def _kept_classes(source: Source, names: list[str]) -> list[str]:
    unknown = set(source.without) - set(names)
    if unknown:
        raise UserError(
            f"config/benchmark.yaml: shared_classes.{source.dataset}: the dataset has no class "
            + ", ".join(sorted(unknown))
        )
    return [name for name in names if name not in source.without]


def _loaders(recipe: TrainingRecipe, videos: dict[str, list[TrainingVideo]]) -> dict[str, Loader]:
    loaders: dict[str, Loader] = {}
    for place, (head, found) in enumerate(videos.items()):
        share = recipe.training.batch // len(videos)
        samples = TaskSamples(found, recipe.training, recipe.short_side, [recipe.seed, place])
        loaders[head] = DataLoader(
            samples,
            batch_size=share,
            sampler=range(share * recipe.schedule.iterations),
            collate_fn=collate,
        )
    return loaders


def _descend(
    network: TwoStreamNetwork,
    recipe: TrainingRecipe,
    loaders: dict[str, Loader],
    device: torch.device,
) -> pd.DataFrame:
    learned = [p for p in network.parameters() if p.requires_grad]
    settings, schedule = recipe.training, recipe.schedule
    optimizer = torch.optim.SGD(learned, schedule.rate, settings.momentum, weight_decay=settings.weight_decay)
    steps = torch.optim.lr_scheduler.MultiStepLR(optimizer, schedule.drops, gamma=0.1)
    every = max(1, schedule.iterations // CURVE_POINTS)
    curve: list[tuple[int, float, float, float]] = []
    seen = np.zeros(3)
    progress = tqdm(zip(*loaders.values(), strict=True), "training", schedule.iterations)
    for iteration, batches in enumerate(progress, 1):
        optimizer.zero_grad(set_to_none=True)
        total, correct, count = _losses(network, dict(zip(loaders, batches, strict=True)), recipe, device)
        total.backward()
        optimizer.step()
        seen += (total.item(), correct, count)
        if iteration % every == 0 or iteration == schedule.iterations:
            if not np.isfinite(seen[0]):
                raise UserError(f"the loss is no longer finite at iteration {iteration}; lower `rate`")
            since = iteration - (curve[-1][0] if curve else 0)
            rate = optimizer.param_groups[0]["lr"]
            curve.append((iteration, rate, seen[0] / since, 100 * seen[1] / seen[2]))
            progress.set_postfix(loss=f"{curve[-1][2]:.3f}", accuracy=f"{curve[-1][3]:.1f}%")
            seen[:] = 0
        steps.step()
    return pd.DataFrame(curve, columns=["iteration", "rate", "loss", "accuracy"])


def _losses(
    network: TwoStreamNetwork,
    batches: dict[str, tuple[Batch, Tensor]],
    recipe: TrainingRecipe,
    device: torch.device,
) -> tuple[Tensor, int, int]:
    """Return the sum of the tasks' losses, and how many samples were right, of how many."""
    inputs = [
        prepare(batch.to(device), recipe.run.input, recipe.training.crop) for batch, _ in batches.values()
    ]
    # One pass for all tasks: batch normalisation sees the whole batch, as the shared layers do.
    hidden = network.hidden(torch.cat(inputs)).split([len(x) for x in inputs])
    total, correct, count = torch.zeros((), device=device), 0, 0
    for (head, (_, labels)), values in zip(batches.items(), hidden, strict=True):
        labels = labels.to(device)
        logits = network.heads[head](values)
        total = total + nn.functional.cross_entropy(logits, labels)
        correct += int((logits.argmax(1) == labels).sum())
        count += len(labels)
    return total, correct, count

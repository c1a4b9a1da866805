"""The steps of a training: down the sum of the losses of its tasks, at the rate of its schedule.

It needs torch alone and no more of a recipe than it names, so that steps can be measured where nothing else
is installed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim import SGD

from twostream.devices import mixed_precision
from twostream.networks.network import StreamNetwork, first_convolution
from twostream.training.batch import Drawn
from twostream.training.preprocessing import prepare
from twostream.training.stagnation import Row

if TYPE_CHECKING:
    from twostream.config.recipes import TrainingRecipe
    from twostream.config.scale import Schedule


@dataclass
class Progress:
    """Where a training stands, beside weights and momentum.

    `seen` sums loss, right answers and samples since the curve's last row; `seconds` is the time
    spent so far, `waiting` how much of it for input.
    """

    seen: Tensor
    iteration: int = 0
    curve: list[Row] = field(default_factory=list)
    seconds: float = 0.0
    waiting: float = 0.0
    resumed_at: list[int] = field(default_factory=list)


def optimizer_of(network: StreamNetwork, recipe: TrainingRecipe) -> SGD:
    """Return the optimiser of the layers that a recipe trains.

    Each of its groups has a `rate_factor`, by which the rate of the schedule is multiplied.
    """
    first, settings = first_convolution(network), recipe.training
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(_factors(name, first, recipe), []).append(parameter)
    return SGD(
        [
            {"params": learned, "rate_factor": rate, "weight_decay": settings.weight_decay * decay}
            for (rate, decay), learned in groups.items()
        ],
        recipe.schedule.rate,
        settings.momentum,
    )


def _factors(name: str, first: str, recipe: TrainingRecipe) -> tuple[float, float]:
    """Return by what the rate and the weight decay of a parameter are multiplied.

    Weights w = s c that are s times others' c see inputs that are s times smaller, so the gradient by w is
    1/s of that by c. With s^2 times the rate and 1/s^2 of the decay each step moves w by s times what c
    would move by: the network learns as it would have there.
    """
    if name.endswith(".bias") and recipe.training.biases_as_caffe:
        return 2.0, 0.0
    if name == f"{first}.weight":
        return recipe.first_layer_scale**2, 1 / recipe.first_layer_scale**2
    return 1.0, 1.0


def timed(drawn: Iterator[dict[str, Drawn]], progress: Progress) -> Iterator[dict[str, Drawn]]:
    """Yield the batches, and add to `progress` how long each was waited for."""
    while True:
        asked = time.monotonic()
        batch = next(drawn, None)
        progress.waiting += time.monotonic() - asked
        if batch is None:
            return
        yield batch


def rate_at(schedule: Schedule, iteration: int) -> float:
    """Return the learning rate of an iteration, counted from 1."""
    return schedule.rate * 0.1 ** sum(iteration > drop for drop in schedule.drops)


def descend(
    network: nn.Module,
    optimizer: SGD,
    batch: dict[str, Drawn],
    recipe: TrainingRecipe,
    progress: Progress,
    device: torch.device,
) -> None:
    """Take one step down the sum of the tasks' losses."""
    progress.iteration += 1
    for group in optimizer.param_groups:
        group["lr"] = rate_at(recipe.schedule, progress.iteration) * group["rate_factor"]
    run, crop = recipe.run, recipe.training.crop
    inputs = {head: prepare(drawn.to(device), run.input, crop) for head, (drawn, _, _) in batch.items()}
    keep = torch.cat([mask for _, mask, _ in batch.values()]).to(device, non_blocking=True)
    with mixed_precision(device):
        logits = network(inputs, keep)
    total = torch.zeros((), device=device)
    for head, (_, _, labels) in batch.items():
        wanted, scores = labels.to(device, non_blocking=True), logits[head].float()
        loss = nn.functional.cross_entropy(scores, wanted)
        total = total + loss
        right = (scores.argmax(1) == wanted).sum()
        progress.seen += torch.stack([loss.detach(), right, torch.full_like(right, len(wanted))])
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    optimizer.step()

"""What a temporal CNN-M-2048 starts from: its first loss, and how many channels of its last convolution die.

For each dropout the network, schedule and settings of config/scale/paper.yaml, inputs like flow (smooth, of
unit variance) and labels at random. Guessing among K classes loses ln K, which a training should start from;
a channel is silent that gives zero everywhere for each input of the last batch, and learns nothing more.
"""

import argparse
import math
from pathlib import Path

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from twostream.config.loading import load_config
from twostream.config.recipes import Task, TrainingRecipe, TrainingSubset
from twostream.config.settings import Config
from twostream.networks.network import StreamNetwork
from twostream.training.descent import optimizer_of

ROOT = Path(__file__).resolve().parent.parent
CLASSES = 101
# Points of independent motion along each side of a field.
SMOOTHNESS = 8


def flow_like(batch: int, length: int, size: int, random: torch.Generator) -> Tensor:
    """Return fields that change slowly over space and time, [batch, 2 * length, size, size].

    Of unit variance, and each of mean zero, as after mean subtraction.
    """
    still, moving = (torch.randn(batch, n, 2, SMOOTHNESS, SMOOTHNESS, generator=random) for n in (1, length))
    fields = interpolate((still + 0.3 * moving).flatten(1, 2), (size, size), mode="bicubic")
    fields -= fields.mean(dim=(2, 3), keepdim=True)
    return fields / fields.std()


def recipe_of(config: Config, dropout: float) -> TrainingRecipe:
    """Return the paper's recipe of the temporal network, with this dropout."""
    scale, run = config.scale, config.benchmark.runs["flow-10"]
    return TrainingRecipe(
        run=run.model_copy(update={"dropout": dropout}),
        tasks=[Task(head="h", sources=[TrainingSubset(dataset="d", shards=1, split=1)])],
        network=scale.networks[run.network_name],
        training=scale.training,
        schedule=scale.schedules.scratch,
        short_side=scale.short_side("flow"),
        seed=config.seed,
    )


def train(recipe: TrainingRecipe, batch: int, steps: int) -> tuple[list[float], int, int]:
    """Return the loss of each step, and of the last convolution's channels how many are silent, and all."""
    torch.manual_seed(recipe.seed)
    random = torch.Generator().manual_seed(1)
    run, crop = recipe.run, recipe.training.crop
    network = StreamNetwork(recipe.network, run, {"h": CLASSES}, crop).train()
    optimizer = optimizer_of(network, recipe)
    seen: dict[str, Tensor] = {}
    last = f"relu{len(recipe.network.convolutions)}"
    getattr(network.features, last).register_forward_hook(lambda *given: seen.update(out=given[2].detach()))
    losses = []
    for step in range(steps + 1):
        x = flow_like(batch, run.input.length, crop, random)
        keep = torch.rand(batch, network.units, generator=random) >= run.dropout
        labels = torch.randint(CLASSES, (batch,), generator=random)
        loss = cross_entropy(network({"h": x}, keep)["h"], labels)
        losses.append(loss.item())
        if step < steps:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    silent = (seen["out"] == 0).all(dim=3).all(dim=2).all(dim=0)
    return losses, int(silent.sum()), len(silent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--dropout", type=float, nargs="+", default=[0.5, 0.9])
    args = parser.parse_args()
    config = load_config(ROOT / "config", {"scale": "paper"})
    print(f"Guessing loses ln {CLASSES} = {math.log(CLASSES):.2f}; batch {args.batch}")
    for dropout in args.dropout:
        losses, silent, channels = train(recipe_of(config, dropout), args.batch, args.steps)
        print(
            f"  dropout {dropout}: loss {' '.join(f'{loss:.2f}' for loss in losses)};"
            f" {silent} of {channels} channels silent after {args.steps} steps",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""The steps of a training at the paper's size, as the trainer takes them, and the inputs that they need."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from unittest.mock import patch

import torch
from torch import Tensor
from torch.optim import SGD

from gpu_parts import paper
from twostream.config.streams import KINDS
from twostream.devices import mixed_precision, to_device
from twostream.networks.network import StreamNetwork
from twostream.training import descent
from twostream.training.batch import Batch, Drawn
from twostream.training.descent import Progress, descend, optimizer_of
from twostream.training.preprocessing import prepare
from twostream.training.squares import square_side

HEAD = "ucf101"
# What stored frames measure, and fields, height by width: those of videos of 240 x 320.
STORED = {"frames": (256, 341), "flow": (240, 320)}


@dataclass
class Training:
    """A run's network on a device, and where its training stands."""

    recipe: SimpleNamespace
    network: StreamNetwork
    optimizer: SGD
    progress: Progress
    device: torch.device

    def step(self, batch: dict[str, Drawn]) -> None:
        """Take one step, as the trainer does."""
        descend(self.network, self.optimizer, batch, self.recipe, self.progress, self.device)

    def loss(self) -> float:
        """Return the mean loss of the steps so far, which waits for the device."""
        return self.progress.seen[0].item() / self.progress.iteration

    def score(self, batch: dict[str, Drawn]) -> Tensor:
        """Return the scores of a batch's inputs, as the scoring of videos does."""
        inputs = prepare(batch[HEAD][0], self.recipe.run.input, self.recipe.training.crop)
        with torch.inference_mode(), mixed_precision(self.device):
            return self.network({HEAD: inputs})[HEAD].float().softmax(dim=1)


def start(run: str, batch: int, crop: int, device: torch.device) -> Training:
    """Return a training of a run that has not begun; equal calls give equal weights."""
    torch.manual_seed(0)
    recipe = paper.recipe(run, batch, crop)
    network = StreamNetwork(paper.NETWORK, recipe.run, {HEAD: paper.CLASSES}, crop)
    to_device(network, device)
    optimizer = optimizer_of(network.train(), recipe)
    progress = Progress(seen=torch.zeros(3, dtype=torch.float64, device=device))
    return Training(recipe, network, optimizer, progress, device)


def random_batch(training: Training) -> dict[str, Drawn]:
    """Return a batch of noise on the device, in the form in which samples are stored."""
    recipe, device = training.recipe, training.device
    kind, length, count = KINDS[recipe.run.input.kind], recipe.run.input.length, recipe.training.batch
    side = square_side(recipe.training.crop, recipe.short_side, *STORED[kind.reads])
    torch.manual_seed(0)
    images = torch.randint(0, 256, (count, length, len(kind.channels), side, side), dtype=torch.uint8)
    ranges = torch.zeros(count, length, 3, 2)
    ranges[:, :, 0], ranges[:, :, 1] = -5.0, 5.0
    zeros = torch.zeros(count, dtype=torch.int64)
    flip, jitter = torch.rand(count) < 0.5, torch.randn(count, 3)
    batch = Batch(images, ranges, zeros, zeros, torch.full((count,), side), flip, jitter).to(device)
    keep = torch.rand(count, training.network.units) >= recipe.run.dropout
    labels = torch.randint(0, paper.CLASSES, (count,))
    return {HEAD: (batch, keep.to(device), labels.to(device))}


@contextmanager
def single_precision() -> Iterator[None]:
    """Have steps computed in single precision on a GPU too."""
    with patch.object(descent, "mixed_precision", lambda device: torch.autocast(device.type, enabled=False)):
        yield

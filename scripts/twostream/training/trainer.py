"""Training of one network: single-task, with classes added, or multi-task (section 4.1).

The batch is shared out over the tasks, each task's part drawn uniformly over its own classes; each
loss is taken over its own task's videos, and the total is their sum.

Several processes, started by `torchrun`, share each batch out, one GPU each. What a sample is, and
which units its dropout leaves, depends on the seed and its number alone, so the number of processes
changes a network without batch normalisation by rounding only, and a training that was killed goes
on from its checkpoint to the very weights that it would have had.
"""

import sys
import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch.optim import SGD

from twostream import arithmetic
from twostream.config.recipes import TrainingRecipe
from twostream.config.scale import Schedule
from twostream.devices import Processes, Runtime, to_device
from twostream.extraction.dataset_files import DatasetFiles
from twostream.files import InterruptedJobError, UserError, atomic_write
from twostream.networks.model_file import Description, copy_hidden_layers, save_model
from twostream.networks.network import StreamNetwork
from twostream.networks.strided import with_portable_gradients
from twostream.progress import ProgressBar
from twostream.training.checkpoints import Checkpoint
from twostream.training.descent import Progress, descend, optimizer_of, rate_at, timed
from twostream.training.held_out import hold_out
from twostream.training.interruption import stopped_by_signal
from twostream.training.sampling import Dropout
from twostream.training.stagnation import Stagnation
from twostream.training.tasks import batches, videos_of

CURVE_POINTS = 100


@dataclass
class Trained:
    """A trained network, its description, its curve, and how the training went.

    The curve has a row for each hundredth of the training: iteration, learning rate, and the mean
    loss (nats) and accuracy (%) of the training batches since the row before. `facts` are the same
    each time: how many `parameters` the network has, and, if it was, until which iteration the loss was
    `no_better_than_guessing`; what is of this `run` alone, such as its seconds, is not.
    """

    network: StreamNetwork
    description: Description
    curve: pd.DataFrame
    facts: dict[str, Any]
    run: dict[str, Any]


def train_and_save(
    recipe: TrainingRecipe,
    files: dict[str, DatasetFiles],
    initial: str | None,
    runtime: Runtime,
    checkpoint: Checkpoint,
    out: str,
    curve_out: str,
) -> Trained:
    """Train a recipe's network, and write model and curve.

    The checkpoint stays: until the record is written, the training is not safe.
    """
    trained = train(recipe, files, initial, runtime, checkpoint)
    if runtime.processes.first:
        with atomic_write(curve_out) as part:
            trained.curve.round(4).to_csv(part, index=False)
        save_model(trained.network, trained.description, out)
    return trained


def train(
    recipe: TrainingRecipe,
    files: dict[str, DatasetFiles],
    initial: str | None,
    runtime: Runtime,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train a recipe's network, from `checkpoint` on if it holds anything.

    `files` are those of each dataset; `initial` is a model file whose hidden layers it starts from.
    """
    checkpoint = checkpoint or Checkpoint("", spec=None)
    device, processes, schedule = runtime.device, runtime.processes, recipe.schedule
    torch.manual_seed(recipe.seed)
    held_out = hold_out(recipe, files, tell=processes.first)
    found = {task.head: videos_of(task, recipe, files) for task in recipe.tasks}
    description = _describe(recipe, {head: classes for head, (classes, _) in found.items()})
    network = description.build()
    if initial:
        copy_hidden_layers(initial, network)
    if recipe.run.layers == "last":
        network.freeze_hidden()
    to_device(network, device)
    if device.type == "cpu" and arithmetic.asked() == "portable":
        with_portable_gradients(network)
    optimizer = optimizer_of(network, recipe)
    progress = _resume(network, optimizer, checkpoint, device)
    videos = {head: videos for head, (_, videos) in found.items()}
    dropout = Dropout(network.units, recipe.run.dropout)
    started = time.monotonic() - progress.seconds
    stagnation = Stagnation.of(map(len, description.heads.values()), schedule.iterations)
    shared = processes.share(network.train(), device)
    drawn = batches(videos, recipe, dropout, runtime, progress.iteration)
    bar = ProgressBar(
        *(None, "training", schedule.iterations),
        unit=" iterations",
        initial=progress.iteration,
        disable=not processes.first,
    )
    with bar, stopped_by_signal(processes, device) as interruption:
        for batch in timed(drawn, progress):
            descend(shared, optimizer, batch, recipe, progress, device)
            if _add_to_curve(progress, schedule, processes):
                bar.set_postfix(loss=round(progress.curve[-1][2], 3), refresh=False)
                warning = stagnation.warning(progress.curve)
                if warning and processes.first:
                    bar.write(warning, file=sys.stderr)
            bar.update()
            progress.seconds = time.monotonic() - started
            stops = interruption.is_due(progress.iteration) and progress.iteration < schedule.iterations
            if processes.first and (stops or checkpoint.due()):
                checkpoint.save(_state(network, optimizer, progress))
            if stops:
                # `torchrun` ends all processes when the first of them ends.
                processes.meet(device)
                raise InterruptedJobError(_stopped(progress, schedule, checkpoint))
    curve = pd.DataFrame(progress.curve, columns=["iteration", "rate", "loss", "accuracy"])
    facts = {"parameters": sum(p.numel() for p in network.parameters()), **held_out}
    if stuck := stagnation.until(progress.curve):
        facts["no_better_than_guessing"] = stuck
    return Trained(network, description, curve, facts, _run(progress, processes))


def _stopped(progress: Progress, schedule: Schedule, checkpoint: Checkpoint) -> str:
    kept = "the next call goes on from there" if checkpoint.is_kept else "without --spec nothing is kept"
    return f"told to stop (SIGTERM) after iteration {progress.iteration:,} of {schedule.iterations:,}; {kept}"


def _describe(recipe: TrainingRecipe, heads: dict[str, list[str]]) -> Description:
    return Description(
        run=recipe.run,
        network=recipe.network,
        crop=recipe.training.crop,
        short_side=recipe.short_side,
        heads=heads,
    )


def _run(progress: Progress, processes: Processes) -> dict[str, Any]:
    return {
        "processes": processes.count,
        "training_seconds": round(progress.seconds, 2),
        "waiting_seconds": round(progress.waiting, 2),
        "resumed_at": progress.resumed_at,
    }


def _add_to_curve(progress: Progress, schedule: Schedule, processes: Processes) -> bool:
    """Add a row if it is time for one, and return whether it was."""
    iteration = progress.iteration
    if iteration % max(1, schedule.iterations // CURVE_POINTS) and iteration != schedule.iterations:
        return False
    loss, right, count = processes.sum(progress.seen.clone()).tolist()
    if not loss < float("inf"):
        raise UserError(f"the loss is no longer finite at iteration {iteration}; lower `rate`")
    since = (iteration - (progress.curve[-1][0] if progress.curve else 0)) * processes.count
    progress.curve.append((iteration, rate_at(schedule, iteration), loss / since, 100 * right / count))
    progress.seen.zero_()
    return True


def _state(network: StreamNetwork, optimizer: SGD, progress: Progress) -> dict[str, Any]:
    return {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "progress": vars(progress)}


def _resume(network: StreamNetwork, optimizer: SGD, checkpoint: Checkpoint, device: torch.device) -> Progress:
    """Put network and optimiser where the checkpoint left them, and return where that is."""
    state = checkpoint.load(device)
    if state is None:
        return Progress(seen=torch.zeros(3, dtype=torch.float64, device=device))
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    progress = Progress(**state["progress"])
    progress.resumed_at.append(progress.iteration)
    return progress

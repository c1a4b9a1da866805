"""Training steps a second of both streams at full size, their input on the device; memory; and scoring."""

from contextlib import nullcontext

import torch

from gpu_parts import paper, steps
from gpu_parts.place import Place
from gpu_parts.timing import forget_peak, peak, rate
from twostream.devices import mixed_precision, use_device

# More than the lower precision does to the first loss (nats), which is about log(101) = 4.6.
TOLERANCE = 0.1
SMALLEST_BATCH = 2


def measure(place: Place) -> None:
    """Measure each stream with and without mixed precision, and compare their first losses."""
    device = use_device(place.device)
    for run in paper.RUNS:
        losses = {mixed: _training(place, run, mixed, device) for mixed in _precisions(place, run, device)}
        if len(losses) == 2 and None not in losses.values():
            _compare(place, run, losses)
    for run in paper.RUNS:
        _scoring(place, run, device)


def _precisions(place: Place, run: str, device: torch.device) -> list[bool]:
    with mixed_precision(device):
        if torch.is_autocast_enabled(device.type):
            return [True, False]
    place.skipped(f"{paper.title(run)}, mixed precision", "needs a GPU that has bfloat16")
    return [False]


def _training(place: Place, run: str, mixed: bool, device: torch.device) -> float | None:
    """Measure a run's steps with the largest batch that fits; return the loss of the first one."""
    what = f"{paper.title(run)}, {'mixed' if mixed else 'single'} precision"
    batch = place.sizes.batch
    with nullcontext() if mixed else steps.single_precision():
        while batch >= SMALLEST_BATCH:
            try:
                return _steps(place, what, run, batch, device)
            except torch.OutOfMemoryError:
                batch //= 2
    place.skipped(what, "not even a small batch fits in the GPU's memory")
    return None


def _steps(place: Place, what: str, run: str, batch: int, device: torch.device) -> float:
    forget_peak(device)
    training = steps.start(run, batch, place.sizes.crop, device)
    drawn = steps.random_batch(training)
    training.step(drawn)
    first = training.loss()
    done = rate(lambda: training.step(drawn), device, 2 * place.sizes.seconds)
    figures = {
        "steps/s": done,
        "inputs/s": batch * done,
        f"hours for {paper.ITERATIONS:,} steps": paper.ITERATIONS / done / 3600,
    }
    wrong = "" if training.loss() < float("inf") else "its loss is not finite"
    place.measured(f"{what}, batch {batch}", figures | peak(device), wrong)
    return first


def _compare(place: Place, run: str, losses: dict[bool, float | None]) -> None:
    mixed, single = losses[True], losses[False]
    assert mixed is not None and single is not None
    wrong = "" if abs(mixed - single) <= TOLERANCE else f"more than {TOLERANCE} apart"
    figures = {"nats in mixed precision": mixed, "nats in single precision": single}
    place.measured(f"{paper.title(run)}, first loss", figures, wrong)


def _scoring(place: Place, run: str, device: torch.device) -> None:
    what = f"{paper.title(run)}, scoring"
    with place.skipping(what):
        training = steps.start(run, place.sizes.batch, place.sizes.crop, device)
        drawn = steps.random_batch(training)
        training.network.eval()
        done = rate(lambda: training.score(drawn), device, place.sizes.seconds)
        place.measured(f"{what}, batch {place.sizes.batch}", {"inputs/s": place.sizes.batch * done})

"""Optical flow: every algorithm against its field on the CPU and the truth, and pairs a second."""

from importlib import import_module
from types import SimpleNamespace

import numpy as np
import torch

from gpu_parts import brox, paper
from gpu_parts.moving_pictures import Pair, pairs
from gpu_parts.place import Place
from gpu_parts.timing import forget_peak, peak, rate
from twostream.devices import use_device
from twostream.flow.brox_torch import HalfSweep, brox_flow_batch

# More than rounding does to the mean of a field, in px.
TOLERANCE = 1e-3
CPU = torch.device("cpu")
# Without Triton a batch takes long, so fewer of them are measured.
FEWER = slice(0, None, 2)


def measure(place: Place) -> None:
    """Measure what computes on the device first, then what computes on the CPU whatever the device."""
    device, sizes = use_device(place.device), place.sizes
    made = pairs(sizes.height, sizes.width, sizes.displacements)
    name, solve = brox.on_cpu(brox.settings(place))
    expected = [solve(pair) for pair in made]
    sweeps = list(brox.half_sweeps(place))
    for what, sweep in sweeps:
        _compare(place, what, sweep, made, expected, device)
    for number, (what, sweep) in enumerate(sweeps):
        for batch in sizes.pairs[FEWER] if number else sizes.pairs:
            _time(place, f"{what}, {batch} pair{'s' * (batch > 1)} at once", sweep, made[0], batch, device)
    figures = {"px from the truth": _error(expected, made)}
    figures["pairs/s"] = rate(lambda: solve(made[0]), CPU, sizes.seconds, warm_up=1)
    place.measured(f"Brox by {name}, one core of the CPU", figures)
    for algorithm in paper.ON_CPU:
        _on_cpu(place, algorithm, made)


def _compare(
    place: Place,
    what: str,
    sweep: HalfSweep,
    made: list[Pair],
    expected: list[np.ndarray],
    device: torch.device,
) -> None:
    """Compare the fields of all pairs, as one batch; the mean is that of the worst."""
    with place.skipping(what), brox.relaxing_by(sweep):
        found = brox_flow_batch(*brox.stacked(made, device), brox.settings(place))
        fields = list(found.permute(0, 2, 3, 1).cpu().numpy())
        apart = [np.linalg.norm(a - b, axis=-1) for a, b in zip(fields, expected, strict=True)]
        mean, largest = float(np.mean(apart, axis=(1, 2)).max()), float(np.max(apart))
        figures = {
            "px from the CPU's field": mean,
            "px at most": largest,
            "px from the truth": _error(fields, made),
        }
        # Not `mean > TOLERANCE`, which NaN is not.
        wrong = "" if mean <= TOLERANCE else f"more than {TOLERANCE} px from the CPU's field"
        place.measured(f"{what}, {len(made)} pairs", figures, wrong)


def _time(place: Place, what: str, sweep: HalfSweep, pair: Pair, batch: int, device: torch.device) -> None:
    with place.skipping(what), brox.relaxing_by(sweep):
        forget_peak(device)
        first, second = brox.stacked([pair] * batch, device)
        settings = brox.settings(place)
        calls = rate(lambda: brox_flow_batch(first, second, settings), device, place.sizes.seconds)
        place.measured(what, {"pairs/s": batch * calls} | peak(device))


def _on_cpu(place: Place, algorithm: str, made: list[Pair]) -> None:
    what = f"{algorithm} by OpenCV, one core of the CPU"
    with place.skipping(what):
        import cv2

        if algorithm == "tvl1" and not hasattr(cv2, "optflow"):
            return place.skipped(what, "needs OpenCV with its contributed modules")
        cv2.setNumThreads(1)
        fields_of = import_module(f"twostream.flow.algorithms.{algorithm}").fields

        def solve(pair: Pair) -> np.ndarray:
            return next(fields_of([pair.first, pair.second], False, SimpleNamespace(), "cpu"))

        figures = {"px from the truth": _error([solve(pair) for pair in made], made)}
        figures["pairs/s"] = rate(lambda: solve(made[0]), CPU, place.sizes.seconds, warm_up=1)
        place.measured(what, figures)


def _error(fields: list[np.ndarray], made: list[Pair]) -> float:
    """The mean endpoint error of all pairs in px."""
    errors = [np.linalg.norm(f - pair.displacement, axis=-1) for f, pair in zip(fields, made, strict=True)]
    return float(np.mean(errors))

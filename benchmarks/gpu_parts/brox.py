"""The implementations of Brox flow, by name: those for a GPU, and that for a CPU which they are held to."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import torch

from gpu_parts import paper
from gpu_parts.moving_pictures import Pair
from gpu_parts.place import Place, why_missing
from twostream.flow import brox_torch
from twostream.flow.brox_torch import HalfSweep, brox_flow_batch


def settings(place: Place) -> SimpleNamespace:
    """Return the paper's settings, with the iterations that the sizes name."""
    sizes = place.sizes
    iterations = {"inner_iterations": sizes.inner_iterations, "solver_iterations": sizes.solver_iterations}
    return SimpleNamespace(**vars(paper.BROX) | iterations)


def triton_half_sweep(device: str) -> HalfSweep:
    """Return the half-sweep by Triton, interpreted on a CPU. Raises ImportError if Triton is missing."""
    if device == "cpu":
        os.environ["TRITON_INTERPRET"] = "1"
    from twostream.flow.brox_triton import half_sweep

    return half_sweep


def half_sweeps(place: Place) -> Iterator[tuple[str, HalfSweep]]:
    """Yield the half-sweeps that a GPU has a choice of, with what flow by them is called."""
    try:
        yield "Brox by Triton", triton_half_sweep(place.device)
    except ImportError as error:
        place.skipped("Brox by Triton", why_missing(error))
    yield "Brox by PyTorch alone", brox_torch.half_sweep_eager


@contextmanager
def relaxing_by(half_sweep: HalfSweep) -> Iterator[None]:
    """Have `brox_flow_batch` use a half-sweep, whatever the device."""
    with patch.object(brox_torch, "_half_sweep_for", lambda device: half_sweep):
        yield


def stacked(pairs: list[Pair], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first and the second pictures of pairs, [pairs, height, width], on a device."""
    first, second = ([pair.first for pair in pairs], [pair.second for pair in pairs])
    return torch.from_numpy(np.stack(first)).to(device), torch.from_numpy(np.stack(second)).to(device)


def on_cpu(brox: SimpleNamespace) -> tuple[str, Callable[[Pair], np.ndarray]]:
    """Return what computes Brox flow on this CPU, and a function that does: numba if it is here."""
    try:
        from twostream.flow.brox_numba import brox_flow
    except ImportError as error:
        why_missing(error)
        return "PyTorch", lambda pair: _by_torch(pair, brox)
    return "numba", lambda pair: brox_flow(pair.first, pair.second, brox)


def _by_torch(pair: Pair, brox: SimpleNamespace) -> np.ndarray:
    first, second = stacked([pair], torch.device("cpu"))
    return brox_flow_batch(first, second, brox)[0].permute(1, 2, 0).numpy()

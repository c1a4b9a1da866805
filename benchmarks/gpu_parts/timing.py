"""How many calls a second, and how much memory of the GPU they take."""

import time
from collections.abc import Callable

import torch

MOST_CALLS = 1000


def wait_for(device: torch.device) -> None:
    """Return once the device has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def rate(call: Callable[[], object], device: torch.device, seconds: float, warm_up: int = 3) -> float:
    """Return how many calls a second the device does, measured for about so many seconds.

    It is called `warm_up` times before, as first calls compile code and choose among kernels. The device is
    waited for at the end alone, so that what the CPU does meanwhile is hidden as it is at work.
    """
    for _ in range(warm_up):
        call()
    once = _duration(call, 1, device)
    calls = max(3, min(MOST_CALLS, round(seconds / once)))
    return calls / _duration(call, calls, device)


def _duration(call: Callable[[], object], calls: int, device: torch.device) -> float:
    wait_for(device)
    started = time.perf_counter()
    for _ in range(calls):
        call()
    wait_for(device)
    return time.perf_counter() - started


def forget_peak(device: torch.device) -> None:
    """Measure the peak of the memory from here on."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak(device: torch.device) -> dict[str, float]:
    """Return the peak of the GPU's memory since then, as a figure; none on a CPU."""
    return {"GB at the peak": torch.cuda.max_memory_allocated(device) / 1e9} if device.type == "cuda" else {}

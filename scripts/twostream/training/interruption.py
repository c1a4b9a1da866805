"""A training that is told to stop: by SIGTERM, which clusters send before they end a job.

What it has done by then goes into its checkpoint, from which the next call goes on.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread

import torch

from twostream.devices import Processes

# Several processes agree on where to stop; that is a wait for the GPUs, so not after each iteration.
ITERATIONS_BETWEEN = 5


class Interruption:
    """Whether a training is to stop; all its processes say so after the same iteration.

    `told` is whether this process was told.
    """

    def __init__(self, processes: Processes, device: torch.device) -> None:
        self._processes, self._device = processes, device
        self.told = False

    def tell(self, *_: object) -> None:
        """Have the training stop after the iteration that it is at, or soon after."""
        self.told = True

    def is_due(self, iteration: int) -> bool:
        """Return whether it is to stop after this iteration; each process must ask after each one."""
        if self._processes.count == 1:
            return self.told
        if iteration % ITERATIONS_BETWEEN:
            return False
        told = torch.tensor(float(self.told), device=self._device)
        return bool(self._processes.sum(told).item())


@contextmanager
def stopped_by_signal(processes: Processes, device: torch.device) -> Iterator[Interruption]:
    """Have SIGTERM tell an interruption while the block runs, where it would end the process at once.

    In a thread other than the main one signals cannot be waited for, and nothing changes.
    """
    interruption = Interruption(processes, device)
    if current_thread() is not main_thread():
        yield interruption
        return
    before = signal.signal(signal.SIGTERM, interruption.tell)
    try:
        yield interruption
    finally:
        # Told again while it ends, as all processes of a job may be, it is to come to an end all the same.
        signal.signal(signal.SIGTERM, signal.SIG_IGN if interruption.told else before)

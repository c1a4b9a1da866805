"""Data loaders: other processes that read and decode for the one that trains or scores."""

import os
import signal
from collections.abc import Iterator
from threading import Thread
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from twostream.files import UserError


def iterate_batches(
    dataset: Dataset[Any], device: torch.device, workers: int, **batching: Any
) -> Iterator[Any]:
    """Yield what torch's DataLoader makes of a dataset, with `workers` processes (0: this one).

    Raises a dataset's UserError with its own message, whichever process it came from.
    """
    loader: DataLoader[Any] = DataLoader(
        dataset,
        num_workers=workers,
        # A forked process would share locks and threads that it cannot use.
        multiprocessing_context="spawn" if workers else None,
        pin_memory=device.type == "cuda",
        worker_init_fn=_end_with_parent if workers else None,
        **batching,
    )
    try:
        yield from loader
    except UserError as error:
        # From another process it comes with a traceback before it.
        raise UserError(str(error).rpartition("UserError: ")[2].strip()) from None


def _end_with_parent(_: int) -> None:
    """Have SIGTERM end this worker only if it is its parent's.

    One that a cluster sends to all processes of a job must not: the parent would fail amid a step, and not
    come to leave its checkpoint.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    Thread(target=_wait_for_parent, args=(os.getppid(),), daemon=True).start()


def _wait_for_parent(parent: int) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)

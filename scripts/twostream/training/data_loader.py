"""Data loaders: other processes that read and decode for the one that trains or scores."""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from threading import Thread
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from twostream.files import UserError
from twostream.training.handing_over import HandedOver, as_it_is

TOLD_OF_PIPES = (
    "workers: batches are handed over in pipes, which takes longer, as /dev/shm has too little room for them"
    " (or TMPDIR is too long a path)"
)


def iterate_batches(
    dataset: Dataset[Any],
    device: torch.device,
    workers: int,
    collate_fn: Callable[[Any], Any] = as_it_is,
    **batching: Any,
) -> Iterator[Any]:
    """Yield what torch's DataLoader makes of a dataset, with `workers` processes (0: this one).

    These hand batches over in shared memory or, where it has no room for them, in pipes, which is told.
    Raises a dataset's UserError with its own message, whichever process it came from, and UserError if the
    processes cannot be started, or one of them was ended.
    """
    if workers:
        _check_semaphores(workers)
    loader: DataLoader[Any] = DataLoader(
        dataset,
        num_workers=workers,
        # A forked process would share locks and threads that it cannot use.
        multiprocessing_context="spawn" if workers else None,
        pin_memory=device.type == "cuda",
        worker_init_fn=_end_with_parent if workers else None,
        collate_fn=HandedOver(collate_fn) if workers else collate_fn,
        **batching,
    )
    in_pipes = False
    try:
        for batch in loader:
            if isinstance(batch, bytes):
                if not in_pipes:
                    print(TOLD_OF_PIPES, file=sys.stderr)
                in_pipes = True
                yield pickle.loads(batch)
            else:
                yield batch
    except UserError as error:
        # From another process it comes with a traceback before it.
        raise UserError(str(error).rpartition("UserError: ")[2].strip()) from None
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        raise UserError(
            "one of the processes that read (`workers` in config/config.yaml) was ended, perhaps for want of"
            f" memory; set fewer: {error}"
        ) from None


def _check_semaphores(workers: int) -> None:
    """Raise UserError if the semaphores of so many processes cannot be had; torch says it less plainly."""
    try:
        # As many as their queues take, and some more.
        _ = [get_context("spawn").Lock() for _ in range(4 * (workers + 2))]
    except OSError as error:
        raise UserError(
            f"the processes that read cannot be started, as /dev/shm holds no semaphores ({error.strerror});"
            " make room there, or set `workers: 0` in config/config.yaml"
        ) from None


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

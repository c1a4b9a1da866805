"""Data loaders: other processes that read and decode for the one that trains or scores."""

from collections.abc import Iterator
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
        **batching,
    )
    try:
        yield from loader
    except UserError as error:
        # From another process it comes with a traceback before it.
        raise UserError(str(error).rpartition("UserError: ")[2].strip()) from None

"""How a process hands a batch to the one that it reads for: in shared memory, else as bytes in a pipe.

Torch, left to itself, moves tensors into shared memory in a thread of its own, where a failure is printed
and the batch never comes.
"""

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from multiprocessing.util import get_temp_dir
from typing import Any

from torch import Tensor

# Tensors in shared memory are passed on by a socket below TMPDIR. Its path may have so many bytes, and the
# socket's own name takes up to 20 of them.
LONGEST_SOCKET = 107 - 20


def as_it_is(batch: Any) -> Any:
    """Return a batch itself: what a dataset yields is handed over so."""
    return batch


class HandedOver:
    """What makes a batch of samples, and then moves it to shared memory, or makes bytes of it (`pickle`)."""

    def __init__(self, collate: Callable[[Any], Any]) -> None:
        self._collate = collate

    def __call__(self, samples: Any) -> Any:
        batch = self._collate(samples)
        return batch if _is_shared(batch) else pickle.dumps(batch)


def _is_shared(batch: Any) -> bool:
    """Move a batch's tensors to shared memory; False if there is no room for them."""
    if len(os.fsencode(get_temp_dir())) > LONGEST_SOCKET:
        return False
    try:
        for tensor in _tensors(batch):
            tensor.share_memory_()
    except RuntimeError:
        return False
    return True


def _tensors(batch: Any) -> Iterator[Tensor]:
    """Yield the tensors in a batch that hold anything, at any depth."""
    if isinstance(batch, Tensor):
        if batch.numel():
            yield batch
    elif isinstance(batch, list | tuple):
        for item in batch:
            yield from _tensors(item)
    elif is_dataclass(batch):
        for field in fields(batch):
            yield from _tensors(getattr(batch, field.name))

"""Batches from other processes: in shared memory, or in pipes where there is no room; and what goes wrong."""

import os
import pickle
from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import Dataset

from twostream.files import UserError
from twostream.training import data_loader
from twostream.training.data_loader import TOLD_OF_PIPES, iterate_batches
from twostream.training.handing_over import HandedOver, as_it_is

CPU = torch.device("cpu")


class Numbers(Dataset[torch.Tensor]):
    """Item n is filled with n; `ends_at` ends the process that reads it."""

    def __init__(self, ends_at: int = -1) -> None:
        self._ends_at = ends_at

    def __len__(self) -> int:
        return 4

    def __getitem__(self, number: int) -> torch.Tensor:
        if number == self._ends_at:
            os.kill(os.getpid(), 9)
        return torch.full((3,), number)


def batches(workers: int, **how: int) -> list[list[int]]:
    read = iterate_batches(Numbers(**how), CPU, workers, torch.stack, batch_size=2)
    return [batch[:, 0].tolist() for batch in read]


def test_a_batch_is_moved_to_shared_memory_at_any_depth():
    batch = HandedOver(as_it_is)((torch.ones(2), [torch.zeros(3), torch.empty(0)]))
    assert batch[0].is_shared() and batch[1][0].is_shared()


def test_a_batch_becomes_bytes_where_shared_memory_has_no_room(monkeypatch):
    def full(_: torch.Tensor) -> None:
        raise RuntimeError("unable to allocate shared memory(shm): No space left on device (28)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", full)
    batch = HandedOver(torch.stack)([torch.ones(2), torch.zeros(2)])
    assert pickle.loads(batch).tolist() == [[1, 1], [0, 0]]


def test_where_sockets_have_too_long_a_path_pipes_serve(monkeypatch):
    monkeypatch.setattr("twostream.training.handing_over.get_temp_dir", lambda: "/" + "x" * 90)
    assert pickle.loads(HandedOver(as_it_is)(torch.ones(2))).tolist() == [1, 1]


class InPipes(HandedOver):
    """Takes shared memory for full, in whichever process it is."""

    def __call__(self, samples: list[torch.Tensor]) -> bytes:
        return pickle.dumps(torch.stack(samples))


def test_what_comes_through_pipes_is_the_same_and_told_once(monkeypatch, capsys):
    alone = batches(workers=0)
    monkeypatch.setattr(data_loader, "HandedOver", InPipes)
    assert batches(workers=1) == alone == [[0, 1], [2, 3]]
    assert capsys.readouterr().err.count(TOLD_OF_PIPES) == 1


def test_a_worker_that_is_ended_is_told_in_a_sentence():
    with pytest.raises(UserError, match=r"one of the processes that read .* was ended"):
        batches(workers=1, ends_at=2)


def test_without_semaphores_it_is_told_in_a_sentence(monkeypatch):
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(data_loader, "get_context", lambda _: SimpleNamespace(Lock=full))
    with pytest.raises(UserError, match=r"/dev/shm holds no semaphores .No space left on device"):
        batches(workers=1)

"""What a job computes on: the device, and the processes that share it out."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from twostream import arithmetic
from twostream.files import UserError

# By these numbers glibc's `mallopt` knows its settings.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
# How long processes wait for each other; if one dies, `torchrun` ends the others.
PATIENCE = timedelta(days=7)


@dataclass(frozen=True)
class Processes:
    """How many processes (one a GPU) `torchrun` started for this job, and which of them this is."""

    count: int
    rank: int
    local_rank: int

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files."""
        return self.rank == 0

    def share(self, module: nn.Module, device: torch.device) -> nn.Module:
        """Return the module with its gradients averaged over the processes in each backward pass."""
        if self.count == 1:
            return module
        if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in module.modules()):
            if device.type == "cpu":
                raise UserError(
                    "a network with batch normalisation can be trained in several processes on GPUs"
                    " only; call the script without torchrun, or set `device: cuda`"
                )
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        return DistributedDataParallel(module, [device] if device.type == "cuda" else None)

    def meet(self, device: torch.device) -> None:
        """Return once all processes have come here."""
        if self.count > 1:
            torch.distributed.barrier(device_ids=[device.index] if device.type == "cuda" else None)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over the processes."""
        if self.count > 1:
            torch.distributed.all_reduce(values)
        return values


# The groups that this process has joined, which end when it does. A network that is shared out outlives an
# error, in its traceback; were it the last to hold the group, it would end that with Python's lock held, and
# could wait for ever for a thread of the group's that waits for the lock.
_JOINED: list[torch.distributed.ProcessGroup | None] = []

# What the first process tells the others before they join; and the variable that says that there is a store.
FIRST, GO, NOTHING_TO_DO = "twostream/first", "go", "nothing to do"
_STORED = "TORCHELASTIC_USE_AGENT_STORE"

# How `torchrun` tells a process what `Processes` holds; without it there is one.
TORCHRUN = (("WORLD_SIZE", 1), ("RANK", 0), ("LOCAL_RANK", 0))


def processes() -> Processes:
    """Return what `torchrun` says in the environment; one process without it."""
    numbers = (int(os.environ.get(key, default)) for key, default in TORCHRUN)
    return Processes(*numbers)


def dismiss_others() -> None:
    """Have the other processes that `torchrun` started end well: the first found that nothing is to do."""
    _tell_others(NOTHING_TO_DO)


def _tell_others(what: str) -> None:
    if _STORED in os.environ:
        _store().set(FIRST, what)


def _told_by_first() -> str:
    return _store().get(FIRST).decode() if _STORED in os.environ else GO


def _store() -> torch.distributed.TCPStore:
    """The store that `torchrun` keeps for its processes."""
    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return torch.distributed.TCPStore(host, port, is_master=False, timeout=PATIENCE)


@dataclass(frozen=True)
class Runtime:
    """What a training runs on; `workers` is the number of processes that read and decode for each."""

    device: torch.device
    processes: Processes
    workers: int


@contextmanager
def open_runtime(device_name: str, workers: int) -> Iterator[Runtime]:
    """Join the processes that `torchrun` started, if it did; leave them at the end of the block."""
    device, started = use_device(device_name), processes()
    if started.count > 1:
        if started.first:
            _tell_others(GO)
        elif _told_by_first() == NOTHING_TO_DO:
            sys.exit()
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
        _JOINED.append(torch.distributed.group.WORLD)
        # Nothing is read before all are here: the first may have had to wait for another job's lock.
        started.meet(device)
    try:
        yield Runtime(device, started, workers)
    finally:
        if started.count > 1:
            torch.distributed.destroy_process_group()


def use_device(name: str) -> torch.device:
    """Return the device, set up so that equal seeds give equal results on a CPU.

    Raises UserError if a GPU is asked for and none is usable.
    """
    if name == "cpu":
        torch.set_num_threads(1)
        _keep_freed_memory()
        # As `use_deterministic_algorithms(True)`, which would load the compiler too, for a second.
        torch.set_deterministic_debug_mode("error")
        # It would fill each new tensor first; no result is read from where nothing was written.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        if arithmetic.asked() == "portable":
            # Its convolutions are others on other processors; what oneDNN does not take, PyTorch does itself.
            torch.backends.nnpack.set_flags(False)
        return torch.device(name)
    if not torch.cuda.is_available():
        raise UserError("device: cuda, but no GPU is usable here; set `device: cpu`, or mend CUDA")
    number = processes().local_rank
    if number >= torch.cuda.device_count():
        raise UserError(
            f"there are {torch.cuda.device_count()} GPUs here and more processes; lower `gpus` in"
            " config/config.yaml"
        )
    torch.cuda.set_device(number)
    torch.backends.cudnn.benchmark = True
    return torch.device("cuda", number)


def _keep_freed_memory() -> None:
    """Have the C library keep what a step frees for the next one, which it would else get page by page."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def to_device(network: nn.Module, device: torch.device) -> None:
    """Move a network to the device, in the memory layout that its convolutions are fastest with."""
    network.to(device)
    if device.type == "cuda":
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return a context for forward passes: bfloat16 where a GPU has it, else single precision.

    bfloat16 has the range of single precision, so the loss needs no scaling.
    """
    has_it = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type, torch.bfloat16, enabled=has_it)

"""How many GPUs this machine has, for Snakemake's limit; without torch, which takes seconds to import."""

import os
from itertools import takewhile
from pathlib import Path

from twostream.files import UserError

LISTED = Path("/proc/driver/nvidia/gpus")


def gpus_here() -> int:
    """Return how many GPUs this machine lets its jobs use, 0 or more."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        # CUDA stops at the first that is none, such as -1.
        names = (name.strip() for name in visible.split(","))
        return len(list(takewhile(lambda name: name and not name.startswith("-"), names)))
    return len(list(LISTED.iterdir())) if LISTED.is_dir() else 0


def check_gpus(asked: int, here: int) -> None:
    """Raise UserError if a job asks for more GPUs than are here: it would wait for ever."""
    if asked > here:
        raise UserError(
            f"device: cuda, but this machine has {here or 'no'} GPU{'s' * (here > 1)} and a job asks for"
            f" {asked}: set `device: cpu` or a lower `gpus` in config/config.yaml; if there are more than"
            " /proc/driver/nvidia/gpus lists, say how many with `--resources gpu=N`"
        )

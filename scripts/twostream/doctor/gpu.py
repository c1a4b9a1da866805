"""Which GPUs torch can use here."""

import shutil
import subprocess
import warnings
from collections.abc import Iterator

import torch


def lines() -> Iterator[str]:
    """Yield torch's build, the driver, and each GPU; or that there is none, with what torch says of it."""
    yield f"torch {torch.__version__}, built for CUDA {torch.version.cuda or '(none)'}"
    yield f"driver: {driver()}"
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
    yield from (str(warning.message).strip() for warning in warned)
    if not usable:
        yield "none is usable"
        return
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        memory = f"{facts.total_memory / 1e9:.1f} GB"
        yield f"{facts.name}, {memory}, compute capability {facts.major}.{facts.minor}"


def driver() -> str:
    """Return the version of the GPUs' driver, or why it is not told."""
    if not shutil.which("nvidia-smi"):
        return "no nvidia-smi here"
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return ", ".join(sorted(set((done.stdout or done.stderr).split("\n")) - {""}))

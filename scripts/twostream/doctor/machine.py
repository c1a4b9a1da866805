"""What the machine is: system, processor, the arithmetic that it computes in, memory, room on disks."""

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from twostream import arithmetic
from twostream.files import UserError

# Where outputs lie, of which each may be a link to another disk; and where jobs keep what is temporary.
OUTPUTS = ("data", "data/frames", "data/flow", "models", "scratch")


def lines() -> Iterator[str]:
    """Yield each of these."""
    yield f"{_system()}, {platform.platform()}"
    cores = len(os.sched_getaffinity(0))
    yield f"{arithmetic.processor()}, {cores} of {os.cpu_count()} cores, {_avx2()}"
    yield f"arithmetic: {_computed_in()}"
    yield _memory()
    for place in places():
        yield f"disk of {place}: {_room(place)}"


def places() -> list[str]:
    """Return this folder, those of outputs that lie on other disks, and those for what is temporary."""
    own = Path().stat().st_dev
    elsewhere = [place for place in OUTPUTS if Path(place).exists() and Path(place).stat().st_dev != own]
    return [".", *elsewhere, os.environ.get("TMPDIR", "/tmp"), "/dev/shm"]


def _system() -> str:
    with suppress(OSError):
        return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    return platform.system()


def _avx2() -> str:
    return "with AVX2 and FMA" if arithmetic.has_avx2() else "without AVX2 or FMA"


def _computed_in() -> str:
    try:
        arithmetic.check()
    except UserError as error:
        return str(error)
    return arithmetic.computed_in()


def _memory() -> str:
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(told[key].split()[0]) * 1024 for key in ("MemTotal", "MemAvailable"))
    limit = ""
    with suppress(OSError, ValueError):
        # A container's own; `max` where there is none.
        limit = f", of which this process may have {_gb(int(Path('/sys/fs/cgroup/memory.max').read_text()))}"
    return f"memory: {_gb(free)} of {_gb(total)} free{limit}"


def _room(place: str) -> str:
    try:
        found = shutil.disk_usage(place)
    except OSError as error:
        return str(error.strerror)
    return f"{_gb(found.free)} of {_gb(found.total)} free"


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"

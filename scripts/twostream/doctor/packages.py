"""Which Python this is, and which of the locked packages are installed otherwise or not at all."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from twostream.files import some
from twostream.provenance.environment import versions

FOLDER = Path("requirements")


def lines() -> Iterator[str]:
    """Yield Python, the packages that results depend on, and each group of the lock."""
    yield f"Python {platform.python_version()} in {sys.prefix}"
    yield (
        ", ".join(f"{name} {found}" for name, found in versions().items() if name != "python")
        or "no packages"
    )
    for lock in sorted(FOLDER.glob("*.txt")):
        yield f"{lock.stem}: {compared(locked(lock))}"


def locked(lock: Path) -> dict[str, str]:
    """Return the locked versions of the packages that this system needs, by name."""
    entry = re.compile(r"^([\w-]+)==([^\s;]+)(?: ; ([^\n\\]+))?", re.MULTILINE)
    found = entry.findall(lock.read_text(encoding="utf-8"))
    return {name: wanted for name, wanted, marker in found if not marker or _holds(marker)}


def compared(wanted: dict[str, str]) -> str:
    """Say how many packages are installed as they are locked, and which are not."""
    here = {name: found for name in wanted if (found := _installed(name))}
    if not here:
        return "not installed"
    # What follows the + says how it was built, such as for CPUs alone.
    other = [
        f"{name} {found} (locked: {wanted[name]})"
        for name, found in here.items()
        if found.partition("+")[0] != wanted[name]
    ]
    missing = [name for name in wanted if name not in here]
    return "; ".join(
        [
            f"{len(here) - len(other)} of {len(wanted)} as locked",
            *([f"other: {some(other)}"] if other else []),
            *([f"missing: {some(missing)}"] if missing else []),
        ]
    )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _holds(marker: str) -> bool:
    try:
        from packaging.markers import Marker
    except ImportError:
        return False  # One of the packages that are missing, so that more is said to be.
    return Marker(marker.strip()).evaluate()

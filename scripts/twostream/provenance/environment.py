"""What a job runs in: versions of Python and of the packages that results depend on."""

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# Each by the distributions that it may come in: OpenCV's are one library, with windows and without.
DISTRIBUTIONS = (
    "av",
    "matplotlib",
    "numba",
    "numpy",
    "opencv-contrib-python-headless",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-python",
    "pandas",
    "pillow",
    "scikit-learn",
    "scipy",
    "timm",
    "torch",
    "torchvision",
)
# The locked versions of all of these, as pip reads them.
LOCKS = (Path("requirements/tables.txt"), Path("requirements/pretrained.txt"))


def versions() -> dict[str, str]:
    """Return the versions of Python and of those distributions that are installed, by name."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            # Nobody needs all of them for a job; what it does need, it imports.
            continue
    return found


def told_of_other_versions() -> str:
    """Return a warning that names what is installed in another version than the lock's; or nothing."""
    locked = _locked()
    other, locks = [], set()
    for name, installed in versions().items():
        wanted, lock = locked.get("opencv" if name.startswith("opencv-") else name, (installed, None))
        # What follows the + says how it was built, such as for CPUs alone.
        if installed.partition("+")[0] != wanted:
            other.append(f"{name} {installed} is installed, and {lock} has {wanted}")
            locks.add(f"-r {lock}")
    if not other:
        return ""
    install = f"{sys.executable} -m pip install --no-deps {' '.join(sorted(locks))}"
    return f"warning: {'; '.join(other)}. Results may differ by it; `{install}` installs what is locked"


def _locked() -> dict[str, tuple[str, Path]]:
    """Return each locked version, and where it is, by distribution; OpenCV's by `opencv`, whichever it is."""
    return {
        "opencv" if name.startswith("opencv-") else name: (locked, lock)
        for lock in LOCKS
        if lock.exists()
        for name, locked in re.findall(
            r"^([\w-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE
        )
    }

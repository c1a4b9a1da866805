"""What a job runs in: versions of Python and of the packages that results depend on."""

import platform
from importlib.metadata import PackageNotFoundError, version

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
    "scikit-learn",
    "torch",
)


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

"""The record beside each artefact: where it comes from."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twostream.files import write_json

PACKAGES = ("numba", "numpy", "opencv-contrib-python-headless", "scikit-learn", "torch")


@contextmanager
def recorded(path: str | Path, spec: str, recipe: Any, **facts: Any) -> Iterator[dict[str, Any]]:
    """Write the record of an artefact to `path` once the block that makes it has succeeded.

    The record says where the artefact comes from: spec, recipe, versions, machine, start and
    duration (seconds), and whatever the block adds to the yielded dictionary. Times live here and
    nowhere else, so that the artefacts themselves can be compared byte for byte.
    """
    started = time.time()
    yield facts
    write_json(
        path,
        {
            "spec": spec,
            "recipe": recipe,
            "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            "machine": platform.machine(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": round(time.time() - started, 2),
            **facts,
        },
    )

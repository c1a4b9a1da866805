"""The record beside each artefact: where it comes from."""

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import sha256, write_json

PACKAGES = ("numba", "numpy", "opencv-contrib-python-headless", "scikit-learn", "torch")


@contextmanager
def recorded(artefact: str | Path, spec: str, recipe: Any, **facts: Any) -> Iterator[dict[str, Any]]:
    """Write the record of an artefact beside it once the block that makes it has succeeded.

    The record says where the artefact comes from: spec, recipe, versions, machine, start and
    duration (seconds), the artefact's SHA-256, and whatever the block adds to the yielded dictionary.
    Times live here and nowhere else, so that the artefacts themselves can be compared byte for byte.
    """
    started = time.time()
    yield facts
    write_json(
        paths.record(artefact),
        {
            "spec": spec,
            "sha256": sha256(artefact),
            "recipe": recipe,
            "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            "machine": platform.machine(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": round(time.time() - started, 2),
            **facts,
        },
    )

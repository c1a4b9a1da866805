"""The record beside each artefact: where it comes from."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import UserError, sha256, write_json
from twostream.specs import Spec

PACKAGES = ("numba", "numpy", "opencv-contrib-python-headless", "scikit-learn", "torch")

# What stands for the spec of what was made without the workflow.
BY_HAND = Spec(spec="by hand", script="", code="", made_from={})


@contextmanager
def recorded(
    artefact: str | Path, recipe: Any, spec: Spec = BY_HAND, **facts: Any
) -> Iterator[dict[str, Any]]:
    """Write the record of an artefact beside it once the block that makes it has succeeded.

    The record says where the artefact comes from: spec, recipe, what it was made from (each file with
    its spec), versions, machine, start and duration (seconds), the artefact's SHA-256, size (bytes) and
    time (ns), and whatever the block adds to the yielded dictionary. Times live here and nowhere else,
    so that the artefacts themselves can be compared byte for byte.
    """
    started = time.time()
    yield facts
    written = Path(artefact).stat()
    write_json(
        paths.record(artefact),
        {
            "spec": spec.spec,
            "made_from": spec.made_from,
            "sha256": sha256(artefact),
            "size": written.st_size,
            "mtime_ns": written.st_mtime_ns,
            "recipe": recipe,
            "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            "machine": platform.machine(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": round(time.time() - started, 2),
            **facts,
        },
    )


def read_record(artefact: str | Path) -> dict[str, Any] | None:
    """Return the record of an artefact; None if there is none. Raises UserError if it is damaged."""
    record = Path(paths.record(artefact))
    try:
        content: dict[str, Any] = json.loads(record.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{record}: cannot be read: {error}; delete it, or get it again") from None
    return content

"""Outputs that are written whole or not at all, and the record that each artefact has beside it."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("numba", "numpy", "opencv-contrib-python-headless", "scikit-learn", "torch")


class UserError(Exception):
    """Something that the user can put right; the message says what, where and how."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place only if the block succeeds.

    A job that fails or is killed leaves at most a `.part` file, which the next one overwrites,
    so nothing half-written can be taken for whole.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as readable JSON with sorted keys, whole or not at all."""
    with written_whole(path) as part:
        part.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


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

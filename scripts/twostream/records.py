"""The record beside each artefact: where it comes from."""

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import UserError, sha256, write_json
from twostream.specs import Spec

PACKAGES = ("matplotlib", "numba", "numpy", "opencv-contrib-python-headless", "scikit-learn", "torch")

# What stands for the spec of what was made without the workflow.
BY_HAND = Spec(digest="by hand", script="", code="", made_from={})


@contextmanager
def recorded(
    artefact: str | Path, recipe: Any, spec: Spec = BY_HAND, **facts: Any
) -> Iterator[dict[str, Any]]:
    """Write the record of an artefact beside it once the block that makes it has succeeded.

    The record says where the artefact comes from: spec, recipe, what it was made from (each file with
    its spec and SHA-256), versions, machine, start and duration (seconds), of the artefact and of what
    was written with it SHA-256, size (bytes) and time (ns), and whatever the block adds to the yielded
    dictionary. Times live here and nowhere else, so that the artefacts themselves can be compared byte
    for byte. Raises UserError if something it is made from is not of the planned spec.
    """
    started = time.time()
    made_from = {file: _as_made(file, planned) for file, planned in spec.made_from.items()}
    yield facts
    write_json(
        paths.record(artefact),
        {
            "spec": spec.digest,
            "made_from": made_from,
            "files": {file: _state(file) for file in paths.files_of(artefact)},
            "recipe": recipe,
            "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
            "machine": platform.machine(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
            "seconds": round(time.time() - started, 2),
            **facts,
        },
    )


def _as_made(file: str, planned: str) -> dict[str, str]:
    record = read_record(file)
    if record is None or record["spec"] != planned:
        raise UserError(f"{file}: is no longer what it was when this call of snakemake began; call it again")
    return {"spec": planned, "sha256": record["files"][file]["sha256"]}


def _state(file: str) -> dict[str, Any]:
    found = Path(file).stat()
    return {"sha256": sha256(file), "size": found.st_size, "mtime_ns": found.st_mtime_ns}


def read_record(artefact: str | Path) -> dict[str, Any] | None:
    """Return the record of an artefact; None if there is none, or one of an earlier form.

    Raises UserError if it is damaged.
    """
    record = Path(paths.record(artefact))
    try:
        found = record.stat()
        return _parsed(record, found.st_ino, found.st_mtime_ns, found.st_size)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError) as error:
        raise UserError(f"{record}: cannot be read: {error}; delete it, or get it again") from None


@lru_cache(maxsize=10_000)
def _parsed(record: Path, *state: int) -> dict[str, Any] | None:
    """Return a record's content; not to be changed, as it is kept while the file's state is the same."""
    content: dict[str, Any] = json.loads(record.read_text())
    return content if {"spec", "recipe", "made_from", "files"} <= content.keys() else None

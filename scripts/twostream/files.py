"""Outputs that are written whole or not at all, and errors that the user can put right."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


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


def sha256(file: str | Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Outputs that are written whole or not at all, and errors that the user can put right."""

import hashlib
import json
import os
import re
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

# File systems take names of 255 bytes; host, process and `.part` need up to 81 of them.
LONGEST_NAME = 174
# A part of another host's is left alone for so long (seconds): whether its process lives cannot be asked
# from here, but one that writes a shard or unpacks a video renews its part's time every few seconds, and a
# day is more than the clocks of two hosts differ by.
PATIENCE = 86_400.0


# How many of many files a message names.
NAMED = 10


class UserError(Exception):
    """Something that the user can put right; the message says what, where and how."""


class InterruptedJobError(UserError):
    """A job was told to stop, and has kept what it had done: called again it goes on from there."""


def part_of(path: str | Path) -> Path:
    """The temporary path beside `path` that is this process's alone, on whichever host it runs.

    It ends in `.part`, which Git and DVC leave out.
    """
    path = Path(path)
    return path.with_name(f"{_start_of_part(path)}.{_host()}.{os.getpid()}.part")


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place only if the block succeeds.

    If the block fails, nothing is left of it. What a killed process left is removed by the next one that
    writes the same file, so nothing half-written can be taken for whole, or pile up.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned_parts(path)
    part = part_of(path)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _start_of_part(path: Path) -> str:
    name = os.fsencode(path.name)
    return path.name if len(name) <= LONGEST_NAME else hashlib.sha256(name).hexdigest()


def _host() -> str:
    # Without dots, so that the host can be told from the rest of a part's name.
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:64] or "-"


def _remove_abandoned_parts(path: Path) -> None:
    parts = re.compile(rf"{re.escape(_start_of_part(path))}\.([A-Za-z0-9-]+)\.(\d{{1,9}})\.part")
    for part in path.parent.iterdir():
        if found := parts.fullmatch(part.name):
            # Another process may see the same part, and be first to remove it.
            with suppress(FileNotFoundError):
                if _is_abandoned(part, found[1], int(found[2])):
                    part.unlink()


def _is_abandoned(part: Path, host: str, process: int) -> bool:
    if host != _host():
        return time.time() - part.stat().st_mtime > PATIENCE
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # It lives, and is another user's.
    return False


def write_json(path: str | Path, content: Any) -> None:
    """Write `content` as readable JSON with sorted keys, whole or not at all."""
    with atomic_write(path) as part:
        part.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def some(names: Iterable[str]) -> str:
    """Return the first names, sorted, and how many more there are: for messages."""
    listed = sorted(names)
    more = f" and {len(listed) - NAMED:,} more" if len(listed) > NAMED else ""
    return ", ".join(listed[:NAMED]) + more


def sha256(file: str | Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal digits."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

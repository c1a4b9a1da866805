"""Locks that end with their holder, however it ends: the kernel keeps them (flock), on NFS too.

There is one for the folder, held by the call of Snakemake that is at work in it, and one for each
artefact, held by the job that makes it, which may outlive a call that is killed. A lock file's text
says who holds it; the file itself stays, for to remove it would let two processes in.
"""

import fcntl
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten

from twostream.files import UserError
from twostream.provenance.digest import digest

FOLDER = Path("scratch/locks")
CALL = FOLDER / "snakemake"

# The variable by which jobs know the call that started them: the text of its lock.
STARTED_BY = "TWOSTREAM_CALL"


def lock_folder() -> None:
    """Make this process the only call of Snakemake at work in this folder, until it ends.

    Raises UserError, with the holder, if another one is.
    """
    lock, ours = _open(CALL)
    if not ours:
        raise UserError(
            f"another call of snakemake is at work in this folder: {_holder(lock)};"
            " wait until it ends, or end it (a dry run, `snakemake -n`, works beside it)"
        )
    os.environ[STARTED_BY] = _sign(lock)


@contextmanager
def locked(artefact: str | Path) -> Iterator[None]:
    """Hold the lock of an artefact; if another process holds it, say so on stderr and wait.

    Raises UserError if the call of Snakemake that started this process was killed and another has
    begun since: that one makes the artefact, perhaps by another recipe.
    """
    path = Path(artefact).resolve()
    lock, ours = _open(FOLDER / f"{digest(str(path))}-{path.name}")
    try:
        if not ours:
            print(f"{artefact}: waiting for {_holder(lock)}", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        _sign(lock)
        # Only now: a newer call's job for this artefact finds it locked and comes after us.
        _stop_if_call_is_over(artefact)
        yield
    finally:
        os.close(lock)


def _stop_if_call_is_over(artefact: str | Path) -> None:
    started_by = os.environ.get(STARTED_BY)
    if started_by and CALL.exists() and started_by != (newest := os.fsdecode(CALL.read_bytes())):
        raise UserError(
            f"{artefact}: left to a newer call of snakemake ({newest}); this job's was killed ({started_by})"
        )


def _open(file: Path) -> tuple[int, bool]:
    """Return the descriptor of a lock file, and whether its lock was free and is now ours."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A bare descriptor: the lock goes when it is closed, or with the process.
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return lock, False
    except OSError as error:
        raise UserError(
            f"{file}: cannot be locked: {error.strerror}; if this file system has no locks (flock),"
            " make scratch a link to a folder on one that has"
        ) from None
    return lock, True


def _sign(lock: int) -> str:
    """Write who we are into a lock file; returns the text."""
    since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    command = shorten(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]), 100, placeholder=" ...")
    text = f"process {os.getpid()} on {socket.gethostname()} since {since}: {command}"
    os.ftruncate(lock, 0)
    os.pwrite(lock, os.fsencode(text), 0)
    return text


def _holder(lock: int) -> str:
    return os.fsdecode(os.pread(lock, 1000, 0)) or "a process that has only just begun"

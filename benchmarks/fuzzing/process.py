"""A process that handles one video after another, and is watched: what kills it or takes too long is told."""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

# Of address space beyond what the libraries take, where the system stops a process that goes on growing.
GUARD = 8 << 30
# The limit is of CPU time, as other work on the machine is none of a video's; one that waits for ever takes
# none, and has so many times the limit.
WAITING = 6
LOOK_EVERY = 0.5

# From a folder for whatever it writes to what handles a video.
Make = Callable[[Path], Callable[[Path], Any]]


@dataclass
class Ended:
    """How the handling of a video ended: with a result and the memory it took at its peak (bytes), or not."""

    result: Any = None
    peak: int = 0
    killed_by: str = ""
    timed_out: bool = False


class Watched:
    """A process for a handler; `make` returns it there, and is to be importable by its name.

    A video has `limit_s` seconds of CPU time.
    """

    def __init__(self, make: Make, scratch: Path, limit_s: float) -> None:
        self._make, self._scratch, self._limit = make, scratch, limit_s
        self._context = multiprocessing.get_context("spawn")
        self._start()

    def handle(self, video: Path) -> Ended:
        """Return how it went with a video; a process that is lost is replaced."""
        self._pipe.send(video)
        if not self._answers():
            self._replace()
            return Ended(timed_out=True)
        try:
            result, peak = self._pipe.recv()
            return Ended(result, peak)
        except EOFError:
            self._process.join()
            code = self._process.exitcode or 0
            name = signal.Signals(-code).name if code < 0 else f"exit status {code}"
            self._replace()
            return Ended(killed_by=name)

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(5)
        self._process.kill()

    def _answers(self) -> bool:
        """Wait for an answer, or the end of the process; False if the limit is passed."""
        began, end = self._used(), time.monotonic() + WAITING * self._limit
        while not self._pipe.poll(LOOK_EVERY):
            if self._used() - began > self._limit or time.monotonic() > end:
                return False
        return True

    def _used(self) -> float:
        """The CPU time of the process so far, in seconds; of one that has ended, 0."""
        with suppress(OSError):
            # After the name, in brackets, which may hold blanks.
            stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    def _start(self) -> None:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(self._make, self._scratch, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        # What it loads is not to count as the first video's time.
        assert self._pipe.recv() == "ready"

    def _replace(self) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()
        self._start()


def _serve(make: Make, scratch: Path, pipe: Connection) -> None:
    handler = make(scratch)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + GUARD, taken + GUARD))
    pipe.send("ready")
    while True:
        try:
            video = pipe.recv()
        except EOFError:
            return
        before = _restart_peak()
        result = handler(video)
        pipe.send((result, _peak() - before))


def _restart_peak() -> int:
    """Have the kernel measure the peak of resident memory from here on; return what is taken now (bytes)."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024

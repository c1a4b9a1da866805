"""Start jobs as copies of this process, which has loaded the libraries that they need.

    python scripts/job_server.py DESCRIPTOR MODULE... < a pipe

Loading PyTorch takes a job seconds before it does anything. This process loads the modules once, and waits at
a socket (the number of its descriptor) for `scripts/run_job.py`, which hands it a job's arguments,
environment, folder and streams; a copy of it runs the job's script, and loads of the project itself what any
other process would. It takes jobs until the other end of the pipe is closed, as Snakemake's is when it ends,
and ends with the last of them.
"""

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import atexit
import ctypes
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from twostream import arithmetic

# Who asks sends all at once; one that is stopped amid it holds the others up for so many seconds.
PATIENCE = 10.0
# By this number Linux's `prctl` knows the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1
# What twostream sets as it is imported, which in a copy it has been.
SETTLED = (*arithmetic.ONE_THREAD, *arithmetic.PORTABLE, "OPENCV_LOG_LEVEL")


def main() -> None:
    descriptor, *modules = sys.argv[1:]
    with socket.socket(fileno=int(descriptor)) as listener:
        # Whoever asks meanwhile waits: loading them by itself would take it no less.
        for module in modules:
            import_module(module)
        try:
            serve(listener)
        finally:
            Path(listener.getsockname()).unlink(missing_ok=True)


def serve(listener: socket.socket) -> None:
    """Start what is asked for until standard input ends, and tell who asked how it ended.

    A job whose asker is gone is killed, as it would have been itself.
    """
    pipe = sys.stdin.fileno()
    open_for: set[socket.socket | int] = {listener, pipe}
    running: dict[int, tuple[BaseProcess, socket.socket]] = {}
    askers: dict[socket.socket, BaseProcess] = {}
    while open_for or running:
        for ready in wait([*open_for, *running, *askers]):
            if ready == pipe:
                open_for.clear()
            elif ready is listener:
                asker = listener.accept()[0]
                if job := _begun(asker, [listener, *askers]):
                    running[job.sentinel], askers[asker] = (job, asker), job
            elif ready in askers:
                askers.pop(ready).kill()
            elif ready in running:
                job, asker = running.pop(ready)
                job.join()
                _tell(asker, job.exitcode or 0)
                askers.pop(asker, None)
                asker.close()


def _begun(asker: socket.socket, others: list[socket.socket]) -> BaseProcess | None:
    """Return the job that was asked for, begun; None if it cannot be, or is another Python's.

    Who asked then runs it itself.
    """
    job: BaseProcess | None = None
    streams: list[int] = []
    asker.settimeout(PATIENCE)
    with suppress(OSError, ValueError, TypeError, KeyError):
        content, streams = _received(asker)
        request = json.loads(content)
        if request["python"] == sys.executable:
            begun = get_context("fork").Process(target=_run, args=(request, streams, [asker, *others]))
            begun.start()
            job = begun
            _tell(asker, job.pid or 0)
    if not job:
        asker.close()
    for stream in streams:
        # Whoever reads what the job says would wait for this process too.
        os.close(stream)
    return job


def _received(asker: socket.socket) -> tuple[bytes, list[int]]:
    """Return a request and its streams; what there is of it, if no more comes."""
    content, streams, _, _ = socket.recv_fds(asker, 1 << 16, 3)
    with suppress(OSError):
        while content and not content.endswith(b"\n") and (more := asker.recv(1 << 16)):
            content += more
    return content, streams


def _tell(asker: socket.socket, number: int) -> None:
    with suppress(OSError):
        asker.sendall(b"%d\n" % number)


def _run(request: dict[str, Any], streams: list[int], sockets: list[socket.socket]) -> None:
    """Become the process that the job would have been, and run its script.

    It ends if the server does, as nobody would learn how it ended; and it keeps none of the server's sockets,
    by which others see that the server has ended.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for of_server in sockets:
        of_server.close()
    with suppress(ProcessLookupError, PermissionError):
        # What is sent to the group of whoever asked, as by Ctrl-C, is for the job too.
        os.setpgid(0, request["group"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    settled = {name: os.environ[name] for name in SETTLED if name in os.environ}
    os.environ.clear()
    os.environ.update({n: v for n, v in request["environment"].items() if n not in SETTLED} | settled)
    # A library may have asked for it, by the server's environment.
    tempfile.tempdir = None
    sys.argv[:] = request["arguments"]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        # A copy ends without them; taking all that is loaded down first would cost half a second.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()


if __name__ == "__main__":
    main()

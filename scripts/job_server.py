"""Start jobs as copies of this process, which has loaded the libraries that they need.

    python scripts/job_server.py SOCKET MODULE... < a pipe

Loading PyTorch takes a job seconds before it does anything. This process loads the modules once, and waits at
the socket for `scripts/run_job.py`, which hands it a job's arguments, environment, folder and streams; a copy
of it runs the job's script, and loads of the project itself what any other process would. It takes jobs until
the other end of the pipe is closed, as Snakemake's is when it ends, and ends with the last of them.
"""

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import atexit
import json
import os
import runpy
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any


def main() -> None:
    address, *modules = sys.argv[1:]
    with listening(address) as listener:
        # Whoever asks meanwhile waits: loading them by itself would take it no less.
        for module in modules:
            import_module(module)
        serve(listener)


@contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    """Listen at a path of the file system, where nobody else's processes can connect."""
    path = Path(address)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.umask(0o077)
        listener.bind(address)
        os.umask(before)
        listener.listen(64)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)


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
                if job := _begun(asker):
                    running[job.sentinel], askers[asker] = (job, asker), job
            elif ready in askers:
                askers.pop(ready).kill()
            elif ready in running:
                job, asker = running.pop(ready)
                job.join()
                _tell(asker, job.exitcode or 0)
                askers.pop(asker, None)
                asker.close()


def _begun(asker: socket.socket) -> BaseProcess | None:
    """Return the job that was asked for, begun; None if it is another Python's."""
    request, streams = _received(asker)
    job = None
    if request and request["python"] == sys.executable:
        job = get_context("fork").Process(target=_run, args=(request, streams))
        job.start()
        _tell(asker, job.pid or 0)
    else:
        asker.close()
    for stream in streams:
        # Whoever reads what the job says would wait for this process too.
        os.close(stream)
    return job


def _received(asker: socket.socket) -> tuple[dict[str, Any], list[int]]:
    content, streams, _, _ = socket.recv_fds(asker, 1 << 16, 3)
    while content and not content.endswith(b"\n"):
        more = asker.recv(1 << 16)
        content = content + more if more else b""
    return json.loads(content or "{}"), streams


def _tell(asker: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):
        asker.sendall(b"%d\n" % number)


def _run(request: dict[str, Any], streams: list[int]) -> None:
    """Become the process that the job would have been, and run its script."""
    with suppress(ProcessLookupError, PermissionError):
        # What is sent to the group of whoever asked, as by Ctrl-C, is for the job too.
        os.setpgid(0, request["group"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[:] = request["arguments"]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        # A copy ends without them; taking all that is loaded down first would cost half a second.
        atexit._run_exitfuncs()


if __name__ == "__main__":
    main()

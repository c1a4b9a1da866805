"""Start what tests call as copies of this process, which has loaded the libraries (`warm_client.py` asks).

    python tests/warm_server.py DESCRIPTOR MODULE... MODULE:FUNCTION... < a pipe

Tests call Snakemake, DVC and scripts hundreds of times, and most of each call is the loading of libraries.
This process loads them once, as it is first asked, and nothing of the project, whose code is that of the copy
that a test works in. It works as `scripts/job_server.py` does, which starts jobs alone and takes less care: a
copy here also has the limits, the mask of files and all descriptors of whoever asked, and one whose
environment its libraries would have read otherwise is refused.
"""

import atexit
import builtins
import contextlib
import ctypes
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import tempfile
import threading
import weakref
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, NoReturn

SCRIPTS = str(Path(__file__).resolve().parent.with_name("scripts"))
# What Python or a library reads as it starts or loads: nothing that has loaded will do for another value.
READ_EARLY = ("PYTHON", "HOME", "LANG", "LC_", "XDG_", "MPL", "NUMBA_", "TORCH_", "PYTORCH_")
# What torchrun is told, and tells: nothing reads it as it loads.
READ_LATER = ("PYTHON_EXEC", "TORCH_NCCL_ASYNC_ERROR_HANDLING")
_PR_SET_PDEATHSIG = 1
PATIENCE = 10.0
STARTED_WITH = dict(os.environ)
PATH = list(sys.path)
# What twostream sets as it is imported: the arithmetic in which the libraries have loaded.
SETTLED: dict[str, str] = {}
# Received descriptors wait above those that whoever asked may have.
HIGH = 200


def main() -> None:
    pipe = sys.stdin.fileno()
    descriptor, *to_load = sys.argv[1:]
    with socket.socket(fileno=int(descriptor)) as listener:
        if listener in select.select([listener, pipe], [], [])[0]:
            load(to_load)
            serve(listener, pipe)


def load(to_load: list[str]) -> None:
    """Load the libraries in the project's arithmetic, and nothing that is the project's own.

    A function is called, for what its library keeps of that.
    """
    sys.path[0] = SCRIPTS
    import_module("twostream")
    SETTLED.update({name: value for name, value in os.environ.items() if name not in STARTED_WITH})
    for module, _, function in (name.partition(":") for name in to_load):
        loaded = import_module(module)
        if function:
            getattr(loaded, function)()
    # Some libraries add to it.
    sys.path[:] = PATH
    for module in [name for name in sys.modules if name.partition(".")[0] == "twostream"]:
        del sys.modules[module]
    if numba := sys.modules.get("numba"):
        # What it sets up for whatever it compiles first.
        numba.njit(lambda number: number)(1)
    # Libraries tidy up what they made here, which takes each copy longer than to start.
    for finalizer in list(weakref.finalize._registry):
        finalizer.atexit = False
    sys.path_importer_cache.clear()
    gc.collect()
    # What is loaded stays; else the first collection of each copy would write to every page.
    gc.freeze()


def suits(environment: dict[str, str]) -> bool:
    """Whether a process with this environment would have loaded what this one has."""
    early = [n for n in environment | STARTED_WITH if n.startswith(READ_EARLY)]
    early = [n for n in early if n not in SETTLED and n not in READ_LATER]
    return (
        environment.get("TWOSTREAM_ARITHMETIC", "portable") == "portable"
        and all(environment.get(name, value) == value for name, value in SETTLED.items())
        and all(environment.get(name) == STARTED_WITH.get(name) for name in early)
    )


def serve(listener: socket.socket, pipe: int) -> None:
    """Start what is asked for until the other end of the pipe is closed; then kill what still runs."""
    running: dict[int, tuple[int, socket.socket]] = {}
    askers: dict[socket.socket, int] = {}
    while True:
        ready, _, _ = select.select([listener, pipe, *running, *askers], [], [])
        for source in ready:
            if source == pipe:
                for process in running.values():
                    os.kill(process[0], signal.SIGKILL)
                return
            if source is listener:
                asker = listener.accept()[0]
                if process := begun(asker):
                    running[os.pidfd_open(process)] = process, asker
                    askers[asker] = process
                else:
                    asker.close()
            elif source in running:
                process, asker = running.pop(source)
                os.close(source)
                tell(asker, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
                askers.pop(asker, None)
                asker.close()
            elif source in askers:
                # Whoever asked is gone.
                os.kill(askers.pop(source), signal.SIGKILL)


def begun(asker: socket.socket) -> int:
    """Return the process that was asked for; 0 where a copy would not be what a process of its own is."""
    asker.settimeout(PATIENCE)
    streams: list[int] = []
    process = 0
    with contextlib.suppress(OSError, ValueError):
        content, streams, _, _ = socket.recv_fds(asker, 1 << 16, 100)
        while not content.endswith(b"\n") and (more := asker.recv(1 << 16)):
            content += more
        request = json.loads(content)
        alike = request["python"] == sys.executable
        here = request["session"] == os.getsid(0) or is_worker(request)
        if alike and here and sees_alike(asker) and suits(request["environment"]):
            process = os.fork()
            if not process:
                become(request, streams)
            with contextlib.suppress(OSError):
                os.setpgid(process, request["group"])
            tell(asker, process)
    for stream in streams:
        os.close(stream)
    return process


def sees_alike(asker: socket.socket) -> bool:
    """Whether whoever asked has the mounts, network and so on of this process: a cluster's node has not."""
    credentials = asker.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    asking, own = Path(f"/proc/{struct.unpack('3i', credentials)[0]}/ns"), Path("/proc/self/ns")
    return all((asking / link.name).readlink() == link.readlink() for link in own.iterdir())


def is_worker(request: dict[str, Any]) -> bool:
    """Whether it is for one of torchrun's workers: in sessions of their own, and they start nothing."""
    return "TORCHELASTIC_RUN_ID" in request["environment"]


def tell(asker: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):
        asker.sendall(b"%d\n" % number)


def become(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the process that was asked for, to its end."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):
            if is_worker(request):
                os.setsid()
            # What is sent to the group of whoever asked, as by Ctrl-C, is for this process too.
            os.setpgid(0, request["group"])
        take_descriptors(dict(zip(request["descriptors"], streams, strict=True)))
        take_surroundings(request)
        status = ended_by(request["arguments"])
    finally:
        os._exit(status)


def take_descriptors(given: dict[int, int]) -> None:
    """Have those that whoever asked had, by the same numbers, and no others."""
    waiting = {number: fcntl.fcntl(stream, fcntl.F_DUPFD, HIGH) for number, stream in given.items()}
    os.closerange(0, HIGH)
    for number, stream in waiting.items():
        os.dup2(stream, number)
        os.close(stream)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())


def take_surroundings(request: dict[str, Any]) -> None:
    os.chdir(request["folder"])
    os.umask(request["umask"])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in request["ignored"] else usual)
    for limit, values in request["limits"]:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, tuple(values))
    os.environ.clear()
    # Else twostream, imported again, finds that libraries have come before it.
    os.environ.update(SETTLED | request["environment"])
    # A library may have asked for it, by the server's environment.
    tempfile.tempdir = None


def ended_by(arguments: list[str]) -> int:
    """Run a script as Python does, and return the exit status."""
    sys.orig_argv[:] = [sys.executable, *arguments]
    if arguments[0] == "-u":
        sys.stdout.reconfigure(write_through=True)
        arguments = arguments[1:]
    sys.argv[:] = arguments
    script = str(Path(arguments[0]).absolute())
    sys.path[0] = str(Path(script).resolve().parent)
    main = sys.modules["__main__"] = ModuleType("__main__")
    loader = SourceFileLoader("__main__", script)
    main.__dict__.update(__file__=script, __loader__=loader, __builtins__=builtins, __cached__=None)
    status = 0
    try:
        try:
            exec(loader.source_to_code(loader.get_data(script), script), main.__dict__)
        except SystemExit as end:
            status = status_of(end)
        except BaseException as error:  # noqa: BLE001
            status = 130 if isinstance(error, KeyboardInterrupt) else 1
            tell_of(error, script)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
    if status == 130:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return status


def status_of(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    print(end.code, file=sys.stderr)
    return 1


def tell_of(error: BaseException, script: str) -> None:
    """Print the traceback as Python does, from the script's first line."""
    trace = error.__traceback__
    while trace and extract_tb(trace, 1)[0].filename != script:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace or error.__traceback__), error.__traceback__)


if __name__ == "__main__":
    main()

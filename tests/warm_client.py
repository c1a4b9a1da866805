"""Run a Python script as a copy of `warm_server.py`'s process; where that cannot be, as a process of its own.

    python -I -S tests/warm_client.py SOCKET PYTHON SCRIPT ARGUMENT...

It ends as the script does, and passes on to it what it is told.
"""

import json
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

# What whoever is called in the background, or by nohup, ignores.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})


def main() -> None:
    address, python, *arguments = sys.argv[1:]
    descriptors = open_descriptors()
    with socket.socket(socket.AF_UNIX) as server:
        ended = run(server, address, descriptors, arguments)
    if ended is not None:
        end(ended)
    os.execv(python, [python, *arguments])


def open_descriptors() -> list[int]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        # That of the list itself is closed again.
        with suppress(OSError):
            if os.get_inheritable(number := int(link.name)):
                found.append(number)
    return sorted(found)


def request(descriptors: list[int], arguments: list[str]) -> dict[str, Any]:
    umask = os.umask(0o077)
    os.umask(umask)
    return {
        "python": sys.executable,
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "umask": umask,
        "limits": [(limit, resource.getrlimit(limit)) for limit in LIMITS],
        "ignored": [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_IGN],
        "group": os.getpgrp(),
        "session": os.getsid(0),
        "descriptors": descriptors,
    }


def run(server: socket.socket, address: str, descriptors: list[int], arguments: list[str]) -> int | None:
    """Return how it ended, as `subprocess` has it; None if it did not begin."""
    content = json.dumps(request(descriptors, arguments)).encode() + b"\n"
    replies = server.makefile("rb")
    try:
        server.connect(address)
        sent = socket.send_fds(server, [content], descriptors)
        server.sendall(content[sent:])
        process = int(replies.readline() or 0)
    except OSError:
        return None
    if not process:
        return None
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: pass_on(process, number))
    # Ctrl-C reaches the script by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        return int(replies.readline() or -signal.SIGKILL)
    return -signal.SIGKILL


def pass_on(process: int, number: int) -> None:
    # It may just have ended.
    with suppress(ProcessLookupError):
        os.kill(process, number)


def end(how: int) -> None:
    if how < 0:
        # SIGKILL cannot be set, and needs not be.
        with suppress(OSError):
            signal.signal(-how, signal.SIG_DFL)
        os.kill(os.getpid(), -how)
    os._exit(how)


if __name__ == "__main__":
    main()

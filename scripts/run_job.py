"""Run a Python script as a copy of the job server's process, which has loaded its libraries.

    python -I -S scripts/run_job.py SOCKET python scripts/train_stream.py ...

It ends as the script does, and passes on to it what it is told. If no server is at the socket, or one with
another Python, or the command is no Python's, the command takes this process's place.
"""

import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

STREAMS = (0, 1, 2)


def main() -> None:
    address, *command = sys.argv[1:]
    if command[0] == "python" and command[1].endswith(".py"):
        ended = run(address, asked(command[1:]), STREAMS)
        if ended is not None:
            end(ended)
    os.execvp(command[0], command)


def asked(arguments: list[str]) -> dict[str, Any]:
    """Return what a server is asked for: a script with its arguments, in the surroundings of this process."""
    return {
        "python": sys.executable,
        "arguments": arguments,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "group": os.getpgrp(),
    }


def run(
    address: str,
    request: dict[str, Any],
    descriptors: Sequence[int],
    passed_on: Sequence[int] = (signal.SIGTERM,),
) -> int | None:
    """Have the server run it, and return how it ended, as `subprocess` has it; None if it did not begin.

    It has these open `descriptors`, and the signals `passed_on`.
    """
    content = json.dumps(request).encode() + b"\n"
    with socket.socket(socket.AF_UNIX) as server, server.makefile("rb") as replies:
        try:
            server.connect(address)
            sent = socket.send_fds(server, [content], descriptors)
            server.sendall(content[sent:])
            process = int(replies.readline() or 0)
        except OSError:
            return None
        if not process:
            return None
        for number in passed_on:
            signal.signal(number, lambda number, _: _pass_on(process, number))
        # Ctrl-C reaches the script by itself.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with suppress(OSError):
            return int(replies.readline() or -signal.SIGKILL)
        return -signal.SIGKILL


def _pass_on(process: int, number: int) -> None:
    # It may just have ended.
    with suppress(ProcessLookupError):
        os.kill(process, number)


def end(how: int) -> NoReturn:
    """End as the script did."""
    if how < 0:
        # SIGKILL cannot be set, and needs not be.
        with suppress(OSError):
            signal.signal(-how, signal.SIG_DFL)
        os.kill(os.getpid(), -how)
    os._exit(how)


if __name__ == "__main__":
    main()

"""Run a Python script as a copy of `warm_server.py`'s process; where that cannot be, as a process of its own.

    python -I -S tests/warm_client.py SOCKET PYTHON SCRIPT ARGUMENT...

It ends as the script does, and passes on to it what it is told.
"""

import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.with_name("scripts")))

import run_job

# What whoever is called in the background, or by nohup, ignores.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})


def main() -> None:
    address, python, *arguments = sys.argv[1:]
    descriptors = open_descriptors()
    ended = run_job.run(address, asked(descriptors, arguments), descriptors, (signal.SIGTERM, signal.SIGHUP))
    if ended is not None:
        run_job.end(ended)
    os.execv(python, [python, *arguments])


def open_descriptors() -> list[int]:
    found = []
    for link in Path("/proc/self/fd").iterdir():
        # That of the list itself is closed again.
        with suppress(OSError):
            if os.get_inheritable(number := int(link.name)):
                found.append(number)
    return sorted(found)


def asked(descriptors: list[int], arguments: list[str]) -> dict[str, Any]:
    umask = os.umask(0o077)
    os.umask(umask)
    return run_job.asked(arguments) | {
        "umask": umask,
        "limits": [(limit, resource.getrlimit(limit)) for limit in LIMITS],
        "ignored": [number for number in SIGNALS if signal.getsignal(number) == signal.SIG_IGN],
        "session": os.getsid(0),
        "descriptors": descriptors,
    }


if __name__ == "__main__":
    main()

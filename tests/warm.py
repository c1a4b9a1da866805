"""Have what tests call start as copies of one process that has loaded the libraries (`warm_server.py`).

Programs of the same names, in a folder that comes first in the PATH of what tests call, ask that process. A
test that names an interpreter by its path starts that.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

# The folder's name, for the processes that pytest-xdist starts.
VARIABLE = "TWOSTREAM_TESTS_WARM"
HERE = Path(__file__).resolve().parent
PYTHON = Path(sys.executable)
CONSOLE_SCRIPTS = ("snakemake", "dvc", "torchrun")


def use(environment: dict[str, str]) -> None:
    """Have an environment's PATH begin with the folder of this session, if there is one."""
    if folder := os.environ.get(VARIABLE):
        environment["PATH"] = f"{folder}:{environment['PATH']}"


def start(environment: dict[str, str]) -> Callable[[], None]:
    """Make the folder and start the process, which ends with this one; return what ends both before."""
    # By a short path, as those of sockets must be.
    folder = Path(tempfile.mkdtemp(prefix="warm", dir="/tmp"))
    with socket.socket(socket.AF_UNIX) as listener, (folder / "log").open("w") as log:
        listener.bind(str(folder / "socket"))
        listener.listen(64)
        process = subprocess.Popen(
            [PYTHON, HERE / "warm_server.py", str(listener.fileno())],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=[listener.fileno()],
            process_group=0,
        )
    write_programs(folder)
    os.environ[VARIABLE] = str(folder)

    def end() -> None:
        del os.environ[VARIABLE]
        process.communicate()
        shutil.rmtree(folder)

    return end


def write_programs(folder: Path) -> None:
    """Write programs that ask at the folder's socket, and start what they stand for where nobody answers."""
    real = shlex.quote(str(PYTHON))
    client, address = shlex.quote(str(HERE / "warm_client.py")), shlex.quote(str(folder / "socket"))
    ask = f"exec {real} -I -S {client} {address} {real}"
    # Options of the interpreter's are for one of its own.
    programs = {"python": f'case "$1" in\n*.py) {ask} "$@" ;;\n*) exec {real} "$@" ;;\nesac'}
    for name in CONSOLE_SCRIPTS:
        programs[name] = f'{ask} {shlex.quote(str(PYTHON.with_name(name)))} "$@"'
    for name, content in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{content}\n")
        (folder / name).chmod(0o755)

"""Jobs that start as copies of one process: they are what they would be as processes of their own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import COLD, ROOT

from twostream.plan.job_server import listening

SCRIPTS = ROOT / "scripts"
SCRIPT = """
import json, os, signal, sys, tempfile, time
if sys.argv[1] == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[1] == "wait":
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(60)
told = {"arguments": sys.argv, "folder": os.getcwd(), "variable": os.environ.get("VARIABLE"),
        "group": os.getpgrp(), "loaded": "loaded" in sys.modules, "temporary": tempfile.gettempdir(),
        "threads": os.environ.get("OMP_NUM_THREADS"), "path": sys.path[0], "name": __name__}
print(json.dumps(told))
print("an error", file=sys.stderr)
sys.exit({"number": 3, "words": "in words", "well": None}[sys.argv[1]])
"""


# A library may ask for the folder of temporary files as it is loaded.
LOADED = "import tempfile; tempfile.gettempdir()"


def serve(folder: Path) -> subprocess.Popen[bytes]:
    """Start a server that has loaded a module, in a folder with a script; it ends with its input."""
    (folder / "script.py").write_text(SCRIPT)
    (folder / "loaded.py").write_text(LOADED)
    # By a short path, as those of sockets must be.
    with contextlib.chdir(folder), listening("socket") as listener:
        return subprocess.Popen(
            ["python", SCRIPTS / "job_server.py", str(listener.fileno()), "loaded"],
            cwd=folder,
            env={**COLD, "PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            process_group=0,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A folder with a script, and a server for it."""
    folder = tmp_path_factory.mktemp("jobs")
    server = serve(folder)
    yield folder
    server.stdin.close()
    assert server.wait(10) == 0


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(folder: Path, *arguments: str, socket: str = "socket", **how: Any) -> subprocess.Popen[str]:
    command = ["python", "-I", "-S", SCRIPTS / "run_job.py", socket, *(arguments or ("python", "script.py"))]
    environment = {**COLD, "VARIABLE": "blank and ;", "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    how = {"env": environment, "stdout": -1, "stderr": -1} | how
    return subprocess.Popen(command, cwd=folder, text=True, **how)


def told(job: subprocess.Popen[str]) -> dict[str, Any]:
    job.said, job.complained = job.communicate()
    return json.loads(job.said)


@pytest.mark.parametrize("socket", ["socket", "none"])
def test_a_job_sees_what_a_process_of_its_own_would(folder, socket):
    job = start(folder, "python", "script.py", "number", socket=socket, process_group=0)
    assert told(job) == {
        "arguments": ["script.py", "number"],
        "folder": str(folder),
        "variable": "blank and ;",
        "group": job.pid,
        "loaded": socket == "socket",
        "temporary": str(folder),
        "threads": "1",
        "path": str(folder),
        "name": "__main__",
    }
    assert (job.returncode, job.complained) == (3, "an error\n")


def test_a_job_ends_as_its_script_does(folder):
    killed = start(folder, "python", "script.py", "killed")
    assert killed.communicate() == ("", "") and killed.returncode == -signal.SIGKILL
    jobs = [start(folder, "python", "script.py", how) for how in ("well", "words", "nothing of these")]
    said = [told(job) and job.complained for job in jobs]
    assert [job.returncode for job in jobs] == [0, 1, 1]
    assert said[1] == "an error\nin words\n" and "KeyError: 'nothing of these'" in said[2]


def test_what_is_no_script_of_this_python_runs_as_it_stands(folder, tmp_path):
    assert start(folder, "echo", "as it stands").communicate()[0] == "as it stands\n"
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')
    other.chmod(0o755)
    elsewhere = {**COLD, "PATH": f"{tmp_path}:{COLD['PATH']}"}
    assert not told(start(folder, "python", "script.py", "well", env=elsewhere))["loaded"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_ends_with_the_process_that_asked_for_it(folder, number):
    job = start(folder, "python", "script.py", "wait")
    process = int(job.stdout.readline())
    job.send_signal(number)
    assert job.wait(10) == -number
    wait_for(lambda: not Path(f"/proc/{process}").exists())


def test_a_signal_to_the_group_reaches_the_job(folder):
    job = start(folder, "python", "script.py", "wait", process_group=0)
    process = int(job.stdout.readline())
    assert os.getpgid(process) == job.pid
    os.killpg(job.pid, signal.SIGTERM)
    assert job.wait(10) == -signal.SIGTERM
    wait_for(lambda: not Path(f"/proc/{process}").exists())


@pytest.mark.parametrize("request_", [b"[1]\n", b"{}\n", b'{"python": ', b""])
def test_who_asks_wrongly_holds_nobody_up(folder, request_):
    with socket.socket(socket.AF_UNIX) as asker:
        asker.connect(os.path.relpath(folder / "socket"))
        asker.sendall(request_)
        asker.shutdown(socket.SHUT_WR)
        assert asker.recv(9) == b""
    assert told(start(folder, "python", "script.py", "well"))["loaded"]


def test_the_server_ends_with_its_last_job(tmp_path):
    server = serve(tmp_path)
    job = start(tmp_path, "python", "script.py", "wait")
    process = int(job.stdout.readline())
    server.stdin.close()
    time.sleep(0.3)
    assert server.poll() is None and job.poll() is None
    os.kill(process, signal.SIGTERM)
    assert job.wait(10) == -signal.SIGTERM and server.wait(10) == 0
    assert not (tmp_path / "socket").exists()


def test_jobs_end_with_a_server_that_is_killed_and_others_run_without(tmp_path):
    server = serve(tmp_path)
    jobs = [start(tmp_path, "python", "script.py", "wait") for _ in range(2)]
    processes = [int(job.stdout.readline()) for job in jobs]
    server.kill()
    server.wait()
    assert [job.wait(10) for job in jobs] == [-signal.SIGKILL] * 2
    for process in processes:
        wait_for(lambda process=process: not Path(f"/proc/{process}").exists())
    assert not told(start(tmp_path, "python", "script.py", "well"))["loaded"]

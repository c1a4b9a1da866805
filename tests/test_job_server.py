"""Jobs that start as copies of one process: they are what they would be as processes of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ENVIRONMENT, ROOT

SCRIPTS = ROOT / "scripts"
SCRIPT = """
import json, os, signal, sys, time
if sys.argv[1] == "wait":
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(60)
told = {"arguments": sys.argv, "folder": os.getcwd(), "variable": os.environ.get("VARIABLE"),
        "group": os.getpgrp(), "loaded": "colorsys" in sys.modules, "path": sys.path[0], "name": __name__}
print(json.dumps(told))
print("an error", file=sys.stderr)
sys.exit({"number": 3, "words": "in words", "well": None}[sys.argv[1]])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A folder with a script, and a server that has loaded a module; it ends with its input."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "script.py").write_text(SCRIPT)
    command = ["python", SCRIPTS / "job_server.py", "socket", "colorsys"]
    server = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.PIPE, process_group=0)
    wait_for((folder / "socket").exists)
    yield folder
    server.stdin.close()
    assert server.wait(10) == 0 and not (folder / "socket").exists()


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(folder: Path, *arguments: str, socket: str = "socket", **how: Any) -> subprocess.Popen[str]:
    command = ["python", "-I", "-S", SCRIPTS / "run_job.py", socket, *(arguments or ("python", "script.py"))]
    how = {"env": {**ENVIRONMENT, "VARIABLE": "blank and ;"}, "stdout": -1, "stderr": -1} | how
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
        "path": str(folder),
        "name": "__main__",
    }
    assert (job.returncode, job.complained) == (3, "an error\n")


def test_a_job_ends_as_its_script_does(folder):
    jobs = [start(folder, "python", "script.py", how) for how in ("well", "words", "nothing of these")]
    said = [told(job) and job.complained for job in jobs]
    assert [job.returncode for job in jobs] == [0, 1, 1]
    assert said[1] == "an error\nin words\n" and "KeyError: 'nothing of these'" in said[2]


def test_what_is_no_script_of_this_python_runs_as_it_stands(folder, tmp_path):
    assert start(folder, "echo", "as it stands").communicate()[0] == "as it stands\n"
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')
    other.chmod(0o755)
    elsewhere = {**ENVIRONMENT, "PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}
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


def test_the_server_ends_with_its_last_job(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = ["python", SCRIPTS / "job_server.py", "socket"]
    server = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdin=subprocess.PIPE, process_group=0)
    wait_for((tmp_path / "socket").exists)
    job = start(tmp_path, "python", "script.py", "wait")
    process = int(job.stdout.readline())
    server.stdin.close()
    time.sleep(0.3)
    assert server.poll() is None and job.poll() is None
    os.kill(process, signal.SIGTERM)
    assert job.wait(10) == -signal.SIGTERM and server.wait(10) == 0

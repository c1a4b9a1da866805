"""A lock keeps a second process out for as long as its holder lives, and no longer."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from select import select

import pytest
from conftest import ROOT

from twostream.files import UserError
from twostream.provenance import locks

# Says "mine" when it has the lock, then keeps it until its input is closed.
ARTEFACT = "from twostream.provenance.locks import locked\nwith locked(sys.argv[1]):"
ARTEFACT += ' print("mine", flush=True); sys.stdin.read()'
CALL = "from twostream.provenance.locks import lock_folder\n"
CALL += 'lock_folder()\nprint("mine", flush=True); sys.stdin.read()'

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a process in a folder of its own, with a script, an argument and environment variables."""
    started = []

    def start(script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", f"import sys\n{script}", *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT / "scripts"), **variables},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def end_well(process: subprocess.Popen[str]) -> None:
    process.communicate("")


@pytest.mark.parametrize("end", [end_well, subprocess.Popen.kill])
def test_a_second_writer_waits_for_the_first_and_says_for_whom(start, tmp_path, end):
    first = start(ARTEFACT, "models/a.npz")
    assert first.stdout.readline() == "mine\n"
    second = start(ARTEFACT, str(tmp_path / "models/a.npz"))
    assert f"models/a.npz: waiting for process {first.pid} on " in second.stderr.readline()
    assert select([second.stdout], [], [], 0.3)[0] == []
    end(first)
    assert second.stdout.readline() == "mine\n"


def test_another_artefact_of_the_same_name_is_not_waited_for(start):
    assert start(ARTEFACT, "models/a.npz").stdout.readline() == "mine\n"
    assert start(ARTEFACT, "scores/a.npz").stdout.readline() == "mine\n"


def test_a_second_call_is_refused_until_the_first_is_dead(start):
    first = start(CALL)
    assert first.stdout.readline() == "mine\n"
    second = start(CALL)
    assert f"is at work in this folder: process {first.pid} on " in second.communicate()[1]
    assert second.returncode == 1
    first.kill()
    assert start(CALL).stdout.readline() == "mine\n"


def test_a_job_whose_call_was_followed_by_another_leaves_the_artefact_to_it(start, tmp_path):
    first = start(CALL)
    first.stdout.readline()
    started_by = (tmp_path / locks.CALL).read_text()
    assert start(ARTEFACT, "a.npz", TWOSTREAM_CALL=started_by).stdout.readline() == "mine\n"
    # Killed, it may leave a job behind that only now comes to its artefact.
    first.kill()
    assert start(ARTEFACT, "b.npz", TWOSTREAM_CALL=started_by).stdout.readline() == "mine\n"
    second = start(CALL)
    second.stdout.readline()
    late = start(ARTEFACT, "c.npz", TWOSTREAM_CALL=started_by)
    assert f"c.npz: left to a newer call of snakemake (process {second.pid} on " in late.communicate()[1]
    assert late.returncode == 1


def test_a_file_system_without_locks_is_named_with_what_to_do(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    with pytest.raises(UserError, match=r"scratch/locks/.*a\.npz: cannot be locked.*make scratch a link"):
        locks.locked("a.npz").__enter__()

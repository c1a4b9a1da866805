"""What tests call as copies of one process is what a process of its own would be."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import warm
from conftest import COLD, ENVIRONMENT, ROOT

SCRIPT = f"""
import json, os, resource, signal, sys, tempfile, time
from resource import RLIMIT_CORE, RLIMIT_NOFILE
loaded = "torch" in sys.modules
sys.path.insert(1, {str(ROOT / "scripts")!r})
import twostream
from twostream import arithmetic
how = sys.argv[1]
if how == "wait":
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    time.sleep(60)
print(json.dumps({{
    "arguments": sys.argv, "python": sys.executable, "path": sys.path,
    "name": __name__, "file": __file__, "folder": os.getcwd(), "session": os.getsid(0),
    "environment": {{name: value for name, value in os.environ.items() if name != "PWD"}},
    "temporary": tempfile.gettempdir(), "arithmetic": arithmetic.computed_in(),
    "mask": os.umask(0), "limits": [resource.getrlimit(limit) for limit in (RLIMIT_CORE, RLIMIT_NOFILE)],
    "asked": sys.stdin.read(), "passed": os.read(int(sys.argv[2]), 99).decode(), "loaded": loaded,
    "encoding": sys.stdout.encoding, "signals": [
        str(getattr(signal.getsignal(number), "__name__", signal.getsignal(number)))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    ],
}}))
print("on the other stream", file=sys.stderr)
if how == "interrupted":
    raise KeyboardInterrupt
if how == "killed":
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit({{"well": None, "number": 3, "words": "in words"}}[how])
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


def called(folder: Path, environment: dict[str, str], how: str) -> tuple[int, str, dict[str, Any]]:
    """How a call of the script ended, its complaints, and what it told."""
    read, write = os.pipe()
    os.write(write, b"by a pipe")
    limited = "ulimit -c 0 -n 321; umask 027; trap '' HUP; exec python script.py"
    done = subprocess.run(
        ["bash", "-c", f"{limited} {how} {read}"],
        cwd=folder,
        env=environment | {"VARIABLE": "blank and ;", "TMPDIR": str(folder)},
        input="to its input",
        capture_output=True,
        text=True,
        pass_fds=[read],
    )
    os.close(read)
    os.close(write)
    assert done.stdout, (done.returncode, done.stderr)
    return done.returncode, done.stderr, json.loads(done.stdout)


@pytest.mark.parametrize("how", ["well", "number", "words", "wrongly", "interrupted", "killed"])
def test_a_copy_is_what_a_process_of_its_own_would_be(folder, how):
    ended, complained, told = called(folder, COLD, how)
    copy_ended, copy_complained, copy_told = called(folder, ENVIRONMENT, how)
    assert copy_told.pop("loaded") and not told.pop("loaded")
    assert copy_told["environment"].pop("PATH").endswith(told["environment"].pop("PATH"))
    assert told["mask"] == 0o027 and told["limits"][1] == [321, 321] and told["passed"] == "by a pipe"
    assert told["arithmetic"] == "portable" and told["asked"] == "to its input"
    descriptors = [t["arguments"].pop() for t in (told, copy_told)]
    assert all(descriptors) and copy_told == told
    assert copy_ended == ended and copy_complained == complained


@pytest.mark.parametrize("environment", [COLD, ENVIRONMENT], ids=["own", "copy"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("to_group", [False, True])
def test_a_signal_ends_it(folder, environment, number, to_group):
    call = waiting(folder, environment, process_group=0)
    process = int(call.stdout.readline())
    assert os.getpgid(process) == call.pid and (process == call.pid) == (environment is COLD)
    (os.killpg if to_group else os.kill)(call.pid, number)
    assert call.wait(10) == -number
    wait_for_the_end(process)


def waiting(folder: Path, environment: dict[str, str], **how: Any) -> subprocess.Popen[str]:
    command = ["python", "script.py", "wait"]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=-1, text=True, **how)


def wait_for_the_end(process: int) -> None:
    end = time.monotonic() + 10
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["PYTHONPATH", "LC_ALL", "TWOSTREAM_ARITHMETIC", "ONEDNN_MAX_CPU_ISA"])
def test_what_libraries_would_have_read_otherwise_is_no_copy(folder, name):
    value = {"TWOSTREAM_ARITHMETIC": "native", "LC_ALL": "C.UTF-8"}.get(name, "elsewhere")
    assert not called(folder, ENVIRONMENT | {name: value}, "well")[2]["loaded"]


def test_another_session_has_no_copy(folder):
    call = waiting(folder, ENVIRONMENT, start_new_session=True)
    assert int(call.stdout.readline()) == call.pid
    call.kill()
    call.wait()


def test_other_namespaces_have_no_copy(folder):
    apart = ["unshare", "--mount"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("namespaces of one's own are root's here")
    call = [*apart, "python", "script.py", "well", "0"]
    told = subprocess.check_output(call, cwd=folder, env=ENVIRONMENT, input="by a pipe", text=True)
    assert not json.loads(told)["loaded"]


def test_a_worker_of_torchruns_is_a_copy_in_a_session_of_its_own(tmp_path):
    told = "'torch' in sys.modules, os.getsid(0) == os.getpid(), os.environ['RANK'], sys.argv[1:]"
    (tmp_path / "worker.py").write_text(f"import os, sys\nprint({told}, flush=True)\nsys.exit(3)\n")
    command = ["torchrun", "--standalone", "--nproc-per-node", "1", "worker.py", "-u"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout == "True True 0 ['-u']\n" and done.returncode == 1
    assert re.search(r"exitcode\s*: 3", done.stderr)


def test_where_nobody_answers_a_process_of_its_own_runs(folder, tmp_path):
    (tmp_path / "bin").mkdir()
    warm.write_programs(tmp_path / "bin")
    assert not called(folder, warm.use(COLD, tmp_path / "bin"), "well")[2]["loaded"]


@pytest.mark.parametrize("program", [name for name in warm.ASKED if name != "python"])
def test_programs_say_what_they_would(tmp_path, program):
    said = [
        subprocess.run([program, "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        for environment in (COLD, ENVIRONMENT)
    ]
    assert said[0].returncode == said[1].returncode == 0
    # Snakemake lists some choices in an order that is another in each process.
    own, copy = (sorted(re.findall(r"\w+", done.stdout)) for done in said)
    assert own == copy and said[0].stderr == said[1].stderr == ""


def test_a_copy_of_the_project_runs_its_own_code(tmp_path):
    shutil.copytree(ROOT / "scripts/twostream", tmp_path / "scripts/twostream")
    (tmp_path / "scripts/twostream/paths.py").write_text("INDEX = 'edited'\n")
    (tmp_path / "scripts/script.py").write_text("from twostream import paths; print(paths.INDEX)\n")
    command = ["python", "scripts/script.py"]
    assert subprocess.check_output(command, cwd=tmp_path, env=ENVIRONMENT, text=True) == "edited\n"


@pytest.fixture
def own() -> Iterator[warm.Warm]:
    """Processes of the test's, with next to nothing loaded."""
    own = warm.Warm(COLD, dict.fromkeys(warm.LOADED, ""))
    yield own
    if own.servers[0].poll() is None:
        own.end()


def test_nothing_is_left_when_it_ends(folder, own):
    call = waiting(folder, warm.use(COLD, own.folder))
    process = int(call.stdout.readline())
    assert process != call.pid
    own.end()
    assert call.wait(10) == -signal.SIGKILL
    wait_for_the_end(process)
    assert not own.folder.exists()

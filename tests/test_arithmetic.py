"""The arithmetic is set before libraries load, whoever starts a script, and is told of each artefact."""

import json
import os
import subprocess
import sys

import pytest
from conftest import ENVIRONMENT, ROOT

from twostream import arithmetic, paths
from twostream.arithmetic import ONE_THREAD, PORTABLE, VARIABLE
from twostream.files import UserError
from twostream.provenance.records import read_record, recorded, run_of
from twostream.provenance.specs import Spec

SAY = "import json, os; print(json.dumps(dict(os.environ)))"


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT / "scripts")} | environment,
        capture_output=True,
        text=True,
    )


def test_importing_the_library_sets_the_arithmetic():
    found = json.loads(python(f"import twostream; {SAY}").stdout)
    assert PORTABLE.items() <= found.items() and ONE_THREAD.items() <= found.items()


def test_libraries_obey():
    """By what each of them says of itself, on a processor that has more."""
    asked = """
import twostream
import warnings
warnings.simplefilter("error")
import numpy, numba, torch
from threadpoolctl import threadpool_info
print(numpy.__config__.CONFIG is not None, torch.backends.cpu.get_cpu_capability())
print(numba.core.registry.cpu_target.target_context.codegen().magic_tuple()[1:])
print([(i["architecture"], i["num_threads"]) for i in threadpool_info() if i["internal_api"] == "openblas"])
"""
    done = python(asked)
    assert done.stderr == ""
    assert done.stdout == "True AVX2\n('haswell', '+avx2,+fma')\n[('Haswell', 1)]\n"


def test_native_takes_back_what_its_parent_set():
    found = json.loads(python(f"import twostream; {SAY}", **PORTABLE, **{VARIABLE: "native"}).stdout)
    assert not PORTABLE.keys() & found.keys() and ONE_THREAD.items() <= found.items()


def test_a_library_that_loaded_before_is_named():
    late = python("import numpy, twostream; print(twostream.arithmetic.computed_in())")
    assert "UserWarning: twostream is imported after numpy, too late" in late.stderr
    assert late.stdout == "native: numpy imported first\n"
    child = python("import numpy, twostream; print(twostream.arithmetic.computed_in())", **PORTABLE)
    assert child.stderr == "", "its environment was right from the start"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("MKL_CBWR", "AVX512", "MKL_CBWR=AVX512 in the environment"),
        ("OPENCV_IPP", "", "OPENCV_IPP= in the environment"),
        (VARIABLE, "fast", f"{VARIABLE}=fast: is none of portable, native"),
    ],
)
def test_an_environment_that_contradicts_is_refused(variable, value, told, tmp_path, monkeypatch):
    environment = ENVIRONMENT | {variable: value}
    command = [sys.executable, str(ROOT / "scripts/print_tables.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith(f"error: {told}") and "unset it" in done.stderr
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError, match=told), recorded(tmp_path / "a.bin", {}):
        pytest.fail("the work has begun")


def test_the_configuration_decides_for_all_jobs(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    arithmetic.choose("native")
    assert os.environ[VARIABLE] == "native" and not PORTABLE.keys() & os.environ.keys()
    with pytest.raises(UserError, match=f"{VARIABLE}=native in the environment.*arithmetic: portable"):
        arithmetic.choose("portable")


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "fpu avx avx2 fma", "portable"),
        ("x86_64", "fpu avx avx512f", "native: no AVX2"),
        ("x86_64", "fpu avx2", "native: no AVX2"),
        ("aarch64", "", "native: aarch64"),
    ],
)
def test_processors_that_compute_otherwise_are_told(machine, flags, expected, monkeypatch):
    cpuinfo = f"processor\t: 0\nmodel name\t: Some\nflags\t\t: {flags}\n\nprocessor\t: 1\n"
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr("pathlib.Path.read_text", lambda path: cpuinfo)
    assert arithmetic.computed_in() == expected
    assert arithmetic.processor() == "Some"


def make(artefact: str, *made_from: str, device: str = "cpu") -> dict:
    spec = Spec(digest="x", script="", code="", made_from=dict.fromkeys(made_from, "x"))
    with recorded(artefact, {}, spec, device) as recording:
        with open(artefact, "w") as file:
            file.write(artefact)
        recording.facts["fields"], recording.run["waited"] = 3, 0.5
    return read_record(artefact)


def test_a_record_tells_the_arithmetic_of_all_that_an_artefact_was_made_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert make("a.bin")["arithmetic"] == ["portable"]
    monkeypatch.setattr(arithmetic, "computed_in", lambda: "native")
    assert make("b.bin", "a.bin")["arithmetic"] == ["native", "portable"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert make("c.bin", "b.bin", device="cuda")["arithmetic"] == ["cuda", "native", "portable"]
    old = json.loads((tmp_path / "a.record.json").read_text())
    (tmp_path / "a.record.json").write_text(json.dumps({k: v for k, v in old.items() if k != "arithmetic"}))
    assert make("d.bin", "a.bin")["arithmetic"] == ["portable", "unrecorded"]


def test_a_record_holds_nothing_of_one_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make("a.bin")
    first = (tmp_path / "a.record.json").read_bytes()
    monkeypatch.setattr("time.gmtime", lambda seconds: __import__("time").localtime(0))
    monkeypatch.setattr("platform.machine", lambda: "riscv")
    monkeypatch.setattr(arithmetic, "computed_in", lambda: "portable")
    record = make("a.bin")
    assert (tmp_path / "a.record.json").read_bytes() == first
    run = run_of("a.bin", record)
    assert run["machine"] == "riscv" and run["waited"] == 0.5 and run["started"].startswith("1970")
    assert record["fields"] == 3 and "waited" not in record


def test_a_run_file_of_another_artefact_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = json.loads(json.dumps(make("a.bin")))
    record["files"]["a.bin"]["sha256"] = "another, checked out"
    assert run_of("a.bin", record) == {}


def test_how_a_run_went_is_told_beside_what_the_workflow_has_not_made(tmp_path, monkeypatch):
    """So that a folder's flow, wherever it goes, leaves nothing elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    make(str(tmp_path / "own/forward.zip"))
    assert {file.name for file in (tmp_path / "own").iterdir()} == {
        *("forward.zip", "forward.record.json", "forward.run.json")
    }
    assert [file.name for file in tmp_path.iterdir()] == ["own"]
    assert paths.run_file("results/table3.csv") == "scratch/runs/results/table3.csv.json"


def test_opencv_does_not_tell_each_job_what_was_switched_off():
    code = "import twostream, cv2, numpy; cv2.resize(numpy.zeros((9, 9, 3), 'u1'), (5, 5), 0, 0, 0, 3)"
    assert python(code).stderr == ""

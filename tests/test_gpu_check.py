"""The check for GPUs, tried on a CPU at the smallest sizes: its parts, their limits, and its document."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ROOT

from gpu_parts import brox, document, environment, flow, loader, paper, training, triton_kernels
from gpu_parts.moving_pictures import Texture, layered_pair, smooth_pair
from gpu_parts.parts import PARTS
from gpu_parts.place import Place
from gpu_parts.report import Report
from gpu_parts.runner import Part, Runner
from gpu_parts.sizes import FULL, SMALL
from twostream.config.benchmark import Benchmark
from twostream.config.flow import ALGORITHMS, RAFT_WEIGHTS
from twostream.config.loading import parse, read_yaml
from twostream.config.scale import Scale
from twostream.config.streams import KINDS

SMALLEST = replace(
    SMALL,
    height=20,
    width=24,
    solver_iterations=1,
    pairs=(1, 1),
    many=3,
    seconds=0.001,
    batch=2,
    frames=11,
    workers=0,
)
# What neither torch nor NumPy brings.
BEYOND = [
    "cv2",
    "numba",
    "pandas",
    "pydantic",
    "safetensors",
    "scipy",
    "sklearn",
    "snakemake",
    "tqdm",
    "yaml",
]


@pytest.fixture
def place(tmp_path, monkeypatch) -> Place:
    """A part's place, in this process, with a network that is quick."""
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.delitem(sys.modules, "twostream.flow.brox_triton", raising=False)
    narrow = [SimpleNamespace(**vars(c) | {"channels": 8}) for c in paper.NETWORK.convolutions]
    network = SimpleNamespace(**vars(paper.NETWORK) | {"convolutions": narrow, "full": [16, 8]})
    monkeypatch.setattr(paper, "NETWORK", network)
    report = Report(tmp_path / "gpu.json")
    report.start(device="cpu")
    report.begin("part")
    yield Place("part", "cpu", SMALLEST, report)
    sys.modules.pop("twostream.flow.brox_triton", None)  # an interpreted one


def rows(place: Place) -> dict[str, dict]:
    return {row["what"]: row for row in place.report.content()["parts"][0]["rows"]}


def test_flow_is_held_to_the_cpu_and_the_truth(place):
    pytest.importorskip("triton")
    flow.measure(place)
    found = rows(place)
    assert not [row for row in found.values() if "wrong" in row or "skipped" in row]
    for name in ("Triton", "PyTorch alone"):
        assert found[f"Brox by {name}, 3 pairs"]["figures"]["px from the CPU's field"] < 1e-5
        assert found[f"Brox by {name}, 1 pair at once"]["figures"]["pairs/s"] > 0
    assert {f"{name} by OpenCV, one core of the CPU" for name in paper.ON_CPU} <= found.keys()


def test_a_field_that_is_wrong_is_told(place, monkeypatch):
    monkeypatch.setattr(flow, "_time", lambda *_: None)
    monkeypatch.setattr(brox, "half_sweeps", lambda place: [("idle", lambda *_: None)])
    monkeypatch.setattr(paper, "ON_CPU", ())
    flow.measure(place)
    assert "px from the CPU's field" in rows(place)["idle, 3 pairs"]["wrong"]


def test_a_field_that_is_no_number_is_told(place, capsys):
    nothing = torch.full((1, 2, 4, 4), torch.nan)
    triton_kernels._judge(place, "a", nothing, nothing, 1e-4)
    assert rows(place)["a"]["figures"] == {"px apart at most": None} and "wrong" in rows(place)["a"]
    assert "not a number of px apart at most  WRONG" in capsys.readouterr().out


def test_triton_is_held_to_pytorch(place):
    pytest.importorskip("triton")
    triton_kernels.measure(place)
    found = rows(place)
    assert not [row for row in found.values() if "wrong" in row or "skipped" in row]
    assert found["how it runs"]["says"] == "interpreted on the CPU"
    assert {"half-sweeps, 3 fields of 16 x 16", "Brox, 3 fields of 16 x 16"} <= found.keys()


def test_steps_of_both_streams_are_measured(place):
    training.measure(place)
    found = rows(place)
    for run in paper.RUNS:
        steps = found[f"{paper.title(run)}, single precision, batch 2"]
        assert steps["figures"]["steps/s"] > 0 and "wrong" not in steps
        assert found[f"{paper.title(run)}, mixed precision"]["skipped"] == "needs a GPU that has bfloat16"


def test_a_batch_that_does_not_fit_is_halved(place, monkeypatch):
    steps = training._steps

    def full(place: Place, what: str, run: str, batch: int, device: torch.device) -> float:
        if batch > 2:
            raise torch.OutOfMemoryError
        return steps(place, what, run, batch, device)

    monkeypatch.setattr(training, "_steps", full)
    monkeypatch.setattr(training, "_scoring", lambda *_: None)
    training.measure(replace(place, sizes=replace(SMALLEST, batch=8)))
    assert f"{paper.title('flow-10')}, single precision, batch 2" in rows(place)


def test_steps_from_shards_are_measured(place):
    loader.measure(place)
    found = [row["figures"] for what, row in rows(place).items() if "stream" in what]
    assert len(found) == 2
    assert all(0 < figures["% of the time waiting for input"] < 100 for figures in found)


def test_the_gpu_is_named(place, monkeypatch):
    facts = SimpleNamespace(name="A GPU", total_memory=8e9, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: facts)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    monkeypatch.setattr(environment, "_cudnn", lambda: "92000")  # it would look at the GPU
    environment.measure(replace(place, device="cuda"))
    found = {what: row["says"] for what, row in rows(place).items()}
    assert found["GPU"] == "A GPU, 8.0 GB, compute capability 9.0" and found["bfloat16"] == "yes"
    assert found["torch"].startswith(torch.__version__) and found["numpy"] == np.__version__


def test_pictures_move_as_they_say():
    texture = Texture(3)
    x, y = (grid.astype(float) for grid in np.mgrid[:5, :7])
    seen = texture.seen_from(x, y, np.array([0.0, 2.5]), np.array([0.0, -1.0]))
    assert np.allclose(seen, [texture.at(x, y), texture.at(x - 2.5, y + 1)])
    pair = smooth_pair(0, 40, 50, 3.0)
    assert np.linalg.norm(pair.displacement, axis=-1).max() == pytest.approx(3, abs=1e-5)
    x, y = np.meshgrid(np.arange(50.0), np.arange(40.0))
    there = Texture(0).at(x + pair.displacement[..., 0], y + pair.displacement[..., 1])
    assert np.abs(there.clip(0, 255) - pair.first).max() < 0.51
    layered = layered_pair(0, 40, 50, (1, 0), (0, 2))
    assert layered.displacement[20, 25].tolist() == [0, 2] and layered.displacement[0, 0].tolist() == [1, 0]


def said(expected: SimpleNamespace, settings: object) -> dict:
    """What settings say of each name that plain ones have."""
    return {name: getattr(settings, name) for name in vars(expected)}


def test_the_papers_settings_are_those_of_the_configuration():
    scale = parse(Scale, read_yaml(ROOT / "config/scale/paper.yaml"), "paper.yaml")
    benchmark = parse(Benchmark, read_yaml(ROOT / "config/benchmark.yaml"), "benchmark.yaml")
    assert vars(paper.BROX) == scale.flow.brox.model_dump()
    on_gpu = {name for name, algorithm in ALGORITHMS.items() if algorithm.on_gpu}
    assert set(paper.ON_CPU) == ALGORITHMS.keys() - on_gpu
    assert on_gpu - RAFT_WEIGHTS.keys() == {"brox"}, "gpu_parts/flow.py measures no other on the GPU"
    for stream in ("spatial", "temporal"):
        network = scale.networks[stream]
        assert paper.NETWORK.normalisation == network.normalisation
        assert paper.NETWORK.full == network.full
        layers = [layer.model_dump() for layer in network.convolutions]
        assert [vars(layer) for layer in paper.NETWORK.convolutions] == layers
    assert vars(paper.training(FULL.batch, FULL.crop)) == scale.training.model_dump()
    for name, run in paper.RUNS.items():
        assert paper.SHORT_SIDES[run.stream] == scale.short_side(KINDS[benchmark.runs[name].input.kind].reads)
    assert (scale.flow.quality, scale.frames.quality) == (paper.FLOW_QUALITY, paper.FRAME_QUALITY)
    assert scale.schedules.scratch.iterations == paper.ITERATIONS
    sizes = {name: getattr(FULL, name) for name in ("inner_iterations", "solver_iterations")}
    assert sizes.items() <= vars(paper.BROX).items()
    for name, run in paper.RUNS.items():
        theirs = benchmark.runs[name]
        assert {k: v for k, v in vars(run).items() if k != "input"} == {
            k: v for k, v in said(run, theirs).items() if k != "input"
        }
        assert vars(run.input) == said(run.input, theirs.input)


# Parts as anyone might write them, each a module.
MODULES = {
    "fine": "def measure(place): place.measured('a', {'px': 1.5})",
    "wrong": "def measure(place): place.measured('a', {'px': 9.0}, 'more than 1 px')",
    "crash": "def measure(place):\n place.said('a', 'b')\n raise ValueError('boom')",
    "lacking": "def measure(place):\n import no_such_library.at_all",
    "witness": """
def measure(place):
    parts = place.report.content()["parts"]
    place.said("parts", " ".join(f"{part['name']}:{part['status']}:{len(part['rows'])}" for part in parts))
""",
    "endless": """
import subprocess, sys, time
def measure(place):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    place.said("child", str(child.pid))
    time.sleep(1000)
""",
    "bare": "def measure(place):\n import "
    + ", ".join(f"gpu_parts.{name}" for name in ("environment", "flow", "triton_kernels", "training")),
}


@pytest.fixture
def runner(tmp_path, monkeypatch) -> Runner:
    """A runner that finds the modules above."""
    for name, code in MODULES.items():
        (tmp_path / f"part_{name}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    report = Report(tmp_path / "gpu.json")
    report.start(device="cpu")
    return Runner(report, "cpu", "small", 60.0)


def part(name: str, limit: float = 30.0, **settings) -> Part:
    return Part(name, f"part_{name}", limit, **({"least": 0.0, "needs": ()} | settings))


def content(tmp_path: Path) -> dict[str, dict]:
    parts = json.loads((tmp_path / "gpu.json").read_text())["parts"]
    return {part["name"]: part for part in parts}


def ends(process: int) -> bool:
    """Whether a process ends, which takes a moment once it was killed."""
    stat = Path(f"/proc/{process}/stat")
    for _ in range(500):
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.01)
    return False


def test_each_part_finds_what_those_before_it_have_written(runner, tmp_path, capfd):
    for name, status in (("fine", "done"), ("wrong", "failed"), ("crash", "failed"), ("witness", "done")):
        assert runner.run(part(name)) == status
    found = content(tmp_path)
    (row,) = found["witness"]["rows"]
    assert row["says"] == "fine:done:1 wrong:failed:1 crash:failed:1 witness:running:0"
    assert found["wrong"]["why"] == "1 of its rows are wrong"
    assert "ValueError: boom" in found["crash"]["why"]
    assert "ValueError: boom" in (tmp_path / "gpu.log").read_text()
    printed = capfd.readouterr().out
    assert "1.5 px" in printed and "WRONG: more than 1 px" in printed


def test_what_is_missing_is_named(runner, tmp_path):
    assert runner.run(part("fine", needs=("torch", "no_such_library"))) == "skipped"
    assert content(tmp_path)["fine"]["why"] == "needs no_such_library, which is not here"
    assert runner.run(part("lacking")) == "skipped"
    assert content(tmp_path)["lacking"]["why"] == "needs no_such_library, which is not here"


def test_a_part_is_cut_at_its_limit_with_all_its_processes(runner, tmp_path):
    started = time.monotonic()
    assert runner.run(part("endless", limit=3.0)) == "cut"
    assert time.monotonic() - started < 20
    found = content(tmp_path)["endless"]
    assert found["why"] == "at its limit of 3 s"
    assert ends(int(found["rows"][0]["says"])), "what it found is there, and its child is not"


def test_a_part_that_would_not_fit_any_more_is_skipped(runner, tmp_path):
    assert runner.run(part("endless", least=1000.0)) == "skipped"
    assert content(tmp_path)["endless"]["why"] == "needs 1000 s, and 60 are left"


def test_torch_and_numpy_are_enough_for_flow_triton_and_training(runner, tmp_path, monkeypatch):
    (tmp_path / "lacking").mkdir()
    for library in BEYOND:
        code = f"raise ModuleNotFoundError(name={library!r})"
        (tmp_path / f"lacking/{library}.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "lacking"), str(tmp_path)]))
    assert runner.run(part("bare")) == "done", (tmp_path / "gpu.log").read_text()
    assert runner.run(replace(PARTS[-1], needs=(), least=0.0)) == "skipped"
    assert content(tmp_path)["tables"]["why"].endswith("which is not here")


def test_the_parts_fit_in_ten_minutes():
    assert [part.name for part in PARTS][:2] == ["environment", "flow"]
    assert all(part.least < part.limit for part in PARTS)
    assert sum(part.least for part in PARTS) < 590


def call(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "benchmarks/gpu_check.py", "--out", str(tmp_path / "gpu.json"), *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(torch.cuda.is_available(), reason="is of a machine without a GPU")
def test_without_a_gpu_it_says_so(tmp_path):
    process = call(tmp_path)
    out, _ = process.communicate()
    assert process.returncode == 1
    assert "finds no GPU that it can use here" in out and "--device cpu" in out


def test_ended_from_outside_it_ends_its_part_and_leaves_what_was_found(tmp_path):
    process = call(tmp_path, "--device", "cpu")
    assert process.stdout
    next(line for line in process.stdout if line.startswith("environment"))
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    found = content(tmp_path)
    assert list(found) == ["environment"], "and no part after it has begun"
    assert found["environment"]["status"] == "running" and found["environment"]["rows"]


def measured(tmp_path: Path, device: str) -> Path:
    """A file that no machine measured."""
    rows = [
        {"what": "Brox by Triton", "figures": {"pairs/s": 1234.5, "px from the CPU's field": 0.25}},
        {"what": "Brox by PyTorch alone", "figures": {"pairs/s": 12.0}, "wrong": "more than 1 px"},
        {"what": "how it runs", "says": "compiled"},
        {"what": "TV-L1", "skipped": "needs cv2, which is not here"},
    ]
    part = {
        "name": "flow",
        "status": "failed",
        "why": "1 of its rows are wrong",
        "seconds": 9,
        "rows": rows,
    }
    file = tmp_path / "a-machine.json"
    content = {"device": device, "sizes": "full", "started": "2026-01-31T12:00:00Z", "seconds": 61.7}
    file.write_text(json.dumps(content | {"parts": [part]}))
    return file


def test_the_document_is_that_of_the_files():
    text, files = document.DOCUMENT.read_text(), document.measured()
    assert text == document.document(text, files), "call python benchmarks/gpu_check.py --document"
    assert ("Not yet measured on any GPU" in text) == (not files)


def test_the_document_shows_what_was_measured(tmp_path):
    text = document.document(document.DOCUMENT.read_text(), [measured(tmp_path, "cuda")])
    assert "Not yet measured" not in text
    assert "### a-machine\nMeasured 2026-01-31, in 62 s.\n" in text
    assert "| | pairs/s | px from the CPU's field |\n| --- | ---: | ---: |\n" in text
    assert "| Brox by Triton | 1,234 | 0.25 |\n| Brox by PyTorch alone | 12 | |\n" in text
    assert "- how it runs: compiled\n- TV-L1: not measured, needs cv2, which is not here\n" in text
    assert "- **wrong**: Brox by PyTorch alone: more than 1 px" in text


def test_a_cpus_figures_are_kept_out_of_the_document(tmp_path):
    with pytest.raises(ValueError, match="was measured on a CPU"):
        document.document("", [measured(tmp_path, "cpu")])

"""One table end to end, of the project made tiny, by `snakemake --config device=...` as a user calls it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from gpu_parts.place import Place
from gpu_parts.runner import ROOT
from small_project import small_benchmark, tiny_scale

# A row of Table 3 as a table: both streams, flow in both directions, pre-training and fusion.
TABLE = "one_row"


def measure(place: Place) -> None:
    """Make the table, and see that it is one and that it was made on the device."""
    with tempfile.TemporaryDirectory() as made:
        folder = _project(Path(made) / "project")
        started = time.perf_counter()
        _snakemake(folder, place.device)
        seconds = time.perf_counter() - started
        records = {
            str(file.relative_to(folder)): json.loads(file.read_text())["device"]
            for top in ("data", "models", "scores")
            for file in (folder / top).rglob("*.record.json")
        }
        figures = {"s": seconds, "artefacts": len(records)}
        figures[f"of them on the {place.device}"] = list(records.values()).count(place.device)
        place.measured("a row of Table 3, tiny, from nothing", figures, _wrong(folder, records, place.device))


def _wrong(folder: Path, records: dict[str, str], device: str) -> str:
    """Return what is wrong with the table, or with the devices of what it is made from; `` if nothing is."""
    ours = pd.read_csv(folder / f"results/{TABLE}.csv")["ours"]
    if not ours.between(0, 100).all():
        return "an accuracy is missing"
    elsewhere = [n for n, d in records.items() if n.startswith(("data/flow", "models")) and d != device]
    return f"not made on the {device}: {', '.join(elsewhere)}" if elsewhere else ""


def _project(folder: Path) -> Path:
    """Copy code and configuration, made tiny, with the table."""
    for name in ("scripts", "workflow", "config"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ROOT.glob("[!.]*.*"):
        if file.is_file():
            shutil.copy(file, folder)
    benchmark = small_benchmark()
    table = benchmark["tables"]["table3"]
    benchmark["tables"][TABLE] = table | {"rows": table["rows"][:1]}
    contents = {"scale/demo.yaml": tiny_scale(), "benchmark.yaml": benchmark}
    for name, content in contents.items():
        (folder / "config" / name).write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def _snakemake(folder: Path, device: str) -> None:
    """Call snakemake; what it says goes where errors go. Raises RuntimeError if it fails."""
    command = [sys.executable, "-m", "snakemake", "--cores", "all", "--config", f"device={device}"]
    # Not every machine lists its GPUs where the workflow counts them.
    command += ["--resources", "gpu=1"] if device == "cuda" else []
    # Its jobs find this Python by its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path}
    done = subprocess.run(
        [*command, "--", f"results/{TABLE}.csv"], cwd=folder, env=environment, stdout=sys.stderr
    )
    if done.returncode:
        for log in folder.glob("logs/**/*.log"):
            print(f"-- {log.relative_to(folder)}: {log.read_text()[-500:]}", file=sys.stderr)
        raise RuntimeError(f"snakemake ended with {done.returncode}")

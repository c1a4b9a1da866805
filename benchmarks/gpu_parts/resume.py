"""A training that is killed in its middle, and called again, beside one that is not."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from gpu_parts.place import Place
from gpu_parts.runner import ROOT
from twostream import paths
from twostream.config.loading import read_yaml
from twostream.config.recipes import TrainingRecipe
from twostream.extraction.store import ShardWriter
from twostream.provenance.specs import Spec, code_digest
from twostream.videos.index import write_index

# The script as the rules call it, but with a checkpoint after each iteration.
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import train_stream
from twostream import cli
from twostream.training import checkpoints
checkpoints.SECONDS_BETWEEN = 0
cli.run(train_stream.main)
"""
INDEX, SHARD = Path("data/videos/one.csv"), Path("data/frames/one/0.zip")
CLASSES = "ab"
# Of the last tenth of the losses (nats): GPUs add up in any order, so they are near, and not the same.
TOLERANCE = 0.1


def measure(place: Place) -> None:
    """Train undisturbed, then killed half-way and taken up, and compare the curves."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _write_videos(folder)
        recipe = _recipe(place.sizes.iterations)
        _finish(_start(folder, place.device, recipe, "undisturbed"))
        killed = _start(folder, place.device, recipe, "killed")
        _kill_half_way(killed, folder / paths.checkpoint("models/killed.safetensors"), recipe)
        _finish(_start(folder, place.device, recipe, "killed"))
        _compare(place, folder, recipe)


def _compare(place: Place, folder: Path, recipe: TrainingRecipe) -> None:
    undisturbed, resumed = (pd.read_csv(folder / f"models/{n}.csv") for n in ("undisturbed", "killed"))
    run = json.loads((folder / paths.run_file("models/killed.safetensors")).read_text())
    last = [float(curve["loss"].tail(len(curve) // 10).mean()) for curve in (undisturbed, resumed)]
    wrong = []
    if not run["resumed_at"]:
        wrong.append("it did not go on from its checkpoint")
    if not resumed["iteration"].equals(undisturbed["iteration"]):
        wrong.append("its curve is not complete")
    # Not `> TOLERANCE`, which NaN is not.
    if not abs(last[0] - last[1]) <= TOLERANCE:
        wrong.append(f"its loss is more than {TOLERANCE} from the undisturbed one's")
    figures = {
        "iterations": float(recipe.schedule.iterations),
        "of them before it went on": float(sum(run["resumed_at"])),
        "nats at the end": last[1],
        "nats at the end undisturbed": last[0],
    }
    place.measured("a training killed and called again", figures, "; ".join(wrong))


def _write_videos(folder: Path) -> None:
    """Write a dataset of two classes that differ in how bright their videos are."""
    random, rows = np.random.default_rng(0), []
    (folder / SHARD).parent.mkdir(parents=True)
    (folder / INDEX).parent.mkdir(parents=True)
    with ShardWriter(folder / SHARD, 95) as writer:
        for label, name in enumerate(CLASSES):
            for clip in range(4):
                frames = random.normal(80 + 80 * label, 8, (4, 64, 64, 3)).clip(0, 255).astype(np.uint8)
                writer.add_frames(f"{name}/{clip}.avi", frames)
                rows.append((f"{name}/{clip}.avi", name, label, str(clip), "train"))
    write_index(pd.DataFrame(rows, columns=["file", "class", "label", "group", "split1"]), folder / INDEX)


def _recipe(iterations: int) -> TrainingRecipe:
    """Return a training of the default scale's spatial network."""
    scale = read_yaml(ROOT / "config/scale/demo.yaml")
    content: dict[str, Any] = {
        "run": {
            "stream": "spatial",
            "input": {"kind": "frames", "length": 1},
            "initialisation": "scratch",
            "dropout": 0.5,
        },
        "tasks": [{"head": "one", "sources": [{"dataset": "one", "shards": 1, "split": 1}]}],
        "network": scale["networks"]["spatial"],
        "training": scale["training"] | {"batch": 8},
        "schedule": {"rate": 0.005, "drops": [iterations - 10], "iterations": iterations},
        "short_side": 64,
        "seed": 0,
    }
    return TrainingRecipe(**content)


def _start(folder: Path, device: str, recipe: TrainingRecipe, name: str) -> subprocess.Popen[bytes]:
    spec = Spec(digest=name, script="train_stream", code=code_digest("train_stream"), made_from={})
    (folder / f"{name}.spec.json").write_text(spec.model_dump_json())
    command = [sys.executable, "-c", PROGRAM, "--recipe", recipe.model_dump_json(), "--device", device]
    command += ["--spec", f"{name}.spec.json", "--index", str(INDEX), "--frames", str(SHARD)]
    command += ["--curve", f"models/{name}.csv", "--out", f"models/{name}.safetensors"]
    return subprocess.Popen(command, cwd=folder)


def _finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a training. Raises RuntimeError if it fails."""
    if process.wait():
        raise RuntimeError(f"the training ended with {process.returncode}")


def _kill_half_way(process: subprocess.Popen[bytes], checkpoint: Path, recipe: TrainingRecipe) -> None:
    """Kill a training once its checkpoint is of the middle. Raises RuntimeError if it ends before."""
    while process.poll() is None:
        if checkpoint.exists() and _iteration(checkpoint) >= recipe.schedule.iterations // 2:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.01)
    raise RuntimeError("the training ended before it was killed")


def _iteration(checkpoint: Path) -> int:
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state"]
    return int(state["progress"]["iteration"])

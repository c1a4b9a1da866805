"""Trainings that are killed: they end as if they never had been."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ENVIRONMENT, ROOT, frames_options, spec_file
from test_train_stream import MULTI, SINGLE, as_caffe, recipe, same, trained

from twostream import paths
from twostream.training import checkpoints
from twostream.training.checkpoints import Checkpoint

# The script as the rules call it, but with a checkpoint after each iteration. Processes that load data for it
# import it too.
PROGRAM = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
import train_stream
from twostream import cli
from twostream.training import checkpoints
checkpoints.SECONDS_BETWEEN = 0
if __name__ == "__main__":
    cli.run(train_stream.main)
"""
# With the usual time between checkpoints, and a signal to all of its process group in its seventh step.
SIGNALLED = PROGRAM.replace(
    "checkpoints.SECONDS_BETWEEN = 0",
    """
import os, subprocess, time
from twostream.training import trainer
descend = trainer.descend
def signalled(network, optimizer, batch, recipe, progress, device):
    if progress.iteration == 6:
        subprocess.run(["kill", "-TERM", "--", f"-{os.getpgrp()}"], start_new_session=True, check=True)
        time.sleep(0.5)  # as long as a worker takes to end, if it does
    descend(network, optimizer, batch, recipe, progress, device)
trainer.descend = signalled
""",
)
OUT = Path("models/one.safetensors")
SCRATCH = Path("scratch/models/one.checkpoint")


def start(folder: Path, program: str = PROGRAM, *options: str, **how: Any) -> subprocess.Popen[str]:
    content = recipe(MULTI, 40, dropout=0.5)
    file = spec_file(folder, "a", "train_stream")
    (folder / "program.py").write_text(program)
    command = ["python", "program.py", "--recipe", content.model_dump_json(), "--spec", file]
    command += ["--out", str(OUT), "--curve", "models/one.csv", *frames_options(*content.shards)]
    how |= {"env": ENVIRONMENT, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, *options], cwd=folder, **how)


def outputs(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in (OUT, OUT.with_suffix(".csv"))]


def wait_for_a_new(file: Path, before: float) -> None:
    started = time.monotonic()
    while not file.exists() or file.stat().st_mtime == before:
        assert time.monotonic() - started < 60
        time.sleep(0.01)


def test_a_training_killed_again_and_again_ends_with_the_same_bytes(coloured):
    done = start(coloured)
    assert done.wait() == 0, done.stderr.read()
    undisturbed = outputs(coloured)
    assert not (coloured / SCRATCH).exists()
    for name in (OUT, OUT.with_suffix(".csv")):
        (coloured / name).unlink()
    before = 0.0
    for delay in (0.0, 0.05, 0.13):
        killed = start(coloured)
        wait_for_a_new(coloured / SCRATCH, before)
        time.sleep(delay)
        killed.send_signal(signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        before = (coloured / SCRATCH).stat().st_mtime
    last = start(coloured)
    assert last.wait() == 0, last.stderr.read()
    assert outputs(coloured) == undisturbed
    assert json.loads((coloured / paths.run_file(OUT)).read_text())["resumed_at"] != []
    assert not (coloured / SCRATCH).exists()


@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_told_to_stop_leaves_a_checkpoint_at_once_and_goes_on_from_it(coloured, workers):
    """All of its processes are told, amid a step, as by a cluster."""
    told = start(coloured, SIGNALLED, "--workers", str(workers), process_group=0)
    _, said = told.communicate()
    assert told.returncode == 1
    assert "error: told to stop (SIGTERM) after iteration 7 of 40; the next call goes on from there" in said
    assert not (coloured / OUT).exists() and (coloured / SCRATCH).exists()
    again = start(coloured, SIGNALLED)
    assert again.wait() == 0, again.stderr.read()
    assert json.loads((coloured / paths.run_file(OUT)).read_text())["resumed_at"] == [7]
    interrupted = outputs(coloured)
    undisturbed = start(coloured)
    assert undisturbed.wait() == 0 and outputs(coloured) == interrupted


@pytest.fixture
def saved(coloured, monkeypatch) -> Path:
    """A checkpoint for the spec `a`, from the middle of a training."""
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    path = coloured / "one.checkpoint"

    class Stopped(Checkpoint):
        def due(self) -> bool:
            return super().due() and not path.exists()

    trained(as_caffe(recipe(SINGLE, 6)), checkpoint=Stopped(path, "a"))
    assert path.exists()
    return path


def test_a_checkpoint_of_another_spec_is_left_out_and_told(saved, capsys):
    fresh = trained(recipe(SINGLE, 6))
    other = trained(recipe(SINGLE, 6), checkpoint=Checkpoint(saved, "b"))
    assert other.run["resumed_at"] == [] and same(fresh.network, other.network)
    assert "of another recipe" in capsys.readouterr().err


def test_a_checkpoint_of_the_same_spec_is_taken_up(saved):
    fresh = trained(as_caffe(recipe(SINGLE, 6)))
    resumed = trained(as_caffe(recipe(SINGLE, 6)), checkpoint=Checkpoint(saved, "a"))
    assert resumed.run["resumed_at"] == [1] and same(fresh.network, resumed.network)
    assert "no_better_than_guessing" in fresh.facts and resumed.facts == fresh.facts


def test_a_damaged_checkpoint_is_told_and_the_training_starts_anew(saved, capsys):
    saved.write_bytes(saved.read_bytes()[:1000])
    assert Checkpoint(saved, "a").load(torch.device("cpu")) is None
    assert f"{saved}: cannot be read, starting anew" in capsys.readouterr().err


def test_without_a_spec_nothing_is_saved_or_taken_up(saved):
    saved.write_bytes(b"of no use")
    by_hand = Checkpoint(saved, None)
    assert by_hand.load(torch.device("cpu")) is None and not by_hand.due()

"""Trainings that several processes share."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import torch
from conftest import ENVIRONMENT, ROOT, frames_options, spec_file, tiny_scale
from test_checkpoints import SIGNALLED
from test_train_stream import MULTI, recipe, trained
from torch import nn

from twostream import paths
from twostream.config.recipes import TrainingRecipe
from twostream.config.scale import Training
from twostream.devices import Processes, use_device
from twostream.files import UserError
from twostream.networks.model_file import load_model
from twostream.training import checkpoints
from twostream.training.checkpoints import Checkpoint


def train_in(
    count: int,
    folder: Path,
    content: TrainingRecipe,
    out: str,
    *more: str,
    program: Path = ROOT / "scripts/train_stream.py",
) -> subprocess.CompletedProcess[str]:
    launch = ["torchrun", "--standalone", "--nproc-per-node", str(count)] if count > 1 else ["python"]
    arguments = ["--recipe", content.model_dump_json(), "--out", out, "--curve", f"{out}.csv", *more]
    arguments += frames_options(*content.shards)
    command = [*launch, program, *arguments]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)


def with_local_response(content: TrainingRecipe) -> TrainingRecipe:
    network = content.network.model_copy(update={"normalisation": "local_response"})
    return content.model_copy(update={"network": network})


def test_the_number_of_processes_changes_a_network_by_rounding_only(coloured):
    content = with_local_response(recipe(MULTI, 12, dropout=0.5))
    weights, curves = [], []
    for count in (1, 2):
        out = f"{count}.safetensors"
        done = train_in(count, coloured, content, out)
        assert done.returncode == 0, done.stderr[-3000:]
        weights.append(load_model(coloured / out)[0].state_dict())
        curves.append(pd.read_csv(coloured / f"{out}.csv"))
        assert json.loads((coloured / paths.run_file(out)).read_text())["processes"] == count
    # Two processes see the loss of the whole batch, too.
    pd.testing.assert_frame_equal(*curves, atol=2e-4, rtol=0)
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=0, atol=1e-6)


def test_processes_stop_together_where_one_is_told_to(coloured):
    """The checkpoint is whole by then, and all go on from it."""
    content = with_local_response(recipe(MULTI, 12, dropout=0.5))
    program = coloured / "program.py"
    program.write_text(SIGNALLED.replace("== 6", "== 6 and os.environ.get('RANK') == '1'"))
    spec = ["--spec", spec_file(coloured, "a", "train_stream")]
    told = train_in(2, coloured, content, "two.safetensors", *spec, program=program)
    stopped = "told to stop (SIGTERM) after iteration 10 of 12; the next call goes on from there"
    assert told.returncode and told.stderr.count(f"error: {stopped}") == 2, told.stderr[-3000:]
    again = train_in(2, coloured, content, "two.safetensors", *spec)
    assert again.returncode == 0, again.stderr[-3000:]
    assert json.loads((coloured / paths.run_file("two.safetensors")).read_text())["resumed_at"] == [10]
    made = (coloured / "two.safetensors").stat().st_mtime_ns
    late = train_in(2, coloured, content, "two.safetensors", *spec)
    assert late.returncode == 0, late.stderr[-3000:]
    assert "two.safetensors: has been made meanwhile, by this very spec" in late.stderr
    assert (coloured / "two.safetensors").stat().st_mtime_ns == made


def test_processes_go_on_together_from_one_checkpoint(coloured, monkeypatch):
    content = with_local_response(recipe(MULTI, 12, dropout=0.5))
    whole = trained(content).network.state_dict()
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", 0.0)
    path = coloured / paths.checkpoint("two.safetensors")

    class Once(Checkpoint):
        def due(self) -> bool:
            return not path.exists()

    trained(content, checkpoint=Once(path, "a"))
    done = train_in(
        2, coloured, content, "two.safetensors", "--spec", spec_file(coloured, "a", "train_stream")
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((coloured / paths.run_file("two.safetensors")).read_text())["resumed_at"] == [1]
    for name, value in load_model(coloured / "two.safetensors")[0].state_dict().items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=1e-6)


def test_batch_normalisation_over_processes_needs_gpus(coloured):
    done = train_in(2, coloured, recipe(MULTI, 2), "two.safetensors")
    assert done.returncode != 0
    assert "a network with batch normalisation can be trained in several processes on GPUs" in done.stderr
    assert not list(coloured.glob("two*"))


def test_a_batch_that_cannot_be_shared_out_is_refused(coloured):
    content = recipe(MULTI, 2)
    odd = Training(**tiny_scale()["training"] | {"batch": 6})
    done = train_in(2, coloured, with_local_response(content).model_copy(update={"training": odd}), "two")
    assert "a batch of 6 (training.batch) cannot be shared out equally over 2 task(s) and 2 process" in (
        done.stderr
    )


def test_one_process_shares_nothing():
    layer = nn.Linear(2, 2)
    assert Processes(1, 0, 0).share(layer, torch.device("cpu")) is layer


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(UserError, match="no GPU is usable here"):
        use_device("cuda")

"""Files that scripts are given: whose they are, what is refused, and that the plan names them."""

import argparse
import json
import subprocess

import pytest
from conftest import ENVIRONMENT, ROOT
from test_fuse_streams import make_scores
from test_train_stream import MULTI, SINGLE, recipe, trained

from twostream import paths
from twostream.config.benchmark import Input
from twostream.config.loading import load_config
from twostream.extraction import dataset_files
from twostream.extraction.dataset_files import DatasetFiles, given_files
from twostream.files import UserError
from twostream.networks.model_file import save_model
from twostream.plan.plan import Plan
from twostream.scores.score_file import reader_of, write_scores
from twostream.training.reader import open_reader


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    dataset_files.add_options(parser)
    return parser.parse_args(arguments)


def test_files_are_shared_out_over_the_datasets_in_their_order():
    args = parsed(
        "--index", "b.csv", "a.csv", "--backward-flow", "b0", "b1", "a0", "--flow", "B0", "B1", "A0"
    )
    assert given_files(args, {"b": 2, "a": 1}) == {
        "b": DatasetFiles("b.csv", {"flow": ["B0", "B1"], "backward_flow": ["b0", "b1"]}),
        "a": DatasetFiles("a.csv", {"flow": ["A0"], "backward_flow": ["a0"]}),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--index", "b.csv"], "--index: names 1 files, and .* have 2; .*: 1 of b, 1 of a"),
        (
            ["--index", "b", "a", "--flow", "0", "1"],
            "--flow: names 2 files, and .* have 3; .*: 2 of b, 1 of a",
        ),
        (["--index", "b", "a", "--backward-flow", *"0123"], "--backward-flow: names 4 files"),
    ],
)
def test_a_wrong_number_of_files_is_refused_with_its_option(arguments, message):
    with pytest.raises(UserError, match=f"^{message}"):
        given_files(parsed(*arguments), {"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("given", "settings", "message"),
    [
        ([], {"kind": "frames", "length": 1}, "--frames: is missing; .* the dataset's frames"),
        (["frames"], {"kind": "stacking", "length": 2}, "--flow: is missing; .* the dataset's forward flow"),
        (["flow"], {"kind": "stacking", "length": 2, "bidirectional": True}, "--backward-flow: is missing"),
    ],
)
def test_what_an_input_reads_must_be_given(coloured, given, settings, message):
    shards = {name: ["data/frames/one/0.zip"] for name in given}
    with pytest.raises(UserError, match=f"^{message}"):
        open_reader(Input(**settings), DatasetFiles("data/videos/one.csv", shards))


def called(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["python", str(ROOT / f"scripts/{script}.py"), *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


def test_scripts_read_the_files_that_they_are_given_wherever_they_lie(coloured):
    frames, index = "elsewhere/frames.zip", "elsewhere/videos.csv"
    model = trained(recipe(SINGLE, 2))
    (coloured / "elsewhere").mkdir()
    (coloured / "data/frames/one/0.zip").rename(frames)
    (coloured / "data/videos/one.csv").rename(index)
    save_model(model.network, model.description, "one.safetensors")
    data = ["--index", index, "--frames", frames]
    out = ["--out", "again.safetensors", "--curve", "again.csv"]
    done = called("train_stream", "--recipe", recipe(SINGLE, 2).model_dump_json(), *data, *out)
    assert done.returncode == 0, done.stderr
    assert (coloured / "again.safetensors").read_bytes() == (coloured / "one.safetensors").read_bytes()
    scoring = json.dumps({"dataset": "one", "shards": 1, "split": 1, "testing": {"frames": 2, "views": 2}})
    done = called(
        "score_videos", "--recipe", scoring, "--model", "one.safetensors", *data, "--out", "one.npz"
    )
    assert done.returncode == 0, done.stderr
    done = called("train_stream", "--recipe", recipe(MULTI, 2).model_dump_json(), *data, *out)
    assert done.stderr.startswith("error: --index: names 1 files, and the recipe's datasets have 2")


def test_help_names_the_data():
    said = called("train_stream", "--help").stdout
    assert all(f"--{name} " in said for name in ("index", "frames", "flow", "backward-flow", "initial"))
    assert "all shards with backward flow" in " ".join(said.split())


def test_scores_that_were_not_given_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write_scores(make_scores(number), f"{number}.npz")
    read = reader_of(["./0.npz"])
    assert read("0.npz") is read("0.npz")
    with pytest.raises(UserError, match=r"^--scores: 1\.npz is missing, which the recipe names"):
        read("1.npz")


def test_the_plan_names_the_inputs_of_a_step():
    plan = Plan(load_config(ROOT / "config"))
    trained_on_both = plan.networks.train_stream("flow-10-multitask", "demo_a", 1, 0)
    files = list(trained_on_both.recipe.shards)
    assert trained_on_both.files("index") == [f"data/videos/{name}.csv" for name in files]
    flow = [f for name, n in trained_on_both.recipe.shards.items() for f in _flow(name, n)]
    assert trained_on_both.files("flow") == flow
    assert trained_on_both.files("initial") == trained_on_both.files("frames") == []
    # What it is made from stays dataset by dataset.
    assert [step.script for step in trained_on_both.made_from][1::2] == ["extract_flow"] * 2
    finetuned = plan.networks.train_stream("spatial-last-d05", "demo_a", 1, 0)
    assert finetuned.files("initial") == plan.networks.pretrain("demo_stills").outputs
    scored = plan.scores.score_videos("bidirectional-10", "demo_a", 1, 0)
    assert list(scored.named) == ["model", "index", "flow", "backward_flow"]
    assert list(plan.step_of(paths.FIGURE_RECALL).named) == ["fused", "spatial", "temporal"]


def _flow(dataset: str, shards: int) -> list[str]:
    return [f"data/flow/{dataset}/forward/{shard}.zip" for shard in range(shards)]

"""What is tested on is not learnt from: neither its recordings, by way of another dataset, nor its bytes."""

import json
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
import train_stream
from conftest import ROOT, datasets_here, frames_options
from test_train_stream import SINGLE, recipe, source

from twostream import paths
from twostream.config.loading import load_config
from twostream.config.recipes import HeldOut
from twostream.extraction.dataset_files import DatasetFiles
from twostream.files import UserError
from twostream.plan.memo import NoSuchStepError
from twostream.plan.plan import Plan
from twostream.training.held_out import hold_out, rows_to_learn
from twostream.training.tasks import videos_of
from twostream.videos.index import read_index

# In the fixture `coloured` split 1 of `one` (classes a, b) tests on the groups 2 and 3 of each class, and
# `two` (b, c, d) has four groups of one clip: so it has two clips of recordings that `one` tests on.
APART = source("two", None) | {"apart_from": {"dataset": "one", "split": 1}}
TESTED = ["b/2.avi", "b/3.avi"]
WITHOUT_B = APART | {"without": ["b"]}
LEAK = r"two: c/1\.avi has the bytes of a/2\.avi, a test video of split 1 of one"

CASES = {
    "multi-task": ([*SINGLE, {"head": "two", "sources": [APART]}], 2, 4 + 12 - 2),
    "added classes": ([{"head": "one", "sources": [source("one"), APART]}], 2, 4 + 12 - 2),
    "added classes, not b": (
        [{"head": "one", "sources": [source("one"), WITHOUT_B]}],
        0,
        4 + 8,
    ),
    "to be fine-tuned": ([{"head": "two", "sources": [APART]}], 2, 12 - 2),
}


def files_of(tasks: list[dict]) -> dict[str, DatasetFiles]:
    """The files of the datasets that are trained on, and of the one that is tested on its index alone."""
    files = datasets_here(*recipe(tasks).shards)
    return {"one": DatasetFiles(paths.INDEX.format(dataset="one"), {})} | files


@pytest.mark.parametrize(("tasks", "left_out", "remain"), CASES.values(), ids=CASES)
def test_recordings_that_are_tested_on_are_left_out_and_counted(coloured, capsys, tasks, left_out, remain):
    content, files = recipe(tasks), files_of(tasks)
    assert hold_out(content, files) == {"left_out": {"two": left_out}}
    assert f"two: {left_out} clips left out, of recordings that split 1 of one" in capsys.readouterr().err
    videos = [video for task in content.tasks for video in videos_of(task, content, files)[1]]
    assert len(videos) == remain
    of_two = content.tasks[-1].sources[-1]
    learnt, _ = rows_to_learn(of_two, read_index(files["two"].index), files)
    assert not set(TESTED) & set(learnt["file"])


def test_a_training_apart_from_nothing_says_nothing(coloured, capsys):
    tasks = [*SINGLE, {"head": "two", "sources": [source("two", None)]}]
    assert hold_out(recipe(tasks), files_of(tasks)) == {}
    assert capsys.readouterr().err == ""


def with_checksums(copies: dict[str, dict[str, str]]) -> None:
    """Give each video a checksum of its own, but for those that are copies of another."""
    for dataset in ("one", "two"):
        file = paths.INDEX.format(dataset=dataset)
        index = pd.read_csv(file)
        own = [copies.get(dataset, {}).get(name, dataset + name) for name in index["file"]]
        index.assign(sha256=own).to_csv(file, index=False)


@pytest.mark.parametrize("split", [None, 1])
def test_a_copy_of_a_tested_video_in_another_dataset_is_refused(coloured, split):
    with_checksums({"two": {"c/1.avi": "onea/2.avi"}})
    multi = [*SINGLE, {"head": "two", "sources": [source("two", split)]}]
    for tasks in (multi, CASES["to be fine-tuned"][0]):
        with pytest.raises(UserError, match=LEAK):
            hold_out(recipe(tasks), files_of(tasks))


def test_a_copy_of_a_training_video_or_of_a_recording_that_is_left_out_is_none(coloured):
    with_checksums({"two": {"c/1.avi": "onea/1.avi", "b/2.avi": "oneb/2.avi"}})
    tasks = CASES["multi-task"][0]
    assert hold_out(recipe(tasks), files_of(tasks)) == {"left_out": {"two": 2}}


def test_copies_within_a_dataset_are_counted_as_its_split_is_given(coloured, capsys):
    with_checksums({"one": {"a/0.avi": "onea/2.avi"}})
    assert hold_out(recipe(SINGLE), files_of(SINGLE)) == {"copies_of_tested": 1}
    assert (
        "note: 1 training videos have the bytes of a test video of split 1 of one" in capsys.readouterr().err
    )


def test_the_script_is_given_the_index_that_is_tested_on(coloured, monkeypatch):
    content = recipe(CASES["to be fine-tuned"][0], 2).model_dump_json(exclude_defaults=True)
    options = ["--recipe", content, *frames_options("two"), "--out", "m.safetensors", "--curve", "m.csv"]
    monkeypatch.setattr(sys, "argv", ["train_stream.py", *options])
    with pytest.raises(UserError, match="--held-out: is missing; name the index of one"):
        train_stream.main()
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--held-out", "data/videos/one.csv"])
    train_stream.main()
    assert json.loads((coloured / "m.record.json").read_text())["left_out"] == {"two": 2}


# --- The plan ---


@pytest.fixture(scope="module")
def small() -> Plan:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        plan = Plan(load_config(ROOT / "config", {"scale": "small"}))
        plan.check()
        return plan


A, B = "ucf101_small_a", "ucf101_small_b"


def apart_from(plan: Plan, run: str, dataset: str) -> list[HeldOut | None]:
    recipe = plan.networks.train_stream(run, dataset, 2, 0).recipe
    return [source.apart_from for task in recipe.tasks for source in task.sources]


@pytest.mark.parametrize("run", ["flow-10-multitask", "flow-10-added-classes"])
def test_datasets_of_one_collection_are_kept_apart(small, run):
    assert apart_from(small, run, A) == [None, HeldOut(dataset=A, split=2)]
    assert apart_from(small, run, B) == [None, HeldOut(dataset=B, split=2)]


def test_what_is_fine_tuned_for_a_split_starts_from_a_network_of_its_own(small):
    step = small.networks.train_stream("flow-10-finetuned", B, 2, 0)
    (initial,) = step.named["initial"]
    file = f"models/temporal/flow-10/{A}-splitall-without-{B}-split2-seed0.safetensors"
    assert initial.outputs == [file] and small.step_of(file) is initial
    assert initial.files("held_out") == [f"data/videos/{B}.csv"]
    assert initial.recipe.held_out == HeldOut(dataset=B, split=2) and step.recipe.held_out is None
    assert list(paths.parse_path(file)) == [
        ("train_stream", {"folder": "temporal", "run": "flow-10", "dataset": A, "seed": "0"}
         | {"split": f"all-without-{B}-split2"})
    ]  # fmt: skip


@pytest.mark.parametrize("scale", ["demo", "paper"])
def test_others_share_one_network_for_all_splits(scale, monkeypatch):
    monkeypatch.chdir(ROOT)
    plan = Plan(load_config(ROOT / "config", {"scale": scale}))
    first, second = plan.scale.roles.primary, plan.scale.roles.secondary
    step = plan.networks.train_stream("flow-10-finetuned", second, 2, 0)
    assert step.files("initial") == [f"models/temporal/flow-10/{first}-splitall-seed0.safetensors"]
    assert apart_from(plan, "flow-10-multitask", second) == [None, None]


@pytest.mark.parametrize(
    ("run", "dataset", "split"),
    [
        ("flow-10", A, f"all-without-{B}-split4"),
        ("flow-10", A, "all-without-demo_stills-split1"),
        ("flow-10", A, "all-without-nobody-split1"),
        ("flow-10-multitask", A, f"all-without-{B}-split1"),
        ("flow-10-finetuned", A, f"all-without-{B}-split1"),
    ],
)
def test_a_network_apart_from_what_there_is_not_has_no_step(small, run, dataset, split):
    folder = "multitask" if run == "flow-10-multitask" else "temporal"
    names = {"folder": folder, "run": run, "dataset": dataset, "split": split, "seed": "0"}
    with pytest.raises(NoSuchStepError):
        small.step("train_stream", SimpleNamespace(**names))
    assert small.step_of(paths.MODEL.format(**names)) is None


def test_a_score_file_of_a_whole_dataset_has_no_step(small):
    names = {"folder": "temporal", "run": "flow-10", "dataset": A, "seed": "0"}
    for split in ("all", f"all-without-{B}-split1"):
        assert small.step_of(paths.SCORES.format(**names, split=split)) is None

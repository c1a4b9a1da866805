"""dvc.yaml and the Snakemake DAG agree: code, data, parameters and outputs of each stage."""

import random
from collections.abc import Callable, Iterator
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from pydantic import ValidationError

from twostream import paths
from twostream.benchmark import Benchmark
from twostream.config import Config
from twostream.files import UserError
from twostream.loading import load, parse
from twostream.plan import Plan
from twostream.scale import Scale
from twostream.specs import code_files
from twostream.stages import FOLDERS, PLANNING, stage_of, steps_by_stage, targeted
from twostream.steps import Step

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
FILES = {
    "config/config.yaml": ROOT / "config/config.yaml",
    "config/benchmark.yaml": ROOT / "config/benchmark.yaml",
    "config/scale/${scale}.yaml": ROOT / "config/scale/demo.yaml",
}
# They say where and with what a job runs, not what comes out.
WITHOUT_EFFECT = {"device", "gpus", "workers"}
# They decide which artefacts there are, of any stage.
EVERYWHERE = {
    "config/config.yaml": {"scale"},
    "config/benchmark.yaml": {"runs", "fusions", "tables", "two_stream", "methods"},
    "config/scale/${scale}.yaml": {"roles", "datasets", "pretrained"},
}


def contents() -> dict[str, Any]:
    return {name: yaml.safe_load(file.read_text()) for name, file in FILES.items()}


def plan_of(content: dict[str, Any], folder: Path) -> Plan:
    (folder / "scale").mkdir(exist_ok=True)
    for name, value in content.items():
        file = folder / name.removeprefix("config/").replace("${scale}", "demo")
        file.write_text(yaml.safe_dump(value))
    return Plan(load(folder))


def plan_with(changes: Callable[[dict[str, Any]], None], folder: Path) -> Plan:
    content = contents()
    changes(content)
    return plan_of(content, folder)


def videos_in_a_folder(content: dict[str, Any]) -> None:
    dataset = content["config/scale/${scale}.yaml"]["datasets"]["demo_b"]
    dataset["source"] = {"kind": "folder", "folder": str(ROOT / "tests")}


def flow_from_frames(content: dict[str, Any]) -> None:
    content["config/benchmark.yaml"]["runs"]["flow-5"]["initialisation"] = "images"


def another_two_stream(content: dict[str, Any]) -> None:
    content["config/benchmark.yaml"]["two_stream"] = "flow-average"


def with_other_methods(content: dict[str, Any]) -> None:
    """One alone, and one as a stream of a fusion in a table."""
    benchmark = content["config/benchmark.yaml"]
    benchmark["methods"] = {
        name: {"title": name, "dataset": "demo_a", "splits": [1]} for name in ("alone", "fused")
    }
    benchmark["fusions"]["with-fused"] = {"spatial": "fused", "temporal": "flow-10", "method": "svm"}
    row = {"row": "Ours", "dataset": "primary", "splits": [1], "paper": None}
    benchmark["tables"]["table3"]["rows"] += [row | {"run": "with-fused"}, row | {"row": "2", "run": "alone"}]


@pytest.fixture(scope="module")
def plans(tmp_path_factory) -> list[Plan]:
    """Plans that use, together, everything that a stage may."""
    folder = tmp_path_factory.mktemp("config")
    changed = [plan_with(change, folder) for change in (videos_in_a_folder, flow_from_frames)]
    changed.append(plan_with(another_two_stream, folder))
    changed.append(plan_with(with_other_methods, folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("alone", "fused"):
            given = folder / paths.GIVEN.format(method=name, dataset="demo_a", split=1)
            given.parent.mkdir(parents=True)
            given.touch()
        changed[-1].check()  # Steps are made once, so the files are looked at here alone.
    return [*(Plan(load(ROOT / "config", {"scale": scale})) for scale in ("demo", "paper")), *changed]


def steps(plans: list[Plan], stage: str) -> list[Step]:
    return [step for plan in plans for step in steps_by_stage(plan)[stage]]


def deps(stage: str) -> set[str]:
    return set(DVC[stage]["deps"])


def test_each_stage_is_a_target_with_its_folders_as_outputs(plans):
    assert list(DVC) == list(FOLDERS)
    for stage, folders in FOLDERS.items():
        assert DVC[stage]["cmd"] == [
            f"snakemake --cores all -- {stage}",
            f"python scripts/finish_stage.py {stage}",
        ]
        outs = {name: options for out in DVC[stage]["outs"] for name, options in out.items()}
        assert list(outs) == folders
        assert all(options["persist"] for options in outs.values())
        for step in steps(plans, stage):
            assert all(any(Path(o).is_relative_to(f) for f in folders) for o in step.outputs)


def test_videos_that_must_not_be_passed_on_are_neither_kept_nor_pushed(plans):
    options = {name: value for out in DVC["videos"]["outs"] for name, value in out.items()}
    unshared = [folder for folder, option in options.items() if option.get("push") is False]
    paper = plans[1]
    assert all(Path(paper.folder(d)).parent == Path(*unshared) for d in ("ucf101", "hmdb51"))
    assert options[unshared[0]]["cache"] is False


@pytest.mark.parametrize("stage", FOLDERS)
def test_code_that_a_stage_runs_is_its_dependency_and_no_other(plans, stage):
    scripts = {step.script for step in steps(plans, stage)}
    files = {f"scripts/{file}" for script in scripts for file in code_files(script)}
    assert {dep for dep in deps(stage) if dep.startswith("scripts/")} == {*files, *PLANNING}


@pytest.mark.parametrize("stage", FOLDERS)
def test_folders_that_a_stage_reads_are_its_dependencies_and_no_others(plans, stage):
    folders = [folder for names in FOLDERS.values() for folder in names]
    read = {
        folder
        for step in steps(plans, stage)
        for upstream in step.made_from
        if stage_of(upstream) != stage
        for folder in folders
        if Path(upstream.outputs[0]).is_relative_to(folder)
    }
    if stage == "extraction":
        read.add("data/official")  # the videos, which lie beside their index
    if stage == "fusion":
        read.add("methods")  # what users put there
    assert {dep for dep in deps(stage) if not dep.startswith("scripts/")} == read


def unchecked_plan(content: dict[str, Any]) -> Plan:
    """A plan without the slow way through files."""
    user, benchmark, scale = content.values()
    return Plan(
        Config(
            **{key: value for key, value in user.items() if key != "scale"},
            scale_name="demo",
            scale=parse(Scale, scale, "scale"),
            benchmark=parse(Benchmark, benchmark, "benchmark"),
        )
    )


def mutated(value: Any) -> Iterator[Any]:
    """Values that differ from one in a single place."""
    if isinstance(value, dict | list):
        yield from mutated_inside(value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value / 2, value * 2)
    elif isinstance(value, str):
        yield from ("demo_a", "demo_b", "svm", "average", "skip", "scratch", "flow-10", "Other words")


def mutated_inside(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    for place in value if isinstance(value, dict) else range(len(value)):
        for other in mutated(value[place]):
            changed = copy(value)
            changed[place] = other
            yield changed
        shorter = copy(value)
        del shorter[place]
        yield shorter


def essence(plan: Plan) -> dict[str, set[tuple[Any, ...]]]:
    """What the steps of each stage are, apart from code and from what is upstream."""
    content = {
        stage: {(step.script, step.recipe_json, *step.inputs, *step.outputs) for step in found}
        for stage, found in steps_by_stage(plan).items()
    }
    content["videos"].add((plan.config.on_bad_video,))
    return content


def some(values: Iterator[Any]) -> list[Any]:
    """A thousand of them, or all if there are fewer."""
    found = list(values)
    return random.Random(5).sample(found, min(1000, len(found)))


def test_parameters_of_a_stage_are_the_keys_that_its_rules_use():
    content = contents()
    before = essence(unchecked_plan(content))
    used: dict[str, dict[str, set[str]]] = {stage: {name: set() for name in FILES} for stage in FOLDERS}
    for name, keys in content.items():
        for key in keys.keys() - WITHOUT_EFFECT - EVERYWHERE[name]:
            missing = set(FOLDERS)
            for other in some(mutated(keys[key])):
                try:
                    after = essence(unchecked_plan(content | {name: keys | {key: other}}))
                except (UserError, ValidationError, KeyError, RecursionError):
                    continue
                differing = {stage for stage in missing if before[stage] != after[stage]}
                for stage in differing:
                    used[stage][name].add(key)
                missing -= differing
    for stage in FOLDERS:
        listed: dict[str, list[str]] = {n: k for params in DVC[stage]["params"] for n, k in params.items()}
        for name in FILES:
            assert set(listed[name]) == used[stage][name] | EVERYWHERE[name], (stage, name)


def test_targets_are_told_apart(plans):
    plan = plans[0]
    assert [step.script for step in targeted(plan, [])] == [*["make_table"] * 5, "check_claims"]
    assert len(targeted(plan, ["figures"])) == 5
    assert {step.script for step in targeted(plan, ["extraction"])} == {"extract_frames", "extract_flow"}
    (step,) = targeted(plan, ["scores/temporal/flow-10/demo_a-split1-seed7.npz"])
    assert step.script == "score_videos"
    assert targeted(plan, ["README.md", "results/table9.csv"]) == []

"""dvc.yaml and the Snakemake DAG agree: code, data, parameters and outputs of each stage."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

from twostream import paths
from twostream.config.loading import load_config
from twostream.plan.dvc_stages import (
    FOLDERS,
    PLANNED,
    SCALE,
    dvc_stage_of,
    dvc_yaml,
    planned,
    steps_by_dvc_stage,
)
from twostream.plan.plan import Plan
from twostream.provenance.steps import Step

DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
FILES = {
    "config/config.yaml": ROOT / "config/config.yaml",
    "config/benchmark.yaml": ROOT / "config/benchmark.yaml",
    SCALE: ROOT / "config/scale/demo.yaml",
}


def contents() -> dict[str, Any]:
    return {name: yaml.safe_load(file.read_text()) for name, file in FILES.items()}


def plan_of(content: dict[str, Any], folder: Path) -> Plan:
    (folder / "scale").mkdir(exist_ok=True)
    for name, value in content.items():
        file = folder / name.removeprefix("config/").replace("${scale}", "demo")
        file.write_text(yaml.safe_dump(value))
    return Plan(load_config(folder))


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


def with_a_third_stream(content: dict[str, Any]) -> None:
    benchmark = content["config/benchmark.yaml"]
    benchmark["tables"]["streams"] = benchmark.pop("more_tables")["streams"]


@pytest.fixture(scope="module")
def plans(tmp_path_factory) -> list[Plan]:
    """Plans that use, together, everything that a stage may."""
    folder = tmp_path_factory.mktemp("config")
    changed = [plan_with(change, folder) for change in (videos_in_a_folder, flow_from_frames)]
    changed += [plan_with(change, folder) for change in (another_two_stream, with_a_third_stream)]
    changed.append(plan_with(with_other_methods, folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("alone", "fused"):
            given = folder / paths.GIVEN.format(method=name, dataset="demo_a", split=1)
            given.parent.mkdir(parents=True)
            given.touch()
        changed[-1].check()  # Steps are made once, so the files are looked at here alone.
    return [*(Plan(load_config(ROOT / "config", {"scale": scale})) for scale in ("demo", "paper")), *changed]


def steps(plans: list[Plan], dvc_stage: str) -> list[Step]:
    return [step for plan in plans for step in steps_by_dvc_stage(plan)[dvc_stage]]


def test_dvc_yaml_is_as_it_is_written():
    assert (ROOT / "dvc.yaml").read_text() == dvc_yaml(load_config(ROOT / "config").benchmark)


def test_each_stage_is_a_target_with_its_folders_as_outputs(plans):
    assert list(DVC) == ["plan", *FOLDERS]
    for dvc_stage, folders in FOLDERS.items():
        assert DVC[dvc_stage]["cmd"] == [
            f"snakemake --cores all -- {dvc_stage}",
            f"python scripts/finish_stage.py {dvc_stage}",
        ]
        outs = {name: options for out in DVC[dvc_stage]["outs"] for name, options in out.items()}
        assert list(outs) == folders
        assert all(options["persist"] for options in outs.values())
        for step in steps(plans, dvc_stage):
            assert all(any(Path(o).is_relative_to(f) for f in folders) for o in step.outputs)


def test_videos_that_must_not_be_passed_on_are_neither_kept_nor_pushed(plans):
    options = {name: value for out in DVC["videos"]["outs"] for name, value in out.items()}
    unshared = [folder for folder, option in options.items() if option.get("push") is False]
    paper = plans[1]
    assert all(Path(paper.videos.dataset(d).folder).parent == Path(*unshared) for d in ("ucf101", "hmdb51"))
    assert options[unshared[0]]["cache"] is False


@pytest.mark.parametrize("dvc_stage", FOLDERS)
def test_folders_that_a_stage_reads_are_its_dependencies_and_no_others(plans, dvc_stage):
    folders = [folder for names in FOLDERS.values() for folder in names]
    read = {
        folder
        for step in steps(plans, dvc_stage)
        for upstream in step.made_from
        if dvc_stage_of(upstream) != dvc_stage
        for folder in folders
        if Path(upstream.outputs[0]).is_relative_to(folder)
    }
    if dvc_stage == "extraction":
        read.add("data/official")  # the videos, which lie beside their index
    assert set(DVC[dvc_stage]["deps"]) == {PLANNED.format(stage=dvc_stage), *read}


def changed_stages(folder: Path, change: Callable[[dict[str, Any]], None]) -> set[str]:
    before, after = planned(plan_with(lambda content: None, folder)), planned(plan_with(change, folder))
    return {dvc_stage for dvc_stage in FOLDERS if before[dvc_stage] != after[dvc_stage]}


def edit(file: str, *keys: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        place = content[file]
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


BENCHMARK, SETTINGS_FILE = "config/benchmark.yaml", "config/config.yaml"


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        (edit(BENCHMARK, "runs", "flow-5", "dropout", value=0.8), {"temporal"}),
        (edit(BENCHMARK, "runs", "spatial-last-d05", "dropout", value=0.8), {"spatial"}),
        (edit(BENCHMARK, "runs", "bidirectional-10", "input", "bidirectional", value=False), {"temporal"}),
        (edit(BENCHMARK, "interval", "resamples", value=10), {"tables", "figures"}),
        (edit(BENCHMARK, "verdicts", "permutations", value=100), {"tables"}),
        (edit(SCALE, "svm", "folds", value=3), {"fusion"}),
        (edit(SCALE, "flow", "quality", value=80), {"extraction"}),
        (edit(SCALE, "frames", "quality", value=80), {"extraction"}),
        (edit(SETTINGS_FILE, "workers", value=3), set()),
    ],
)
def test_an_edit_is_an_edit_of_the_stages_that_read_it_and_of_no_others(tmp_path, change, stages):
    # Backward flow, for one, is extracted no more when no run reads it.
    found = changed_stages(tmp_path, change)
    assert found - {"extraction"} == stages - {"extraction"} and found >= stages


def test_what_is_no_parameter_changes_nothing(tmp_path):
    """All other keys of config.yaml say where and with what a job runs."""
    parameters = {name: keys for params in DVC["plan"]["params"] for name, keys in params.items()}
    assert parameters[BENCHMARK] is None and parameters[SCALE] is None
    others = {"device": "cuda", "arithmetic": "native", "gpus": 4, "workers": 2, "stage": True}
    assert set(contents()[SETTINGS_FILE]) == {*parameters[SETTINGS_FILE], *others}

    def change(content: dict[str, Any]) -> None:
        content[SETTINGS_FILE] |= others

    assert changed_stages(tmp_path, change) == set()

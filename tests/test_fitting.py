"""A scale of one dataset, or of few splits, does what it can of the benchmark, and says what is left out."""

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, call, copy_project, planned, run, snakemake, tiny_scale
from test_config import edit

from twostream.config.loading import load_config
from twostream.config.settings import Config
from twostream.files import UserError
from twostream.plan.memo import NoSuchStepError
from twostream.plan.plan import Plan


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """The configuration, in the working folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "workflow/report", tmp_path / "workflow/report")
    return tmp_path / "config"


def with_one(folder: Path, splits: int = 1, **roles: str) -> Config:
    """The demo with one dataset of so many splits, which names no other; or with other roles."""
    scale = folder / "scale/demo.yaml"
    edit(scale, "roles", {"primary": "demo_a"} | roles)
    edit(scale, "datasets.demo_a.splits", splits)
    if not roles:
        edit(scale, "datasets.demo_a.auxiliary", None)
    return load_config(folder)


def rows(config: Config, table: str) -> list[str | None]:
    return [row.run for row in config.benchmark.tables[table].rows]


def test_a_scale_that_has_all_leaves_nothing_out():
    config = load_config(ROOT / "config")
    assert config.left_out == {} and len(config.benchmark.tables) == 5 and len(config.benchmark.claims) >= 16


def test_one_dataset_with_one_split(folder):
    config = with_one(folder)
    whole = load_config(ROOT / "config")
    assert list(config.benchmark.tables) == ["table1a", "table1b", "table3"]
    assert rows(config, "table1a") == rows(whole, "table1a")
    assert set(rows(whole, "table1b")) - set(rows(config, "table1b")) == {"flow-10-multitask"}
    assert rows(config, "table3") == ["bidirectional-average", "flow-average"]
    numbers = [claim.number for claim in config.benchmark.claims]
    assert set(range(1, 18)) - {12, 13, 15, 17} <= {*numbers, 17} and not {12, 13, 15} & set(numbers)
    assert config.benchmark.two_stream == "flow-average"
    plan = Plan(config)
    plan.check()
    inputs = [file for step in plan.results() for file in step.inputs]
    assert inputs and all("demo_a-split1" in file for file in inputs)


def test_what_is_left_out_is_told_with_the_reason(folder):
    told = with_one(folder).told_left_out
    assert "table2: is left out: `roles` has no secondary dataset" in told
    assert "table4: is left out: `roles` has no secondary dataset; demo_a has no split 3" in told
    (of_table1b,) = (line for line in told if line.startswith("table1b: "))
    assert of_table1b.startswith("table1b: left out, as flow-10-multitask learns from a second dataset: ")
    assert any(line.startswith("claim 12 (") and ": is not judged: `roles`" in line for line in told)
    assert any(line.startswith("claim 10 (") and ": is judged by 1 of its 3" in line for line in told)
    assert (
        "two_stream: is flow-average, not multitask-svm: multitask-svm learns from a second dataset" in told
    )


def test_a_second_dataset_that_has_no_role_may_still_be_learnt_from(folder):
    edit(folder / "scale/demo.yaml", "roles", {"primary": "demo_a"})
    config = load_config(folder)
    assert "flow-10-multitask" in rows(config, "table1b")
    assert config.benchmark.two_stream == "multitask-svm" and "two_stream" not in config.left_out
    assert {row.dataset for row in config.benchmark.tables["table4"].rows} == {"primary"}


def test_with_two_datasets_of_one_split_only_rows_over_more_go(folder):
    config = with_one(folder, secondary="demo_b")
    edit(folder / "scale/demo.yaml", "datasets.demo_b.splits", 1)
    config = load_config(folder)
    assert list(config.left_out) == ["table4", "streams", "claims"]
    assert rows(config, "table2") == rows(load_config(ROOT / "config"), "table2")


def test_a_row_is_never_over_fewer_splits_than_it_says(folder):
    config = with_one(folder, splits=2, secondary="demo_b")
    kept = {tuple(row.splits) for t in config.benchmark.tables.values() for row in t.rows if row.run}
    assert kept == {(1,), (1, 2, 3)}
    over_three = [r for t in config.benchmark.tables.values() for r in t.rows if r.run and len(r.splits) == 3]
    assert {row.dataset for row in over_three} == {"secondary"}


def test_a_secondary_dataset_without_an_auxiliary_is_a_mistake_still(folder):
    edit(folder / "scale/demo.yaml", "datasets.demo_b.auxiliary", None)
    with pytest.raises(NoSuchStepError, match=r"set datasets\.demo_b\.auxiliary"):
        Plan(load_config(folder)).check()


def test_a_scale_that_no_table_is_left_of_is_refused(folder):
    benchmark = folder / "benchmark.yaml"
    content = yaml.safe_load(benchmark.read_text())
    content["tables"] = {"table2": content["tables"]["table2"]}
    content["claims"] = [claim for claim in content["claims"] if claim["number"] == 12]
    benchmark.write_text(yaml.safe_dump(content, sort_keys=False))
    with pytest.raises(
        UserError, match=r"demo\.yaml: no table can be made .*\n  table2: is left out: `roles`"
    ):
        with_one(folder)


def test_pages_tell_what_is_left_out_of_them(folder):
    plan = Plan(with_one(folder))
    note = plan.step_of("report/table1b.html").recipe.note
    assert note.count("Left out at this scale:") == 1 and "flow-10-multitask" in note
    claims = plan.step_of("report/claims.html").recipe.note
    assert "table2: is left out" in claims and "claim 12" in claims and "table1b" not in claims
    assert plan.step_of("report/table2.html") is None and plan.step_of("results/table2.csv") is None
    whole = Plan(load_config(ROOT / "config")).step_of("report/table1b.html").recipe.note
    assert whole == (ROOT / "workflow/report/table.txt").read_text()


def test_a_small_project_of_one_dataset_and_one_split_runs(tmp_path):
    project = copy_project(tmp_path / "project")
    scale = tiny_scale()
    scale["roles"] = {"primary": "demo_a"}
    scale["datasets"].pop("demo_b")
    scale["datasets"]["demo_a"] |= {"splits": 1, "auxiliary": None}
    (project / "config/scale/demo.yaml").write_text(yaml.safe_dump(scale, sort_keys=False))
    said = snakemake(project, "-n").stdout
    assert "table2: is left out: `roles` has no secondary dataset" in said
    assert planned(project, "--", "figures")["train_stream"] == 3  # all rows' of the fallen-back model too
    run(project)
    table = (project / "results/table3.csv").read_text()
    assert "bidirectional-average" in table and "multitask-svm" not in table
    assert not (project / "results/claims.csv").exists()
    shown = call(project, "python", "scripts/print_tables.py").stdout
    assert "Left out at this scale:\ntable2: is left out" in shown and "claim 1 (" in shown
    assert planned(project) == {}

"""Runs on the flow of another algorithm than the scale's, and the table that compares them."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from conftest import ROOT, planned, run
from test_config import edit, refusal

from twostream import paths
from twostream.classify import classify
from twostream.config.loading import load_config
from twostream.extraction.flow import write_flow
from twostream.extraction.store import Store
from twostream.networks.model_file import Description, load_model
from twostream.plan.memo import NoSuchStepError
from twostream.plan.plan import Plan
from twostream.provenance.steps import Step, with_upstream

TABLE = "results/flow_algorithms.csv"
RUNS = ["flow-10", "flow-10-tvl1", "flow-10-farneback", "flow-10-dis", "flow-10-raft"]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def read_by(plan: Plan, run: str, dataset: str = "demo_a") -> dict[str, list[str]]:
    files = plan.networks.train_stream(run, dataset, 1, 0).files_by_name
    return {name: files[name] for name in ("flow", "backward_flow") if name in files}


def test_a_run_reads_the_flow_of_its_algorithm_in_both_directions(config):
    edit(config / "benchmark.yaml", "runs.bidirectional-10.flow", "dis")
    edit(config / "benchmark.yaml", "runs.flow-10-multitask.flow", "dis")
    plan = Plan(load_config(config))
    assert read_by(plan, "bidirectional-10") == {
        "flow": paths.flow_shards("demo_a", "forward", 4, "dis"),
        "backward_flow": paths.flow_shards("demo_a", "backward", 4, "dis"),
    }
    of_both = [name for d in ("demo_a", "demo_b") for name in paths.flow_shards(d, "forward", 4, "dis")]
    assert sorted(read_by(plan, "flow-10-multitask")["flow"]) == sorted(of_both)
    assert read_by(plan, "flow-10") == {"flow": paths.flow_shards("demo_a", "forward", 4)}
    step = plan.step_of("data/flow/demo_a/backward-dis/1.zip")
    assert (step.recipe.flow.method, step.recipe.direction) == ("dis", "backward")
    assert step.modules == ("twostream.flow.algorithms.dis",)


def test_the_scales_own_algorithm_has_its_own_flow(config):
    edit(config / "benchmark.yaml", "runs.flow-5.flow", "brox")
    plan = Plan(load_config(config))
    assert read_by(plan, "flow-5") == {"flow": paths.flow_shards("demo_a", "forward", 4)}
    assert plan.step_of("data/flow/demo_a/forward-brox/0.zip") is None
    with pytest.raises(NoSuchStepError, match=r"brox is the scale's own .*: data/flow/demo_a/forward/0\.zip"):
        plan.extraction.extract_other_flow("demo_a", "forward", "brox")
    for unknown in ("forward-nothing", "sideways", "sideways-dis"):
        assert plan.step_of(f"data/flow/demo_a/{unknown}/0.zip") is None


def test_all_else_of_flow_is_as_the_scale_says(config):
    edit(config / "scale/demo.yaml", "flow.short_side", 32)
    edit(config / "scale/demo.yaml", "flow.brox.inner_iterations", 3)
    plan = Plan(load_config(config))
    own = plan.extraction.extract_flow("demo_a", "forward").recipe.flow
    other = plan.extraction.extract_other_flow("demo_a", "forward", "tvl1").recipe.flow
    assert own.brox.inner_iterations == 3
    assert other.model_dump(exclude={"brox"}) == own.model_dump(exclude={"brox"}) | {"method": "tvl1"}
    assert other.brox.inner_iterations == 5, "nothing reads it"


def digests(steps: list[Step]) -> dict[str, str]:
    return {step.outputs[0]: step.spec for step in with_upstream(steps)}


def test_nothing_that_is_made_for_all_knows_of_it(config):
    plan = Plan(load_config(config))
    found = digests([*plan.results(), *plan.figures()])
    assert TABLE not in found and not any(run in file for run in RUNS[1:] for file in found)
    without = yaml.safe_load((config / "benchmark.yaml").read_text())
    for name in RUNS[1:]:
        del without["runs"][name]
    del without["more_tables"]
    (config / "benchmark.yaml").write_text(yaml.safe_dump(without))
    plan = Plan(load_config(config))
    assert digests([*plan.results(), *plan.figures()]) == found
    assert plan.step_of(TABLE) is None


def test_a_run_without_a_flow_of_its_own_is_described_as_ever(config):
    runs = load_config(config).benchmark.runs
    assert "flow" not in runs["flow-10"].model_dump()
    assert runs["flow-10-dis"].model_dump()["flow"] == "dis"


def test_a_video_is_classified_by_flow_of_the_kind_that_its_network_learnt_from(config, clip, tmp_path):
    settings = load_config(config)
    run, network = settings.benchmark.runs["flow-10-dis"], settings.scale.networks["temporal"]
    description = Description(run=run, network=network, crop=56, short_side=64, heads={})
    classify._stored(clip, description, settings.scale, "cpu", tmp_path, {})
    flow = settings.scale.flow.model_copy(update={"method": "dis"})
    write_flow(clip.parent, [clip.name], flow, "forward", tmp_path / "expected.zip", "cpu")
    assert (tmp_path / "flow.zip").read_bytes() == (tmp_path / "expected.zip").read_bytes()


def test_what_makes_no_sense_is_refused(config):
    edit(config / "benchmark.yaml", "runs.slow-fusion.flow", "dis")
    assert "runs.slow-fusion: flow is for runs that see flow, not frames" in refusal(config)
    edit(config / "benchmark.yaml", "runs.slow-fusion.flow", "raft_tiny")
    assert "runs.slow-fusion.flow: Input should be 'brox'" in refusal(config)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("table2", "more_tables: table2 is the name of a table"),
        ("claims", "claims is the name of another file"),
    ],
)
def test_a_table_has_a_name_of_its_own(config, name, said):
    table = yaml.safe_load((config / "benchmark.yaml").read_text())["more_tables"]["flow_algorithms"]
    edit(config / "benchmark.yaml", "more_tables", {name: table})
    assert said in refusal(config)


def test_the_rows_of_more_tables_are_checked_and_fitted_too(config):
    edit(config / "benchmark.yaml", "more_tables.flow_algorithms.rows.0.run", "none-such")
    assert "tables.flow_algorithms.rows.0" in refusal(config) and "'none-such'" in refusal(config)
    edit(config / "benchmark.yaml", "more_tables.flow_algorithms.rows.0.run", "flow-10")
    edit(config / "benchmark.yaml", "more_tables.flow_algorithms.rows.0.splits", [3])
    edit(config / "scale/demo.yaml", "datasets.demo_a.splits", 1)
    edit(config / "scale/demo.yaml", "roles", {"primary": "demo_a"})
    fitted = load_config(config)
    assert [row.run for row in fitted.benchmark.more_tables["flow_algorithms"].rows] == RUNS[1:]
    assert "demo_a has no split 3" in fitted.left_out["flow_algorithms"][0]


def test_a_project_has_the_table_made_and_nothing_is_stale(built, tmp_path):
    folder = shutil.copytree(built, tmp_path / "project", symlinks=True)
    # RAFT needs weights, and TV-L1 half a minute.
    for row in (1, 4):
        edit(folder / "config/benchmark.yaml", f"more_tables.flow_algorithms.rows.{row}.run", "flow-10-dis")
    run(folder, "--", TABLE)
    table = pd.read_csv(folder / TABLE)
    assert table["run"].unique().tolist() == ["flow-10", "flow-10-dis", "flow-10-farneback"]
    assert len(table) == len(RUNS) and table["ours"].between(0, 100).all()
    assert planned(folder, "all", "figures") == planned(folder, TABLE) == {}
    stores = {name: [f"{folder}/data/flow/demo_a/forward{name}/0.zip"] for name in ("", "-dis", "-farneback")}
    video = pd.read_csv(folder / "data/videos/demo_a.csv")["file"][0]
    fields = {name: Store(shards).read(video, [0]).displacement() for name, shards in stores.items()}
    assert (fields[""] != fields["-dis"]).any() and (fields["-dis"] != fields["-farneback"]).any()
    _, description = load_model(folder / "models/temporal/flow-10-dis/demo_a-split1-seed0.safetensors")
    assert description.run.flow == "dis"
    shard = "data/flow/demo_a/forward-dis/0.zip"
    (folder / shard).unlink()
    assert planned(folder, shard) == {"extract_other_flow": 1}

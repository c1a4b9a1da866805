"""DVC beside Snakemake: what is pulled is current, what is edited is redone, and nothing else is."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from conftest import ENVIRONMENT, call, cloned, commit, jobs_in, planned, run, said, snakemake

from twostream.stages import FOLDERS

TABLES = ("results/table2.csv", "results/table3.csv")
RUN = "bidirectional-10"
# What is made again when that run is edited.
ITS_JOBS = {"train_stream": 1, "score_videos": 1, "fuse_streams": 1, "make_table": 1}
DROPOUT = f"config/benchmark.yaml:runs.{RUN}.dropout"
MODEL = f"models/temporal/{RUN}/demo_a-split1-seed0.safetensors"


@pytest.fixture
def clone(origin, tmp_path) -> Path:
    """A colleague's clone with everything pulled."""
    folder = cloned(origin, tmp_path / "clone")
    said(folder, "dvc", "pull")
    return folder


def set_dropout(folder: Path, value: float, of: str = RUN) -> None:
    file = folder / "config/benchmark.yaml"
    content = yaml.safe_load(file.read_text())
    content["runs"][of]["dropout"] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def replace(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def tables(folder: Path) -> list[bytes]:
    return [(folder / table).read_bytes() for table in TABLES]


def is_clean(folder: Path) -> bool:
    return "Data and pipelines are up to date" in said(folder, "dvc", "status")


def all_is_done(folder: Path) -> bool:
    return planned(folder) == {} and is_clean(folder) and not jobs_in(said(folder, "dvc", "repro"))


def test_dvc_makes_the_same_tables_as_snakemake(project, origin):
    assert tables(origin) == tables(project)


def test_after_a_pull_there_is_nothing_to_do(clone):
    assert planned(clone) == {}
    for stage in FOLDERS:
        assert planned(clone, stage) == {}
    assert all_is_done(clone)


def was_made_with(folder: Path, dropout: float) -> bool:
    """Whether the lock and the record of the run's model agree on its dropout."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]["temporal"]
    record = json.loads((folder / MODEL).with_suffix(".record.json").read_text())
    in_lock = lock["params"]["config/benchmark.yaml"]["runs"][RUN]["dropout"]
    return in_lock == record["recipe"]["run"]["dropout"] == dropout


def test_an_edit_redoes_its_run_and_a_branch_switched_back_to_has_nothing_to_do(clone):
    before = tables(clone)
    said(clone, "git", "switch", "-qc", "other")
    set_dropout(clone, 0.8)
    assert not is_clean(clone)
    assert jobs_in(said(clone, "dvc", "repro")) == ITS_JOBS
    assert all_is_done(clone) and was_made_with(clone, 0.8)
    assert tables(clone)[0] == before[0]
    commit(clone, "other dropout")
    for branch, dropout in (("main", 0.9), ("other", 0.8), ("main", 0.9)):
        said(clone, "git", "switch", "-q", branch)
        said(clone, "dvc", "checkout")
        assert planned(clone) == {} and is_clean(clone) and was_made_with(clone, dropout)
    assert tables(clone) == before
    set_dropout(clone, 0.8)
    assert planned(clone) == ITS_JOBS
    assert not is_clean(clone)


@pytest.mark.parametrize(
    ("tool", "end"),
    [(("dvc", "repro"), "sys.exit(3)"), (("snakemake", "--cores", "2"), "os.kill(os.getpid(), 9)")],
)
def test_a_training_that_fails_leaves_no_table_that_is_called_current(clone, tool, end):
    # In a module that no spec covers, so that the run's edit alone makes it stale.
    working = (clone / "scripts/twostream/cli.py").read_text()
    replace(
        clone,
        "scripts/twostream/cli.py",
        "\n        yield content",
        f"\n        if '{RUN}/' in args.out and 'train' in sys.argv[0]: {end}\n        yield content",
    )
    set_dropout(clone, 0.8)
    assert call(clone, *tool).returncode != 0
    assert not is_clean(clone)
    assert planned(clone) == ITS_JOBS
    (clone / "scripts/twostream/cli.py").write_text(working)
    assert jobs_in(said(clone, "dvc", "repro")) == ITS_JOBS
    assert all_is_done(clone)


def test_touched_files_and_edited_words_run_nothing(clone):
    for top in ("scripts", "config", "data", "models", "scores", "results"):
        for file in (clone / top).rglob("*"):
            file.touch()
    replace(clone, "scripts/twostream/training.py", "from collections", "# Why.\nfrom collections")
    replace(clone, "scripts/extract_flow.py", '"""', '"""Other words. ')
    assert planned(clone) == {}
    assert not jobs_in(said(clone, "dvc", "repro"))
    assert all_is_done(clone)


def test_a_changed_module_runs_the_stages_that_use_it_and_no_others(clone):
    replace(clone, "scripts/twostream/svm.py", "from ", "extra = 1\nfrom ")
    jobs = {"fuse_streams": 2, "make_table": 1}
    assert planned(clone) == jobs
    text = said(clone, "dvc", "repro")
    assert jobs_in(text) == jobs
    ran = {stage for stage in FOLDERS if f"Running stage '{stage}'" in text}
    assert ran == {"fusion", "tables"}
    assert all_is_done(clone)


def accept(folder: Path, *arguments: str) -> str:
    return said(folder, "python", "scripts/accept_results.py", "--reason", "a log line", *arguments)


def test_results_can_be_accepted_under_changed_code_on_record(clone):
    before = tables(clone)
    replace(
        clone, "scripts/twostream/training.py", "    bar.close()", "    bar.close()\n    print('trained')"
    )
    stale = planned(clone)
    assert stale["train_stream"] > 3
    assert "not accepted" not in accept(clone)
    assert planned(clone) == {}
    assert not jobs_in(said(clone, "dvc", "repro"))
    assert all_is_done(clone) and tables(clone) == before
    record = json.loads((clone / MODEL).with_suffix(".record.json").read_text())
    assert [accepted["reason"] for accepted in record["accepted"]] == ["a log line"]
    assert record["accepted"][0]["spec"] != record["spec"]


def test_nothing_is_accepted_that_another_recipe_or_other_inputs_made(clone):
    replace(
        clone, "scripts/twostream/training.py", "    bar.close()", "    bar.close()\n    print('trained')"
    )
    set_dropout(clone, 0.8)
    text = accept(clone)
    assert f"{MODEL}: not accepted: its recipe has changed" in text
    assert f"scores/temporal/{RUN}/demo_a-split1-seed0.npz: not accepted: {MODEL}, which it was made" in text
    assert planned(clone) == ITS_JOBS


def test_a_clone_without_pull_is_planned_from_scratch(origin, tmp_path):
    folder = cloned(origin, tmp_path / "clone")
    assert planned(folder) == planned(origin, "--forceall")


@pytest.mark.parametrize("pulled", [["extraction"], ["videos", "fusion", "spatial", "temporal"]])
def test_a_partial_pull_is_refused_with_what_to_do(origin, tmp_path, pulled):
    folder = cloned(origin, tmp_path / "clone")
    said(folder, "dvc", "pull", *pulled)
    set_dropout(folder, 0.8)
    for tool in (("snakemake", "-n"), ("snakemake", "-n", TABLES[1]), ("dvc", "repro")):
        done = call(folder, *tool)
        assert done.returncode != 0
        assert "is missing, though" in done.stdout and "get it with `dvc pull`" in done.stdout
        assert "Traceback" not in done.stdout
    said(folder, "dvc", "pull", "--allow-missing")
    assert planned(folder) == ITS_JOBS


def test_scores_alone_are_enough_to_fuse_and_tabulate(origin, tmp_path):
    folder = cloned(origin, tmp_path / "clone")
    said(folder, "dvc", "pull", "scores/spatial", "scores/temporal", "scores/multitask")
    replace(folder, "config/benchmark.yaml", "resamples: 2000", "resamples: 1000")
    shutil.copytree(origin / "scores/fused", folder / "scores/fused")
    assert planned(folder) == {"make_table": 2}


def test_an_experiment_in_a_temporary_workspace_runs_what_it_touches_and_leaves_ours_alone(clone):
    def state() -> dict[Path, bytes]:
        files = [
            f for top in ("data", "models", "scores", "results", "config") for f in (clone / top).rglob("*")
        ]
        return {f: f.read_bytes() for f in files if f.is_file()}

    before, head = state(), said(clone, "git", "rev-parse", "HEAD")
    text = said(clone, "dvc", "exp", "run", "--temp", "--name", "other", "-S", f"{DROPOUT}=0.8")
    assert jobs_in(text) == ITS_JOBS
    failing = ("dvc", "exp", "run", "--temp", "-S", f"{DROPOUT}=3")
    done = call(clone, *failing)
    assert done.returncode != 0 and f"runs.{RUN}.dropout" in done.stdout
    assert state() == before and said(clone, "git", "rev-parse", "HEAD") == head
    assert said(clone, "git", "status", "--porcelain") == ""
    shown = said(clone, "dvc", "exp", "show", "--only-changed", "--csv")
    header, *rows = (line.split(",") for line in shown.splitlines())
    column = header.index(f"runs.{RUN}.dropout")
    assert {"0.9", "0.8"} == {row[column] for row in rows}
    assert f"table3.demo_a.{RUN.removesuffix('-10')}-average" in shown or "table3" not in shown


def test_experiments_in_the_workspace_and_in_a_queue(clone):
    assert jobs_in(said(clone, "dvc", "exp", "run", "-S", f"{DROPOUT}=0.8")) == ITS_JOBS
    assert all_is_done(clone)
    diff = json.loads(said(clone, "dvc", "params", "diff", "HEAD", "--json"))
    (changed,) = diff["config/benchmark.yaml"].items()
    assert changed[0] == f"runs.{RUN}.dropout" and (changed[1]["old"], changed[1]["new"]) == (0.9, 0.8)
    said(clone, "git", "restore", ".")
    said(clone, "dvc", "checkout")
    said(clone, "dvc", "exp", "run", "--queue", "-S", f"{DROPOUT}=0.6,0.7")
    said(clone, "dvc", "exp", "run", "--run-all")
    shown = said(clone, "dvc", "exp", "show", "--csv")
    assert {"0.6", "0.7", "0.8", "0.9"} <= set(shown.replace("\n", ",").split(","))
    assert all_is_done(clone)


def test_a_removed_run_leaves_tables_metrics_and_outputs(clone):
    file = clone / "config/benchmark.yaml"
    content = yaml.safe_load(file.read_text())
    del content["runs"][RUN], content["fusions"]["bidirectional-average"]
    rows = content["tables"]["table3"]["rows"]
    content["tables"]["table3"]["rows"] = [row for row in rows if row["run"] != "bidirectional-average"]
    content["tables"].pop("table2")
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    assert jobs_in(said(clone, "dvc", "repro")) == {"make_table": 1}
    metrics = json.loads(said(clone, "dvc", "metrics", "show", "--json"))[""]["data"]
    assert list(metrics) == ["results/metrics/table3.json"]
    assert "bidirectional" not in json.dumps(metrics)
    listed = said(clone, "dvc", "list", ".", "--dvc-only", "--recursive")
    assert "bidirectional" not in listed and "table2" not in listed and "multitask" in listed
    assert (clone / "scratch/set-aside" / MODEL).exists()
    assert all_is_done(clone)


def test_a_second_writer_is_told_who_is_at_work_and_a_dead_one_does_not_block(clone):
    working = (clone / "scripts/twostream/cli.py").read_text()
    pause = "\n        __import__('time').sleep(600)\n        yield content"
    replace(clone, "scripts/twostream/cli.py", "\n        yield content", pause)
    set_dropout(clone, 0.8)
    with (clone / "log").open("w") as log:
        first = subprocess.Popen(
            ["dvc", "repro"], cwd=clone, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 120
        while "rule train_stream" not in (clone / "log").read_text():
            assert time.monotonic() < deadline and first.poll() is None, (clone / "log").read_text()
            time.sleep(0.1)
        done = call(clone, "dvc", "repro")
        assert done.returncode != 0 and f"(PID {first.pid}): " in done.stdout
        done = snakemake(clone)
        assert done.returncode != 0
        assert "another call of snakemake is at work in this folder: process" in done.stdout
        assert planned(clone) == ITS_JOBS
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    (clone / "scripts/twostream/cli.py").write_text(working)
    assert jobs_in(said(clone, "dvc", "repro")) == ITS_JOBS
    assert all_is_done(clone)


def cached(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = [file for file in (folder / ".dvc/cache/files").rglob("*") if file.is_file()]
    return {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


@pytest.mark.parametrize("link", ["hardlink", "symlink"])
def test_snakemake_then_dvc_do_an_edit_once_and_linked_caches_keep_what_they_hold(origin, tmp_path, link):
    folder = cloned(origin, tmp_path / "clone")
    said(folder, "dvc", "config", "cache.type", link)
    commit(folder, "links")
    said(folder, "dvc", "pull")
    model = folder / MODEL
    assert model.is_symlink() if link == "symlink" else model.stat().st_nlink > 1
    before = cached(folder)
    assert all_is_done(folder)
    set_dropout(folder, 0.8)
    assert jobs_in(run(folder)) == ITS_JOBS
    assert not jobs_in(said(folder, "dvc", "repro"))
    assert all_is_done(folder) and was_made_with(folder, 0.8)
    said(folder, "git", "restore", ".")
    said(folder, "dvc", "checkout")
    assert planned(folder) == {} and is_clean(folder)
    after = cached(folder)
    assert {file: after[file] for file in before} == before

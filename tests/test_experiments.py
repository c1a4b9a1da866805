"""Experiments, removed runs, several writers, and linked caches, with DVC."""

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from clones import (
    ALL_ITS_JOBS,
    DROPOUT,
    ITS_JOBS,
    MODEL,
    RUN,
    all_is_done,
    is_clean,
    replace,
    set_dropout,
    was_made_with,
)
from conftest import ENVIRONMENT, call, cloned, commit, jobs_in, planned, said, snakemake

ONLY = ("--only-changed", "--hide-workspace")
# Files by their hashes, and what comes after as a regular expression.
DROPPED = "^(Created|State|Executor|data|models|scores|results|figures|scratch|{})\\b"


def test_an_experiment_in_a_temporary_workspace_runs_what_it_touches_and_leaves_ours_alone(clone):
    def state() -> dict[Path, bytes]:
        files = [
            f for top in ("data", "models", "scores", "results", "config") for f in (clone / top).rglob("*")
        ]
        return {f: f.read_bytes() for f in files if f.is_file()}

    before, head = state(), said(clone, "git", "rev-parse", "HEAD")
    text = said(clone, "dvc", "exp", "run", "--temp", "--name", "other", "-S", f"{DROPOUT}=0.8")
    assert jobs_in(text) == ALL_ITS_JOBS
    failing = ("dvc", "exp", "run", "--temp", "-S", f"{DROPOUT}=3")
    done = call(clone, *failing)
    assert done.returncode != 0 and f"runs.{RUN}.dropout" in done.stdout
    assert state() == before and said(clone, "git", "rev-parse", "HEAD") == head
    assert said(clone, "git", "status", "--porcelain") == ""
    shown = said(clone, "dvc", "exp", "show", "--only-changed", "--csv")
    header, *rows = csv.reader(shown.splitlines())
    column = header.index(f"runs.{RUN}.dropout")
    assert {"0.9", "0.8"} == {row[column] for row in rows}
    header = next(csv.reader(said(clone, "dvc", "exp", "show", "--csv").splitlines()))
    assert {f"{key}table3.bidirectional-average" for key in ("", "nll.", "ece.")} <= set(header)


def test_experiments_in_the_workspace_and_in_a_queue(clone):
    assert jobs_in(said(clone, "dvc", "exp", "run", "-S", f"{DROPOUT}=0.8")) == ALL_ITS_JOBS
    assert all_is_done(clone)
    diff = json.loads(said(clone, "dvc", "params", "diff", "HEAD", "--json"))
    (changed,) = diff["config/benchmark.yaml"].items()
    assert changed[0] == f"runs.{RUN}.dropout" and (changed[1]["old"], changed[1]["new"]) == (0.9, 0.8)
    said(clone, "git", "restore", ".")
    said(clone, "dvc", "checkout")
    said(clone, "dvc", "exp", "run", "--queue", "-S", "config/scale/demo.yaml:svm.folds=3,4")
    said(clone, "dvc", "exp", "run", "--run-all", "--jobs", "2")
    shown = said(clone, "dvc", "exp", "show", "--csv")
    header, *rows = csv.reader(shown.splitlines())
    folds, dropout = header.index("svm.folds"), header.index(f"runs.{RUN}.dropout")
    assert {("5", "0.8"), ("5", "0.9"), ("3", "0.9"), ("4", "0.9")} == {(r[folds], r[dropout]) for r in rows}
    assert all_is_done(clone)
    # As docs/dvc.md says it: what differs, in the width of a terminal; accuracies, or another measure.
    for kept, dropped in (("svm.folds", "nll|ece"), ("nll.table3.", "table.*|ece")):
        shown = said(clone, "dvc", "exp", "show", *ONLY, "--drop", DROPPED.format(dropped))
        lines = [line.rstrip() for line in shown.splitlines()]
        assert lines and max(map(len, lines)) <= 120, shown
        assert all(f" {folds} " in shown for folds in (3, 4, 5)) and kept in shown


def test_a_removed_run_leaves_tables_metrics_and_outputs(clone):
    file = clone / "config/benchmark.yaml"
    content = yaml.safe_load(file.read_text())
    del content["runs"][RUN], content["fusions"]["bidirectional-average"]
    rows = content["tables"]["table3"]["rows"]
    content["tables"]["table3"]["rows"] = [row for row in rows if row["run"] != "bidirectional-average"]
    # The claim finds its numbers in any table.
    content["tables"]["table3"]["rows"] += content["tables"].pop("table2")["rows"]
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    figures = {"plot_curves": 1, "plot_fusion_weight": 1}
    assert jobs_in(said(clone, "dvc", "repro")) == {"make_table": 1} | figures
    metrics = json.loads(said(clone, "dvc", "metrics", "show", "--json"))[""]["data"]
    assert list(metrics) == ["results/metrics/table3.json"]
    assert "bidirectional" not in json.dumps(metrics)
    listed = said(clone, "dvc", "list", ".", "--dvc-only", "--recursive")
    assert "bidirectional" not in listed and "table2" not in listed and "multitask" in listed
    assert (clone / "scratch/set-aside" / MODEL).exists()
    assert all_is_done(clone)


@pytest.fixture
def at_work(clone) -> Iterator[subprocess.Popen[str]]:
    """`dvc repro` after an edit, in a training that waits for a file `go on`."""
    working = (clone / "scripts/twostream/cli.py").read_text()
    replace(clone, "scripts/twostream/cli.py", "\n            remove_earlier(args.out)", PAUSE)
    set_dropout(clone, 0.8)
    with (clone / "log").open("w") as log:
        call = subprocess.Popen(
            ["dvc", "repro"], cwd=clone, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + 120
    while not (clone / "at work").exists():
        assert time.monotonic() < deadline and call.poll() is None, (clone / "log").read_text()
        time.sleep(0.1)
    (clone / "scripts/twostream/cli.py").write_text(working)
    yield call
    if call.poll() is None:
        os.killpg(call.pid, signal.SIGKILL)
    call.wait()


PAUSE = """
            import pathlib, time

            pathlib.Path("at work").touch()
            while not pathlib.Path("go on").exists():
                time.sleep(0.05)
            remove_earlier(args.out)"""


def test_a_second_writer_is_told_who_is_at_work_and_a_dead_one_does_not_block(clone, at_work):
    done = call(clone, "dvc", "repro")
    assert done.returncode != 0 and f"(PID {at_work.pid}): " in done.stdout
    done = snakemake(clone)
    assert done.returncode != 0
    assert "another call of snakemake is at work in this folder: process" in done.stdout
    assert planned(clone) == ITS_JOBS
    os.killpg(at_work.pid, signal.SIGKILL)
    at_work.wait()
    assert jobs_in(said(clone, "dvc", "repro")) == ALL_ITS_JOBS
    assert all_is_done(clone)


def test_an_edit_while_dvc_is_at_work_is_not_recorded_as_what_models_were_made_with(clone, at_work):
    set_dropout(clone, 0.7)
    (clone / "go on").touch()
    assert at_work.wait() != 0
    said_at_end = (clone / "log").read_text()
    assert "were configuration or code edited while the stage was at work? Call dvc repro" in said_at_end
    assert not is_clean(clone)
    assert jobs_in(said(clone, "dvc", "repro")) == ALL_ITS_JOBS
    assert was_made_with(clone, 0.7)


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
    # As a user who is not root, whom the write protection of links stops.
    as_user = ["setpriv", "--bounding-set=-dac_override"] if os.getuid() == 0 else []
    everything = ("snakemake", "--cores", "2", "--", "all", "figures")
    assert jobs_in(said(folder, *as_user, *everything)) == ALL_ITS_JOBS
    assert not jobs_in(said(folder, "dvc", "repro"))
    assert all_is_done(folder) and was_made_with(folder, 0.8)
    said(folder, "git", "restore", ".")
    said(folder, "dvc", "checkout")
    assert planned(folder) == {} and is_clean(folder)
    after = cached(folder)
    assert {file: after[file] for file in before} == before

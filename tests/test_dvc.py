"""DVC beside Snakemake: what is pulled is current, what is edited is redone, and nothing else is."""

import shutil

import pytest
from clones import (
    ALL_ITS_JOBS,
    ITS_JOBS,
    MODEL,
    RUN,
    TABLES,
    all_is_done,
    is_clean,
    replace,
    set_dropout,
    tables,
    was_made_with,
)
from conftest import artefacts, call, cloned, commit, jobs_in, planned, said

from twostream import paths
from twostream.plan import pull_guard
from twostream.plan.dvc_stages import FOLDERS


def test_dvc_makes_from_nothing_the_same_bytes_as_snakemake(built, origin):
    by_snakemake, by_dvc = artefacts(built), artefacts(origin)
    assert len(by_snakemake) > 30 and set(by_snakemake) == set(by_dvc)
    for path, file in by_snakemake.items():
        assert file.read_bytes() == by_dvc[path].read_bytes(), path
        # A record holds nothing of one run: DVC hashes it too.
        record = paths.record(path)
        assert (built / record).exists() == (origin / record).exists()
        if (built / record).exists():
            assert (built / record).read_bytes() == (origin / record).read_bytes(), record


def test_after_a_pull_there_is_nothing_to_do(clone_unpulled):
    clone = clone_unpulled
    said(clone, "dvc", "pull")
    assert planned(clone) == {}
    for dvc_stage in FOLDERS:
        assert planned(clone, dvc_stage) == {}
    assert all_is_done(clone)


def test_what_is_published_is_pulled_by_a_fresh_clone_and_checked(clone, origin, tmp_path):
    published = tmp_path / "published"
    for nowhere in ("published", "s3://bucket/published"):
        assert "is neither a folder nor the name of a remote" in call(clone, *PUBLISH, nowhere).stdout
    assert not (clone / "s3:").exists()
    said(clone, *PUBLISH, str(published))
    fresh = cloned(origin, tmp_path / "fresh")
    said(fresh, "dvc", "remote", "modify", "store", "url", str(published))
    said(fresh, "dvc", "pull", "spatial", "temporal", "fusion", "tables")
    assert not (fresh / "data/frames").exists() and not (fresh / "data/videos").exists()
    assert "FAILED" not in said(fresh, "sha256sum", "-c", str(published / "SHA256SUMS"))
    assert MODEL in (published / "SHA256SUMS").read_text()
    assert planned(fresh) == {}
    # What DVC does not record as it is here, or was edited, is not passed on.
    set_dropout(clone, 0.8)
    assert f"{MODEL}: is not current" in call(clone, *PUBLISH, str(published)).stdout


def test_an_edit_redoes_its_run_and_a_branch_switched_back_to_has_nothing_to_do(clone):
    before = tables(clone)
    said(clone, "git", "switch", "-qc", "other")
    set_dropout(clone, 0.8)
    assert not is_clean(clone)
    assert jobs_in(said(clone, "dvc", "repro")) == ALL_ITS_JOBS
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
        "\n            remove_earlier(args.out)",
        f"\n            if '{RUN}/' in args.out and 'train' in sys.argv[0]: {end}",
    )
    set_dropout(clone, 0.8)
    assert call(clone, *tool).returncode != 0
    assert not is_clean(clone)
    assert planned(clone) == ITS_JOBS
    (clone / "scripts/twostream/cli.py").write_text(working)
    assert jobs_in(said(clone, "dvc", "repro")) == ALL_ITS_JOBS
    assert all_is_done(clone)


def test_touched_files_and_edited_words_run_nothing(clone):
    for top in ("scripts", "config", "data", "models", "scores", "results"):
        for file in (clone / top).rglob("*"):
            file.touch()
    replace(clone, "scripts/twostream/training/trainer.py", "from dataclasses", "# Why.\nfrom dataclasses")
    replace(clone, "scripts/extract_flow.py", '"""', '"""Other words. ')
    assert planned(clone) == {}
    assert not jobs_in(said(clone, "dvc", "repro"))
    assert all_is_done(clone)


def test_a_changed_module_runs_the_stages_that_use_it_and_no_others(clone):
    replace(clone, "scripts/twostream/scores/svm.py", "from ", "extra = 1\nfrom ")
    jobs = {"fuse_streams": 2, "make_table": 1}
    assert planned(clone) == jobs
    text = said(clone, "dvc", "repro")
    assert jobs_in(text) == jobs | {"plot_confusion": 1, "plot_recall": 1}
    ran = {dvc_stage for dvc_stage in FOLDERS if f"Running stage '{dvc_stage}'" in text}
    assert ran == {"fusion", "tables", "figures"}
    assert "Running stage 'plan'" in text
    assert all_is_done(clone)


def test_code_that_makes_recipes_is_seen_by_both(clone):
    replace(clone, "scripts/twostream/plan/training_recipes.py", '"rgb_jitter": 0.0', '"rgb_jitter": 0.1')
    assert planned(clone)["train_stream"] > 3
    assert not is_clean(clone)


def test_a_clone_without_pull_is_told_to_and_computes_where_there_is_no_remote(clone_unpulled, origin):
    done = call(clone_unpulled, "snakemake", "-n")
    assert done.returncode != 0
    assert "is missing, though dvc.lock lists " in done.stdout and ", and the remote has it" in done.stdout
    said(clone_unpulled, "dvc", "remote", "modify", "store", "url", str(clone_unpulled / "empty"))
    assert planned(clone_unpulled) == planned(origin, "--forceall")
    said(clone_unpulled, "dvc", "remote", "remove", "store")
    assert planned(clone_unpulled) == planned(origin, "--forceall")


PUBLISH = ("python", "scripts/publish_models.py", "--to")

JOBS_OF_SCORES = {"fuse_streams": 2, "make_table": 2, "check_claims": 1, "compare_trial": 1}

# Whatever can be named: nothing, files, stages, a rule without wildcards, pages of the report.
TARGETS = ("all", TABLES[1], "temporal", "tables", "plot_curves", "report_pages", "report/table3.html")


@pytest.mark.parametrize("pulled", [["extraction"], ["videos", "fusion", "spatial", "temporal"]])
def test_a_partial_pull_is_refused_with_what_to_do(origin, tmp_path, pulled):
    folder = cloned(origin, tmp_path / "clone")
    said(folder, "dvc", "pull", *pulled)
    set_dropout(folder, 0.8)
    targets = TARGETS if "extraction" in pulled else TARGETS[1:2]
    for tool in (("dvc", "repro"), ("snakemake", "-n"), *(("snakemake", "-n", "--", t) for t in targets)):
        done = call(folder, *tool)
        assert done.returncode != 0
        assert "is missing, though" in done.stdout and "get it with `dvc pull`" in done.stdout
        assert "Traceback" not in done.stdout
    said(folder, "dvc", "pull", "--allow-missing")
    assert planned(folder) == ITS_JOBS


def test_a_lost_part_is_refused_and_what_a_job_failed_to_make_is_not(clone):
    """One model of a folder with all that was made from it; or its curve; but not a recipe edited twice."""
    curve = (clone / MODEL).with_suffix(".csv")
    curve.rename(clone / "kept")
    assert f"{MODEL}: is missing, though " in call(clone, "snakemake", "-n", "tables").stdout
    (clone / "kept").rename(curve)
    gone = (f"models/temporal/{RUN}", f"scores/temporal/{RUN}", "scores/fused/bidirectional-average")
    for folder in (*gone, "results", "figures"):
        shutil.rmtree(clone / folder)
    assert "is missing, though dvc.lock lists it" in call(clone, "snakemake", "-n", "tables").stdout
    # What DVC has is of another recipe by now.
    set_dropout(clone, 0.7)
    assert planned(clone, MODEL.replace(".safetensors", ".csv")) == {"train_stream": 1}
    assert planned(clone, "tables")["train_stream"] == 1


def test_scores_alone_are_enough_to_fuse_and_tabulate(origin, tmp_path):
    folder = cloned(origin, tmp_path / "clone")
    said(folder, "dvc", "pull", "scores/spatial", "scores/temporal", "scores/multitask")
    replace(folder, "config/benchmark.yaml", "resamples: 2000", "resamples: 1000")
    assert planned(folder) == JOBS_OF_SCORES


def test_an_unpacked_archive_of_the_project_has_no_repository(tmp_path, monkeypatch):
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    analytics = false\n")
    monkeypatch.chdir(tmp_path)
    assert pull_guard._cache_folder.__wrapped__() is None
    assert not pull_guard.has_remotes.__wrapped__() and not pull_guard.remote_has.__wrapped__("0" * 32)

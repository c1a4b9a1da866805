"""The workflow on a real cluster of two nodes, the clock of one of them 30 s ahead; .ci/slurm runs it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import clock
import pytest
from clones import replace
from cluster import Cluster, running_cluster, wait_for, why_not
from conftest import artefacts, commit, copy_project, run, said
from heads import HURRIED, PATIENCE, PROFILE, Head, Heads, heads_of
from namespaces import NoNamespacesError
from slow_training import ITERATIONS, LOG, MODEL, copy_untrained, iterations, make_slow, went_on

from twostream import paths

pytestmark = pytest.mark.slurm
TABLE = "results/table3.csv"
SPATIAL_RUN = "spatial-last-d05"
SCORES = "scores/temporal/bidirectional-10/demo_a-split1-seed0.npz"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    if reason := why_not():
        pytest.skip(reason)
    try:
        with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
            yield running
    except NoNamespacesError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def local(cluster, tmp_path_factory) -> Path:
    """The tiny project, run to a table on this machine; not to be changed."""
    folder = copy_project(tmp_path_factory.mktemp("local") / "project")
    run(folder, TABLE)
    return folder


@pytest.fixture(scope="module")
def trained(local, tmp_path_factory) -> Path:
    """The same with the training that can be slow, undisturbed; not to be changed."""
    folder = shutil.copytree(local, tmp_path_factory.mktemp("trained") / "project")
    make_slow(folder)
    return folder


@pytest.fixture
def training(trained, tmp_path) -> Path:
    """A copy in which that training is to be done, slowly."""
    return copy_untrained(trained, tmp_path / "project")


@pytest.fixture
def heads(cluster) -> Iterator[Heads]:
    with heads_of(cluster) as called:
        yield called


def begin(heads: Heads, folder: Path, *options: str, target: str = MODEL) -> Head:
    """Have a head do the training, and return once that is at work."""
    head = heads.call(folder, *options, "--", target)
    wait_for(lambda: iterations(folder) or head.call.poll() is not None, "an iteration", PATIENCE)
    assert head.call.poll() is None, head.said[-3000:]
    return head


def same_model(folder: Path, trained: Path) -> bool:
    files = [MODEL, paths.sidecar_csv(MODEL)]
    return all((folder / file).read_bytes() == (trained / file).read_bytes() for file in files)


@pytest.fixture(scope="module")
def run_on_cluster(cluster, local, tmp_path_factory) -> tuple[Path, Head]:
    """The tiny project, run to the same table by the cluster; each training asks for a GPU."""
    folder = copy_project(tmp_path_factory.mktemp("run") / "project")
    with heads_of(cluster) as heads:
        head = heads.call(folder, "--set-resources", "train_stream:gpu=1", "--", TABLE)
        assert head.succeeds(), head.said[-3000:]
    return folder, head


def test_all_files_are_those_of_a_local_run(run_on_cluster, local):
    folder, _ = run_on_cluster
    ours, theirs = artefacts(folder), artefacts(local)
    assert ours.keys() == theirs.keys()
    assert [path for path in ours if ours[path].read_bytes() != theirs[path].read_bytes()] == []


def test_a_node_whose_clock_is_ahead_leaves_nothing_to_be_done_again(run_on_cluster, cluster):
    folder, _ = run_on_cluster
    assert clock.NODE in cluster.ask("sacct", "-X", "-n", "-o", "NodeList").split()
    assert "Nothing to be done" in run(folder, "-n", TABLE)


def test_what_asks_for_a_gpu_is_given_one(run_on_cluster, cluster):
    rows = cluster.ask("sacct", "-X", "-n", "-P", "-o", "Comment,AllocTRES").splitlines()
    given = {row.split("_wildcards_")[0]: "gres/gpu=1" in row for row in rows if row.startswith("rule_")}
    assert given["rule_train_stream"] and not given["rule_score_videos"]


def test_a_training_that_is_warned_of_its_end_goes_on_in_the_same_job(training, trained, heads):
    # SLURM looks every half minute, and warns 30 to 60 seconds after the job has begun.
    short = ("train_stream:runtime=3", "train_stream:slurm_extra='--signal=TERM@120'")
    head = begin(heads, training, "--set-resources", *short)
    wait_for((training / paths.checkpoint(MODEL)).exists, "a checkpoint", PATIENCE)
    (training / "slow").unlink()
    assert head.succeeds(), head.said[-3000:]
    assert went_on(training)
    assert len({job for job, _ in iterations(training)}) == 1
    assert same_model(training, trained)


def test_a_training_that_is_killed_for_its_memory_is_tried_again_with_more(training, trained, heads, cluster):
    replace(training, "scripts/twostream/plan/needs.py", "\nTORCH = 2_000", "\nTORCH = 700")
    head = begin(heads, training)
    wait_for(lambda: len(jobs_of(head)) > 1 or head.call.poll() is not None, "a second job", PATIENCE)
    (training / "slow").unlink()
    assert head.succeeds(), head.said[-3000:]
    first, second = memory_asked_for(head, cluster)
    assert second == 2 * first
    assert iterations(training)[-1] == (jobs_of(head)[-1], ITERATIONS)
    assert same_model(training, trained)


def jobs_of(head: Head) -> list[str]:
    """The numbers of the jobs that a head has handed over, but for that by which it tries the folder."""
    return re.findall(r"submitted with SLURM jobid (\d+)", head.said)


def memory_asked_for(head: Head, cluster: Cluster) -> list[int]:
    """MB that each of a head's jobs was given."""
    texts = [cluster.ask("sacct", "-X", "-n", "-P", "-o", "ReqMem", "-j", job) for job in jobs_of(head)]
    return [int(text.strip().removesuffix("M")) for text in texts if text.strip()]


def test_a_node_that_is_set_down_costs_nothing(training, trained, heads, cluster):
    # With a job that is handed over afterwards.
    head = begin(heads, training, target=SCORES)
    node = cluster.ask("squeue", "-h", "-o", "%N").strip()
    cluster.set_node(node, "drain")
    cluster.set_node(node, "down")
    wait_for((training / paths.checkpoint(MODEL)).exists, "a checkpoint")
    (training / "slow").unlink()
    succeeded = head.succeeds()
    cluster.set_node(node, "resume")
    assert succeeded, head.said[-3000:]
    assert f"on node {node}" not in (training / LOG).read_text()
    assert went_on(training)
    assert same_model(training, trained)


def test_a_head_that_is_killed_and_called_again_trains_nothing_twice(training, trained, heads):
    begin(heads, training).kill()
    again = heads.call(training, MODEL)
    wait_for(lambda: f"{MODEL}: waiting for " in text_of(training / LOG), "the second job", PATIENCE)
    (training / "slow").unlink()
    assert again.succeeds(), again.said[-3000:]
    assert went_on(training)
    assert same_model(training, trained)


def text_of(log: Path) -> str:
    """The text of a log, which Snakemake takes away for a moment before its job starts."""
    try:
        return log.read_text()
    except FileNotFoundError:
        return ""


def test_a_second_head_is_told_who_holds_the_folder(training, heads):
    first = heads.call(training, MODEL)
    wait_for(lambda: "submitted with SLURM jobid" in first.said, "a job to be submitted")
    second = heads.call(training, TABLE)
    assert not second.succeeds()
    assert f"another call of snakemake is at work in this folder: process {first.call.pid} on " in second.said
    assert first.call.poll() is None


def test_a_partition_that_there_is_not_is_named(training, heads):
    head = heads.call(training, "--default-resources", "slurm_partition=nowhere", "--", MODEL)
    assert not head.succeeds()
    assert "slurm_partition: nowhere: this cluster has no such partition; it has main" in head.said
    assert "Traceback" not in head.said


def test_a_job_that_fails_says_where_and_why(local, tmp_path, heads):
    folder = shutil.copytree(local, tmp_path / "project")
    tables = folder / "scripts/twostream/results/tables.py"
    text = tables.read_text()
    assert "    return pd.DataFrame" in text
    tables.write_text(text.replace("    return pd.DataFrame", FAILING, 1))
    head = heads.call(folder, "--retries", "0", "--", TABLE)
    assert not head.succeeds()
    assert "error: no table today" in head.said
    job = re.search(r"submitted with SLURM jobid (\d+)", head.said).group(1)
    assert re.search(rf"SLURM job {job} on node n[12]", head.said)


FAILING = """    raise OSError("no table today")
    return pd.DataFrame"""


def test_dvc_hands_its_jobs_to_the_cluster(local, tmp_path, heads, cluster):
    folder = shutil.copytree(local, tmp_path / "project")
    profile = shutil.copytree(folder / PROFILE, folder / "my-cluster") / "config.yaml"
    profile.write_text(f"{profile.read_text()}{HURRIED[0].removeprefix('--')}: {HURRIED[1]}\n")
    said(folder, "git", "init", "-q", "-b", "main")
    # Here, as `dvc exp run` begins by deleting what dvc.lock does not know.
    said(folder, "dvc", "repro", "spatial")
    commit(folder, "code and results")
    # Which is `dvc repro` with another value.
    key = f"config/benchmark.yaml:runs.{SPATIAL_RUN}.dropout"
    head = heads.start(
        folder, "dvc", "exp", "run", "--set-param", f"{key}=0.6", "spatial", SNAKEMAKE_PROFILE="my-cluster"
    )
    assert head.succeeds(), head.said[-3000:]
    comments = cluster.ask("sacct", "-X", "-n", "-P", "-o", "Comment", "-j", ",".join(jobs_of(head)))
    rules = {line.split("_wildcards_")[0] for line in comments.splitlines()}
    assert rules == {"rule_train_stream", "rule_score_videos", "rule_score_trial"}
    record = json.loads(
        (folder / f"models/spatial/{SPATIAL_RUN}/demo_a-split1-seed0.record.json").read_text()
    )
    assert record["recipe"]["run"]["dropout"] == 0.6

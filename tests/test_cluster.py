"""What a head asks of SLURM, with stand-ins for its commands; tests/slurm has the real ones."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT

from twostream import slurm
from twostream.files import UserError
from twostream.plan.cluster import Cluster, minutes

SINFO = """#!/bin/sh
echo 'main* 1-00:00:00
long 7-12:30:00
debug 30:00
free infinite'
"""
# It does in the folder what the job would do on a node.
SBATCH = '#!/bin/sh\necho "$@" > asked\nfor a; do case "$a" in --wrap=*) sh -c "${a#--wrap=}";; esac; done\n'
NOWHERE = "#!/bin/sh\n"
REFUSED = "#!/bin/sh\necho 'sbatch: error: invalid account' >&2\nexit 1\n"


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """Puts programs of these texts before all others."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")

    def put(**texts: str) -> None:
        for name, text in texts.items():
            file = Path("bin", name)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o755)

    put(sinfo=SINFO, sbatch=SBATCH)
    return put


def cluster(partition: str | None = None) -> Cluster:
    default = {"slurm_partition": SimpleNamespace(raw=partition)} if partition else {}
    return Cluster(
        SimpleNamespace(
            executor_settings=SimpleNamespace(qos=None),
            execution_settings=SimpleNamespace(latency_wait=0),
            resource_settings=SimpleNamespace(default_resources=default),
        )
    )


def job(**resources: object) -> SimpleNamespace:
    return SimpleNamespace(is_local=False, resources=resources, rule=SimpleNamespace(name="train_stream"))


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("30:00", 30), ("2:00:00", 120), ("1-00:00:00", 1440), ("7-12:30:00", 10830), ("infinite", None)],
)
def test_limits_are_read_as_slurm_writes_them(limit, expected):
    assert minutes(limit) == expected


@pytest.mark.parametrize(
    ("partition", "longest"), [(None, 1440), ("debug", 30), ("debug,long", 10830), ("main,free", None)]
)
def test_a_job_asks_for_no_more_time_than_its_partition_gives(commands, partition, longest):
    assert cluster(partition).longest_job() == longest


def test_an_unknown_partition_is_named_with_those_that_there_are(commands):
    with pytest.raises(UserError, match=r"slurm_partition: gpus: .*debug, free, long, main"):
        cluster().check([job(slurm_partition="gpus")])


def test_a_second_node_is_refused_by_name(commands):
    with pytest.raises(UserError, match=r"train_stream: asks for 2 nodes .*set `gpus`"):
        cluster().check([job(nodes=2)])


def test_a_first_job_reads_and_writes_in_the_folder(commands):
    cluster("long").check([job(slurm_partition="long", slurm_account="ours", nodes=1)])
    assert "--partition long --account ours" in Path("asked").read_text()


@pytest.mark.parametrize(
    ("sbatch", "message"), [(NOWHERE, "do not see this folder"), (REFUSED, "invalid account")]
)
def test_a_folder_that_nodes_do_not_share_and_a_refused_job_are_told(commands, sbatch, message):
    commands(sbatch=sbatch)
    with pytest.raises(UserError, match=message):
        cluster().check([job()])


@pytest.mark.parametrize(("state", "again"), [("RUNNING", True), ("COMPLETING", False), ("", False)], ids=str)
def test_only_a_job_that_still_runs_is_run_again(commands, monkeypatch, state, again):
    """One that is cancelled, or past its limit, is completing when it is told."""
    commands(squeue=f"#!/bin/sh\necho {state}\n", scontrol="#!/bin/sh\necho $@ > requeued\n")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert slurm.requeue() == again
    assert Path("requeued").exists() == again


def test_without_slurm_nothing_is_asked(commands, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert not slurm.requeue()
    assert not slurm.place()


WAITS = """import time
from twostream import cli
cli.run(lambda: (print("at work", flush=True), time.sleep(60)))
"""
AGAIN = "; SLURM is asked to run this job again"


@pytest.mark.parametrize(
    ("script", "state", "said"),
    [
        ("train_stream", "RUNNING", AGAIN),
        ("train_stream", "FAILED", ""),
        # It keeps nothing, so that it would never be done.
        ("score_videos", "RUNNING", ""),
    ],
)
def test_a_warned_job_that_keeps_its_work_is_run_again(commands, tmp_path, script, state, said):
    commands(squeue=f"#!/bin/sh\necho {state}\n", scontrol="#!/bin/sh\necho $@ > requeued\n")
    environment = {"PYTHONPATH": str(ROOT / "scripts"), "SLURM_JOB_ID": "12", "SLURMD_NODENAME": "n1"}
    (tmp_path / f"{script}.py").write_text(WAITS)
    job = subprocess.Popen(
        [sys.executable, f"{script}.py"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert job.stdout is not None and job.stdout.readline() == "at work\n"
    job.terminate()
    _, errors = job.communicate(timeout=60)
    assert errors == f"SLURM job 12 on node n1\nerror: told to stop (SIGTERM){said}\n"
    assert job.returncode == 1
    assert Path("requeued").exists() == bool(said)


def test_without_an_answer_a_call_ends_with_one_line(commands):
    commands(sinfo="#!/bin/sh\necho 'sinfo: error: no controller' >&2\nexit 1\n")
    with pytest.raises(SystemExit, match=r"^error: sinfo .*: sinfo: error: no controller$"):
        cluster().longest_job()

"""What a head asks of SLURM before it hands jobs over: how long they may last, and whether they can run."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from twostream import slurm
from twostream.files import UserError, atomic_write

# Written by the head and read by a node, and the other way round.
ASKED, ANSWERED = Path("scratch/shared/asked"), Path("scratch/shared/answered")


class Cluster:
    """The SLURM cluster that a call of Snakemake hands its jobs to."""

    def __init__(self, workflow: Any) -> None:
        """`workflow` is the variable of that name in a Snakefile."""
        self._workflow = workflow
        self._limits: dict[str, int | None] | None = None

    @property
    def is_used(self) -> bool:
        """Whether this call has jobs run by SLURM."""
        return self._workflow.non_local_exec and self._workflow.executor_plugin.name == "slurm"

    def longest_job(self) -> int | None:
        """Return how long a job may last where this call's may run, in minutes; None without a limit.

        If SLURM does not say it, the call ends with that: of an Exception Snakemake would show a traceback.
        """
        try:
            limits = self._partition_limits()
        except UserError as error:
            raise SystemExit(f"error: {error}") from None
        usable = [limits[name] for name in self._usable(limits)]
        return None if None in usable else max((limit for limit in usable if limit is not None), default=None)

    def check(self, jobs: Iterable[Any]) -> None:
        """Raise UserError if jobs cannot run: no such partition, several nodes, a folder not shared."""
        remote = [job for job in jobs if not job.is_local]
        known = self._partition_limits()
        for job in remote:
            partition = job.resources.get("slurm_partition")
            if partition and not set(str(partition).split(",")) <= set(known):
                raise UserError(
                    f"slurm_partition: {partition}: this cluster has no such partition; it has"
                    f" {', '.join(sorted(known))}: mend `default-resources` in your profile"
                )
            if (nodes := job.resources.get("nodes", 1)) != 1:
                raise UserError(
                    f"{job.rule.name}: asks for {nodes} nodes (`nodes` in your profile); the GPUs of one"
                    " training are on one node: set `gpus` in config/config.yaml to as many as a node has"
                )
        if remote:
            workflow = self._workflow
            late = workflow.execution_settings.latency_wait
            _check_shared(remote[0].resources, workflow.executor_settings, late)

    def _usable(self, limits: Mapping[str, int | None]) -> list[str]:
        """The partitions that a job may be given to."""
        if file := getattr(self._workflow.executor_settings, "partition_config", None):
            content = yaml.safe_load(Path(file).read_text())
            return [name for name in content.get("partitions", {}) if name in limits]
        asked = (self._workflow.resource_settings.default_resources or {}).get("slurm_partition")
        name = str(getattr(asked, "raw", None) or getattr(asked, "value", None) or "").strip("'\"")
        return [part for part in name.split(",") if part in limits] or self._default

    def _partition_limits(self) -> dict[str, int | None]:
        """The time limit of each partition, in minutes."""
        if self._limits is None:
            rows = [line.split() for line in slurm.ask("sinfo", "-h", "-o", "%P %l").splitlines()]
            self._limits = {name.rstrip("*"): minutes(limit) for name, limit in rows}
            self._default = [name.rstrip("*") for name, _ in rows if name.endswith("*")]
        return self._limits


def _answered(token: str, late: float) -> bool:
    end = time.monotonic() + late
    while not (is_there := ANSWERED.exists()) and time.monotonic() < end:
        time.sleep(1)
        # A network's file system looks anew when a folder is listed.
        list(ANSWERED.parent.iterdir())
    return is_there and ANSWERED.read_text() == token


def minutes(limit: str) -> int | None:
    """Return a time limit of SLURM's (`1-12:00:00`, `30:00`, `infinite`) in minutes; None for none."""
    if limit in ("infinite", "n/a"):
        return None
    days, _, clock = limit.rpartition("-")
    hours, minute, _ = ([0, 0, 0] + [int(part) for part in clock.split(":")])[-3:]
    return int(days or 0) * 1440 + hours * 60 + minute


def _check_shared(resources: Mapping[str, Any], settings: Any, late: float) -> None:
    """Raise UserError if a node does not read what is written here, or this machine what a node writes.

    What a node writes may be seen here so many seconds late.
    """
    token = f"{socket.gethostname()} {Path.cwd()}"
    with atomic_write(ASKED) as part:
        part.write_text(token)
    ANSWERED.unlink(missing_ok=True)
    options = {
        "--partition": resources.get("slurm_partition"),
        "--account": resources.get("slurm_account"),
        "--qos": getattr(settings, "qos", None),
    }
    given = [part for name, value in options.items() if value for part in (name, str(value))]
    print("a first small job looks whether the nodes see this folder", file=sys.stderr, flush=True)
    done = subprocess.run(
        [
            *("sbatch", "--wait", "--time=2", "--ntasks=1", "--mem=100", "--output=/dev/null"),
            *("--job-name=twostream-shared", f"--chdir={Path.cwd()}", *given),
            f"--wrap=cat {ASKED} > {ANSWERED}.part && mv {ANSWERED}.part {ANSWERED}",
        ],
        capture_output=True,
        text=True,
    )
    if "sbatch: error" in done.stderr:
        raise UserError(f"SLURM does not take a job: {done.stderr.strip()}; mend your profile")
    if done.returncode or not _answered(token, late):
        raise UserError(
            f"{Path.cwd()}: the nodes do not see this folder as this machine does (a first small job of"
            " SLURM's was to read a file here and write another): clone the project to a file system that"
            " all nodes share"
        )

"""Calls of Snakemake that hand their jobs to a test's cluster, as a user calls them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster
from conftest import ENVIRONMENT
from namespaces import DIES_WITH_US

PROFILE = "workflow/profiles/slurm"
# Jobs here last seconds.
HURRIED = ("--slurm-init-seconds-before-status-checks", "3")
# Ten times what a quiet machine takes.
PATIENCE = 1800  # seconds


@dataclass(frozen=True)
class Head:
    """A call in a folder: its process, and the file with what it says."""

    call: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """End it as nothing can be done about, as a machine that breaks down does."""
        self.call.kill()
        self.call.wait()

    def succeeds(self) -> bool:
        """Return whether it ends well, once it has ended."""
        return self.call.wait(timeout=PATIENCE) == 0


class Heads:
    """Calls heads, and knows what it has called."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.called: list[Head] = []

    def call(self, folder: Path, *arguments: str) -> Head:
        """Call Snakemake with the profile for SLURM, and go on."""
        return self.start(folder, "snakemake", "--profile", PROFILE, *HURRIED, *arguments)

    def start(self, folder: Path, *command: str, **environment: str) -> Head:
        """Start what calls Snakemake, or is it, and go on."""
        log = folder / "logs" / f"head{len(self.called)}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("w") as out:
            call = subprocess.Popen(
                [*DIES_WITH_US, *self._cluster.command(*command, folder=folder)],
                env=ENVIRONMENT | environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.called.append(Head(call, log))
        return self.called[-1]


@contextmanager
def heads_of(cluster: Cluster) -> Iterator[Heads]:
    """Call heads; in the end neither they nor their jobs are left."""
    heads = Heads(cluster)
    try:
        yield heads
    finally:
        for head in heads.called:
            head.kill()
        cluster.cancel_all()

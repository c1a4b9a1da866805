"""A SLURM cluster of two nodes on this machine, for as long as a test needs it."""

import importlib.util
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import clock
import daemons
from namespaces import Namespaces, namespaces

PATIENCE = 60  # seconds, for each daemon to begin


def why_not() -> str | None:
    """Return why there can be no cluster here; None if nothing is known to be in the way."""
    if os.geteuid():
        return "SLURM's daemons are started by root"
    if missing := [name for name in daemons.PROGRAMS if not daemons.program(name)]:
        return f"{', '.join(missing)}: not installed; .ci/slurm says what Debian calls them"
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return "the packages of `make cluster` are not installed"
    return None


class Cluster:
    """Runs commands where they see the cluster, and asks it."""

    def __init__(self, folder: Path, places: Namespaces) -> None:
        self.folder, self._places = folder, places
        self._daemons: list[subprocess.Popen[bytes]] = []

    def command(self, *command: str, folder: Path = Path("/")) -> list[str]:
        """Return what calls a command in a folder, as a user of the cluster; it runs as this very process."""
        return [*self._places.outer, "env", "--chdir", str(folder), *command]

    def ask(self, *command: str) -> str:
        """Return what one of SLURM's commands says; raises CalledProcessError."""
        return subprocess.run(self.command(*command), check=True, capture_output=True, text=True).stdout

    def states(self) -> dict[str, str]:
        """The state of each job that waits or runs, by its number."""
        return dict(line.split() for line in self.ask("squeue", "-h", "-o", "%A %T").splitlines())

    def set_node(self, node: str, state: str) -> None:
        """Put a node into a state, as an administrator does."""
        self.ask("scontrol", "update", f"nodename={node}", f"state={state}", "reason=test")

    def cancel_all(self) -> None:
        """Cancel all jobs, and return when none is left."""
        self.ask("scancel", "--user=root")
        wait_for(lambda: not self.states(), "no job to be left")

    def start(self, command: str, *, ready: Callable[[], bool]) -> None:
        """Start a daemon, and return when it is ready."""
        name, *options = command.split()
        with (self.folder / f"{name}.out").open("a") as out:
            daemon = subprocess.Popen(
                [*self._places.inner, daemons.program(name), *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self._daemons.append(daemon)
        wait_for(lambda: ready() or daemon.poll() is not None, f"{name} (see {self.folder})")
        assert daemon.poll() is None, (self.folder / f"{name}.out").read_text()[-2000:]

    def answers(self, *command: str) -> bool:
        """Whether a command succeeds by now."""
        return not subprocess.run(self.command(*command), capture_output=True).returncode

    def wait(self) -> None:
        """Return when all daemons have ended."""
        for daemon in self._daemons:
            daemon.wait()


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster with all its files in an empty folder, and end all that belongs to it.

    Raises OSError if the kernel allows no namespaces.
    """
    open_ended = daemons.settings_of(folder)
    _write_settings(folder, open_ended)
    with namespaces(folder / "etc", Path("/etc/slurm")) as places:
        cluster = Cluster(folder, places)
        _start(cluster, open_ended)
        yield cluster
    cluster.wait()
    _remove_control_groups()


def _write_settings(folder: Path, open_ended: dict[str, str]) -> None:
    texts = {
        "slurm.conf": daemons.SLURM.format(**open_ended),
        "gres.conf": daemons.GPUS.format(nodes=",".join(daemons.NODES)),
        "cgroup.conf": daemons.CONTROL_GROUPS,
        "slurmdbd.conf": daemons.ACCOUNTING.format(**open_ended),
    }
    for name in ("etc", "state", *(f"spool-{node}" for node in daemons.NODES)):
        (folder / name).mkdir()
    for name, text in texts.items():
        (folder / "etc" / name).write_text(text)
    (folder / "users.sql").write_text(daemons.USERS)
    (folder / "munge.key").write_bytes(os.urandom(128))
    # They refuse what others may read.
    for name in ("etc/slurmdbd.conf", "munge.key"):
        (folder / name).chmod(0o600)
    clock.put_ahead(folder)


def _start(cluster: Cluster, open_ended: dict[str, str]) -> None:
    folder = cluster.folder
    cluster.start(daemons.MUNGE.format(**open_ended), ready=(folder / "munge.socket").exists)
    new = daemons.NEW_DATABASE.format(**open_ended).split()
    subprocess.run(new, check=True, stdout=subprocess.DEVNULL)
    cluster.start(daemons.DATABASE.format(**open_ended), ready=(folder / "database.socket").exists)
    cluster.start("slurmdbd -D", ready=lambda: cluster.answers("sacctmgr", "-n", "list", "cluster"))
    cluster.start("slurmctld -D", ready=lambda: cluster.answers("scontrol", "ping"))
    for node in daemons.NODES:
        state = ("sinfo", "-h", "-N", "-n", node, "-o", "%T")
        cluster.start(f"slurmd -D -N {node}", ready=lambda state=state: cluster.ask(*state) == "idle\n")


def _remove_control_groups() -> None:
    for node in daemons.NODES:
        top = daemons.FREEZER / f"slurm_{node}"
        for group in [*sorted(top.rglob("*/"), reverse=True), top] if top.exists() else []:
            group.rmdir()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Return as soon as a condition holds; raises TimeoutError, with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seconds} s are over: {what}")
        time.sleep(0.1)

"""A corner of this machine with its own /etc/slurm, and one within it with its own processes.

The outer one is for those who call SLURM's commands, the inner one for its daemons and jobs. When the first
process of the inner one ends, the kernel ends all others there, however they came about: nothing is left.
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Prints the process that opened the inner corner, then a line as soon as /proc there is its own. The first
# process there waits for all others, so that none stays behind as a zombie.
HOLD = """
mount --bind "$0" "$1" || exit
unshare --mount --pid --fork --kill-child --mount-proc sh -c 'echo ready; sleep infinity & wait' &
echo $!
wait
"""
# Also if it is killed that started us.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")


class Namespaces:
    """What to put before a command that is to run in the outer or the inner corner."""

    def __init__(self, holder: int, opener: int) -> None:
        self.outer = ["nsenter", f"--mount=/proc/{holder}/ns/mnt"]
        self.inner = [
            "nsenter",
            f"--mount=/proc/{opener}/ns/mnt",
            f"--pid=/proc/{opener}/ns/pid_for_children",
        ]


@contextmanager
def namespaces(settings: Path, target: Path) -> Iterator[Namespaces]:
    """Open both, with the folder `settings` in place of `target`; raises OSError if the kernel refuses."""
    holder = subprocess.Popen(
        [*DIES_WITH_US, "unshare", "--mount", *DIES_WITH_US, "sh", "-c", HOLD, str(settings), str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # In this order, as the first line is printed by the one who has not waited.
    said = sorted(holder.stdout.readline().strip() for _ in range(2))
    try:
        if said[1] != "ready":
            raise OSError(f"no namespaces of our own: {' '.join(said).strip()}")
        yield Namespaces(holder.pid, int(said[0]))
    finally:
        if said[0].isdecimal():
            os.kill(int(said[0]), signal.SIGKILL)
        holder.wait()

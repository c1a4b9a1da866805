"""What a job does of its own where SLURM runs it: it says where, and has itself run again if it must stop."""

import os
import subprocess
import sys

# Of the commands that ask SLURM, in seconds: a busy controller answers late.
PATIENCE = 60


def place() -> str:
    """Return `SLURM job 12 on node n1`; empty if SLURM does not run this process."""
    job = os.environ.get("SLURM_JOB_ID")
    return f"SLURM job {job} on node {os.environ.get('SLURMD_NODENAME', '?')}" if job else ""


def requeue() -> bool:
    """Have SLURM run this job again, if SLURM warned it of its end; return whether it will.

    A warning comes before the time limit, or before the job makes way for another's: the job is still
    running then. One that a user cancels, or that is past its limit, is ending already and stays ended.
    """
    job = os.environ.get("SLURM_JOB_ID")
    return bool(job) and _ask("squeue", "-h", "-o", "%T", "-j", str(job)) == "RUNNING" and _requeued(str(job))


def _requeued(job: str) -> bool:
    return _ask("scontrol", "requeue", job) is not None


def _ask(*command: str) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{' '.join(command)}: {error}", file=sys.stderr, flush=True)
        return None
    if done.returncode:
        print(f"{' '.join(command)}: {done.stderr.strip()}", file=sys.stderr, flush=True)
        return None
    return done.stdout.strip()

"""Asking SLURM; and what a job does of its own where SLURM runs it: it says where, and is run again."""

import os
import shutil
import subprocess
import sys

from twostream.files import UserError

# How long SLURM may take to answer, in seconds: a busy controller answers late.
PATIENCE = 60


def ask(*command: str) -> str:
    """Return what a command of SLURM's says; UserError if it is not here, or SLURM does not answer."""
    if not shutil.which(command[0]):
        raise UserError(f"{command[0]}: is not here; this is to be called where SLURM's commands are")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise UserError(f"{' '.join(command)}: SLURM does not answer; is its controller up?") from None
    if done.returncode:
        raise UserError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()


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
    if not job:
        return False
    try:
        if ask("squeue", "-h", "-o", "%T", "-j", job) != "RUNNING":
            return False
        ask("scontrol", "requeue", job)
    except UserError as error:
        print(f"not run again: {error}", file=sys.stderr, flush=True)
        return False
    return True

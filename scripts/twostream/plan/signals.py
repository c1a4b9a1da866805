"""How a job of a cluster learns that it is to end."""

from contextlib import suppress
from typing import Any

import psutil
from snakemake.scheduling.job_scheduler import JobScheduler


def pass_sigterm_on() -> None:
    """Have this call of Snakemake, which runs a cluster's job, pass SIGTERM on to that job.

    SLURM warns a step before its time is up by a signal to the step's own process, which is Snakemake's, and
    to no other where it keeps track of processes by control groups. Snakemake then waits for its job.
    """
    exit_gracefully = JobScheduler.exit_gracefully

    def exit_and_pass_on(scheduler: Any, *args: Any) -> None:
        exit_gracefully(scheduler, *args)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.terminate()

    JobScheduler.exit_gracefully = exit_and_pass_on

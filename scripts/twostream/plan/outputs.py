"""Outputs are the jobs' own: made anew by the job that holds the artefact's lock, and not taken away before.

Snakemake deletes a job's outputs before it runs and after it failed. But a job may find that another, of a
call that was killed, has made its artefact meanwhile; and one that is told to leave an artefact to a newer
call fails while that call's job writes it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from snakemake.io import _IOFile
from snakemake.jobs import Job


def leave_to_jobs(is_artefact: Callable[[str], bool]) -> None:
    """Have Snakemake leave artefacts to their jobs; its other outputs it deletes as ever."""
    remove, cleanup = Job.remove_existing_output, Job.cleanup

    async def remove_existing_output(job: Any) -> None:
        if not any(is_artefact(str(file)) for file in job.output):
            await remove(job)
            return
        # A job that still writes its log keeps that file, and the new job gets one of its own.
        for log in job.log:
            await log.remove(remove_non_empty_dir=False)

    async def clean_up(job: Any, skip_outputs: Sequence[Any]) -> None:
        if not any(is_artefact(str(file)) for file in job.output):
            await cleanup(job, skip_outputs)

    Job.remove_existing_output, Job.cleanup = remove_existing_output, clean_up
    # Outputs are replaced, never written into. DVC write-protects what it links into its cache, by which
    # Snakemake would take it for protected from being made again.
    _IOFile.protected = _never


async def _never(file: Any, *_: Any) -> bool:
    return False

"""What a call of Snakemake says at its end: how what it has made is not lost to DVC."""

import os
from collections.abc import Iterable

from twostream.plan.dvc_stages import FOLDERS
from twostream.provenance.steps import Step

RECORD_FIRST = (
    "Before `dvc exp run` or `dvc checkout` call `dvc repro`, which records what was made: they delete what"
    " dvc.lock does not list."
)


def reminder(made: Iterable[Step]) -> str | None:
    """Return what to say after a call that made what DVC versions; None if DVC itself has called."""
    folders = tuple(f"{folder}/" for of_stage in FOLDERS.values() for folder in of_stage)
    if "DVC_STAGE" in os.environ or not any(step.outputs[0].startswith(folders) for step in made):
        return None
    return RECORD_FIRST

"""What a call of Snakemake says at its end: that DVC does not know yet what it has made."""

import os
from collections.abc import Iterable

from twostream.plan.dvc_stages import FOLDERS
from twostream.provenance.steps import Step

NOT_RECORDED = (
    "What was made is not in dvc.lock yet: `dvc repro` records it. Call that before `dvc exp run` or"
    " `dvc checkout`, which delete what dvc.lock does not know."
)


def reminder(made: Iterable[Step]) -> str | None:
    """Return what to say after a call that made what DVC versions; None if DVC itself has called."""
    folders = tuple(f"{folder}/" for of_stage in FOLDERS.values() for folder in of_stage)
    if "DVC_STAGE" in os.environ or not any(step.outputs[0].startswith(folders) for step in made):
        return None
    return NOT_RECORDED

"""Leave a stage's folders as DVC is to record them, once Snakemake has made what is in them.

`python scripts/finish_stage.py temporal` sees to it that all artefacts of the stage are those of the
configuration and the code as they are now; fails if not, as DVC, which reads both only after the stage,
would record what the artefacts were not made with. It moves artefacts that the configuration no longer
names at any scale to `scratch/set-aside`, so that they leave DVC's outputs, and makes missing folders.
"""

import argparse
import json
from pathlib import Path

from twostream import cli
from twostream.files import UserError
from twostream.leftovers import leftovers, set_aside
from twostream.loading import load, names_at_other_scales
from twostream.locking import lock_folder
from twostream.plan import Plan
from twostream.provenance import is_current
from twostream.stages import FOLDERS, PLANNED, planned, steps_by_stage


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=FOLDERS)
    stage = parser.parse_args().stage
    plan = Plan(load())
    lock_folder()
    edited = "were configuration or code edited while the stage was at work? Call dvc repro again"
    if _as_written(stage) != planned(plan)[stage]:
        raise UserError(f"{PLANNED.format(stage=stage)}: is not what the plan says now; {edited}")
    for step in steps_by_stage(plan)[stage]:
        for artefact in step.outputs:
            if not is_current(artefact, step):
                raise UserError(f"{artefact}: is not what configuration and code say now; {edited}")
    for artefact in leftovers(plan, names_at_other_scales(plan.config), FOLDERS[stage]):
        print(f"{artefact}: the configuration names no such artefact; moved to {set_aside(artefact)}")
    for folder in FOLDERS[stage]:
        Path(folder).mkdir(parents=True, exist_ok=True)


def _as_written(stage: str) -> dict[str, str]:
    """What the plan said of the stage when DVC called its first one."""
    file = Path(PLANNED.format(stage=stage))
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read: {error}; call dvc repro, which writes it") from None


if __name__ == "__main__":
    cli.run(main)

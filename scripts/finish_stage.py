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
from twostream.config.loading import load_config, names_at_other_scales
from twostream.files import UserError, some
from twostream.plan.dvc_stages import FOLDERS, NOT_SHARED, PLANNED, planned, steps_by_dvc_stage
from twostream.plan.orphans import find_orphans, find_others, set_aside
from twostream.plan.plan import Plan
from twostream.provenance.locks import lock_folder
from twostream.provenance.staleness import is_current


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=FOLDERS)
    dvc_stage = parser.parse_args().stage
    plan = Plan(load_config())
    lock_folder()
    edited = "were configuration or code edited while the stage was at work? Call dvc repro again"
    if _as_written(dvc_stage) != planned(plan)[dvc_stage]:
        raise UserError(f"{PLANNED.format(stage=dvc_stage)}: is not what the plan says now; {edited}")
    for step in steps_by_dvc_stage(plan)[dvc_stage]:
        for artefact in step.outputs:
            if not is_current(artefact, step.spec):
                raise UserError(f"{artefact}: is not what configuration and code say now; {edited}")
    for artefact in find_orphans(plan, names_at_other_scales(plan.config), FOLDERS[dvc_stage]):
        print(f"{artefact}: the configuration names no such artefact; moved to {set_aside(artefact)}")
    shared = [folder for folder in FOLDERS[dvc_stage] if folder != NOT_SHARED]
    if others := find_others(shared):
        raise UserError(
            f"{some(others)}: this project has not made them, and DVC, which takes the whole of"
            f" {', '.join(shared)}, would keep copies and push them: move them out of there"
        )
    for folder in FOLDERS[dvc_stage]:
        Path(folder).mkdir(parents=True, exist_ok=True)


def _as_written(dvc_stage: str) -> dict[str, str]:
    """What the plan said of the stage when DVC called its first one."""
    file = Path(PLANNED.format(stage=dvc_stage))
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read: {error}; call dvc repro, which writes it") from None


if __name__ == "__main__":
    cli.run(main)

"""Write what the plan says of each stage of DVC's: its artefacts, by the digest of recipe and code.

The first stage of dvc.yaml calls this, so that DVC calls a stage just when something of it is edited.
"""

import argparse

from twostream import cli
from twostream.config.loading import load_config
from twostream.files import write_json
from twostream.plan.dvc_stages import PLANNED, planned
from twostream.plan.plan import Plan


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    for dvc_stage, artefacts in planned(Plan(load_config())).items():
        write_json(PLANNED.format(stage=dvc_stage), artefacts)


if __name__ == "__main__":
    cli.run(main)

"""Write what the plan says of each stage of DVC's: its artefacts, by the digest of recipe and code.

The first stage of dvc.yaml calls this, so that DVC calls a stage just when something of it is edited.
"""

import argparse

from twostream import cli
from twostream.files import write_json
from twostream.loading import load
from twostream.plan import Plan
from twostream.stages import PLANNED, planned


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    for stage, artefacts in planned(Plan(load())).items():
        write_json(PLANNED.format(stage=stage), artefacts)


if __name__ == "__main__":
    cli.run(main)

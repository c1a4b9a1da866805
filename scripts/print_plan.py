"""Print what the plan says of artefacts, as JSON: each one's spec, its recipe, and what it is made from.

`python scripts/print_plan.py FOLDER` reads the configuration in FOLDER and a JSON list of artefacts from
standard input. Later versions of this project ask an earlier one by it what was current then (see
`accept_results.py`), so its form stays.
"""

import argparse
import json
import sys

from twostream import cli
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.plan import Plan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="folder of the configuration")
    plan, found = Plan(load_config(parser.parse_args().config)), {}
    for artefact in json.load(sys.stdin):
        try:
            step = plan.step_of(artefact)
        except UserError as error:
            print(f"{artefact}: {error}", file=sys.stderr)
            continue
        if step:
            found[artefact] = {
                "spec": step.spec,
                "recipe": step.short_recipe,
                "settled": step.settled,
                "inputs": step.files_by_name,
            }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    cli.run(main)

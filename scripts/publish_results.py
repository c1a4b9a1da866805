"""Copy the results of a run to docs/results/SCALE, from which documents take their numbers; then commit them.

All tables, claims and figures must be current and of the scale, else nothing is copied. If they were computed
portably, the digests of all that they were made from are written too: `make reproduce` compares them.
"""

import argparse

from twostream import cli
from twostream.config.loading import load_config
from twostream.plan.plan import Plan
from twostream.plan.publishing import publish
from twostream.provenance.locks import lock_folder
from twostream.results.documents import PUBLISHED


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    plan = Plan(load_config(overrides={"scale": args.scale} if args.scale else None))
    lock_folder()
    folder = PUBLISHED / plan.config.scale_name
    publish(plan, folder)
    print(f"{folder}: holds the results; `python scripts/write_documents.py` takes them into the documents")


if __name__ == "__main__":
    cli.run(main)

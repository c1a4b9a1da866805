"""Push models, score files and tables to a folder or a DVC remote, for others to pull, with their checksums.

Where it is a folder, others need no account: they add it (or a copy of it) as a remote and pull.
"""

import argparse

from twostream import cli
from twostream.config.loading import load_config
from twostream.plan.model_publishing import STAGES, publish_models
from twostream.plan.plan import Plan
from twostream.provenance.locks import lock_folder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--to", required=True, help="a folder, or the name of a DVC remote")
    args = parser.parse_args()
    # DVC records the scale of config.yaml, whatever a command line says.
    plan = Plan(load_config())
    lock_folder()
    count, place = publish_models(plan, args.to)
    print(
        f"{place}: names {count} files and their checksums. Commit and push dvc.lock; others then say\n"
        f"  dvc remote add --default published WHERE && dvc pull {' '.join(STAGES)}"
    )


if __name__ == "__main__":
    cli.run(main)

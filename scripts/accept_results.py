"""Accept the results that are there under code that has changed since, where it cannot matter.

After a change that provably changes no result (a log line, a message) `python scripts/accept_results.py
--reason "a log line in training.py"` gives each artefact that only the code has made stale the spec it
would now be made by, so that nothing is made again. Its record keeps what was accepted, why and when.
What has another recipe, or was made from other inputs, is named and stays stale.
"""

import argparse

from twostream import cli, paths
from twostream.acceptance import Acceptance
from twostream.files import UserError
from twostream.loading import load
from twostream.locking import lock_folder
from twostream.plan import Plan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reason", required=True, help="why the change cannot matter, for the records")
    parser.add_argument("artefacts", nargs="*", help="what to accept; without any, all that is there")
    args = parser.parse_args()
    plan = Plan(load())
    lock_folder()
    acceptance = Acceptance(args.reason)
    for artefact in args.artefacts or paths.artefacts_here():
        if step := plan.step_of(artefact):
            acceptance.accept(artefact, step)
        elif args.artefacts:
            raise UserError(f"{artefact}: the configuration names no such artefact")
    print(f"accepted under the present code: {len(acceptance.accepted)}")
    for artefact, why in acceptance.refused.items():
        print(f"{artefact}: not accepted: {why}")


if __name__ == "__main__":
    cli.run(main)

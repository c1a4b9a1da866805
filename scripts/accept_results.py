"""Accept the results that are there under code that has changed since, where it cannot matter.

After a change that provably changes no result (a log line, a message) `python scripts/accept_results.py
--reason "a log line in training.py"` gives each artefact that was current before, by the scripts of the
last commit (or that of --since, if the change is committed), the spec it would now be made by, so that
nothing is made again. Its record keeps what was accepted, why and when. What anything else has made
stale is named and stays so. It goes by the scale in config.yaml.
"""

import argparse

from twostream import cli, paths
from twostream.acceptance import Acceptance, scripts_of
from twostream.files import UserError
from twostream.loading import load
from twostream.locking import lock_folder
from twostream.plan import Plan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reason", required=True, help="why the change cannot matter, for the records")
    parser.add_argument("--since", default="HEAD", help="commit before the change (default: HEAD)")
    parser.add_argument("artefacts", nargs="*", help="what to accept; without any, all that is here")
    args = parser.parse_args()
    if not args.reason.strip():
        parser.error("--reason: say why the change cannot matter")
    plan = Plan(load())
    lock_folder()
    with scripts_of(args.since) as before:
        acceptance = Acceptance(args.reason, before)
        for artefact in args.artefacts or paths.artefacts_here():
            if step := plan.step_of(artefact):
                acceptance.accept(artefact, step)
            elif args.artefacts:
                raise UserError(f"{artefact}: the configuration names no such artefact")
    changed = ", ".join(sorted(acceptance.modules)) or "nothing"
    print(f"changed since {args.since}: {changed}; accepted: {len(acceptance.accepted)} artefacts")
    for artefact, why in acceptance.refused.items():
        print(f"{artefact}: not accepted: {why}")


if __name__ == "__main__":
    cli.run(main)

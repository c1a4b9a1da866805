"""Keep the results that are there under code that has changed since, where it cannot matter.

After a change that changes no result (a log line, a new version of this project) this gives each artefact
that was current before, by the planner of the last commit (or of the one named by --since, if the change is
committed), the spec that it would now be made by, so that nothing is made again. Its recipe must be the
same but for keys that have their default. It first says what it takes and what not, and why; with -n that
is all. Each record keeps what was accepted, why and when. It goes by the scale in config.yaml.

Code that only moved, or that was certified to give the same bytes (equivalences.json), needs no more than a
reason. Where code really changed its modules are named, and what it made is taken only with --changed-code.
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.plan import Plan
from twostream.provenance.acceptance import MADE_FROM, Acceptance
from twostream.provenance.locks import lock_folder
from twostream.provenance.old_plan import old_plan
from twostream.provenance.steps import with_upstream

# So many artefacts that are refused for the same reason are named, and the others counted.
NAMED = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reason", required=True, help="why the change cannot matter, for the records")
    parser.add_argument("--since", default="HEAD", help="commit that the results are of (default: HEAD)")
    parser.add_argument("--changed-code", action="store_true", help="take also what other code made")
    parser.add_argument("-n", "--dry-run", action="store_true", help="only say what would be taken")
    parser.add_argument("artefacts", nargs="*", help="what to accept; without any, all that is here")
    args = parser.parse_args()
    if not args.reason.strip():
        parser.error("--reason: say why the change cannot matter")
    plan = Plan(load_config())
    if not args.dry_run:
        lock_folder()
    here = paths.artefacts_here()
    steps = [step for artefact in here if (step := plan.step_of(artefact))]
    asked = {output: None for step in with_upstream(steps) for output in step.outputs}
    with old_plan(args.since, list(asked)) as old:
        acceptance = Acceptance(old, args.changed_code)
        for artefact in args.artefacts or here:
            if step := plan.step_of(artefact):
                acceptance.consider(artefact, step)
            elif args.artefacts:
                raise UserError(f"{artefact}: the configuration names no such artefact")
        tell(acceptance, args.since)
        if not args.dry_run:
            acceptance.write(args.reason)
            print(f"accepted: {len(acceptance.taken)} artefacts")


def tell(acceptance: Acceptance, since: str) -> None:
    """Print what is taken and what is not."""
    changed = ", ".join(sorted(acceptance.modules)) or "nothing"
    print(f"code that really changed since {since}: {changed}")
    print(f"to be accepted: {len(acceptance.taken)} artefacts, not: {len(acceptance.refused)}")
    for why, artefacts in grouped(acceptance.refused).items():
        more = f" and {len(artefacts) - NAMED} more" if len(artefacts) > NAMED else ""
        print(f"not accepted: {', '.join(artefacts[:NAMED])}{more}: {why}")


def grouped(refused: Mapping[str, str]) -> dict[str, list[str]]:
    """The artefacts of each reason; all that are refused for what they are made from in one."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for artefact, why in refused.items():
        by_reason["it is made from those" if why.startswith(MADE_FROM) else why].append(artefact)
    return by_reason


if __name__ == "__main__":
    cli.run(main)

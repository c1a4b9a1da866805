"""Certify that today's code gives the bytes of an earlier commit's, by comparing two workspaces.

Both were run to their end by the same configuration: BEFORE by the code of that commit, and this folder by
today's. The code of each step all of whose artefacts came out the same, byte for byte, is written into
equivalences.json, so that whoever has results of that commit keeps them (`accept_results.py`).
"""

import argparse
import subprocess
from collections import defaultdict
from contextlib import chdir
from filecmp import cmp
from pathlib import Path

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.plan import Plan
from twostream.provenance.equivalence import Equivalence, certify
from twostream.provenance.old_plan import old_plan
from twostream.provenance.records import read_record
from twostream.provenance.specs import code_parts
from twostream.provenance.staleness import check_unchanged, is_current
from twostream.provenance.steps import Step


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, metavar="BEFORE", help="the workspace of the earlier code")
    parser.add_argument("--checked", required=True, help="on what and where: scale, processor, date")
    args = parser.parse_args()
    if changes := _git(args.before, "status", "--porcelain", "scripts", "config"):
        raise UserError(f"{args.before}: scripts or config are not those of a commit: {changes}")
    certified = _certified(args.before)
    if not certified:
        raise UserError(f"{args.before}: holds no artefact that was made there and here to the same bytes")
    steps = [step for made in certified.values() for step in made]
    certify(
        Equivalence(
            since=_git(args.before, "rev-parse", "HEAD"),
            scripts_hash=_git(args.before, "rev-parse", "HEAD:scripts"),
            checked=args.checked,
            code={step.code: step.script for step in steps},
            parts={k: v for step in steps for k, v in code_parts(step.script, step.modules).items()},
        )
    )
    for code, made in certified.items():
        print(f"{made[0].script} ({code}): certified by {len(made)} artefacts")


def _certified(before: Path) -> dict[str, list[Step]]:
    """The code all of whose artefacts are the same in both workspaces, with the step of each."""
    plan = Plan(load_config())
    steps = {artefact: plan.step_of(artefact) for artefact in paths.artefacts_here()}
    made_here = {
        a: step for a, step in steps.items() if step and is_current(a, step.spec) and not _accepted(a)
    }
    same: dict[str, list[Step]] = defaultdict(list)
    other: set[str] = set()
    for artefact in _made_by_its_code(before, list(made_here)):
        check_unchanged(artefact)
        step = made_here[artefact]
        if all(cmp(file, before / file, shallow=False) for file in paths.companion_files(artefact)):
            same[step.code].append(step)
        else:
            other.add(step.code)
            print(f"{artefact}: is not the same")
    return {code: made for code, made in same.items() if code not in other}


def _accepted(artefact: str) -> bool:
    """Whether an artefact was accepted where it lies, and so not made by the code that its record names."""
    return bool((read_record(artefact) or {}).get("accepted"))


def _made_by_its_code(folder: Path, artefacts: list[str]) -> list[str]:
    """Those of the artefacts that lie in a workspace as the code of its commit made them."""
    found = []
    with chdir(folder), old_plan("HEAD", artefacts) as old:
        for artefact in artefacts:
            record = read_record(artefact)
            if record and Path(artefact).exists() and not _accepted(artefact):
                check_unchanged(artefact)
                if old.planned(artefact, record["spec"]):
                    found.append(artefact)
    return found


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{folder}: is no checkout of git: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    cli.run(main)

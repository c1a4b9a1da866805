"""Certify that today's code gives the bytes of an earlier commit's, by comparing two workspaces.

Both were run to their end by the same configuration: BEFORE by the code of that commit, and this folder by
today's. The code of each step all of whose artefacts came out the same, byte for byte, is written into
equivalences.json, so that whoever has results of that commit keeps them (`accept_results.py`).
"""

import argparse
import subprocess
from collections import Counter
from filecmp import cmp
from pathlib import Path

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.plan import Plan
from twostream.provenance.equivalence import Equivalence, certify
from twostream.provenance.records import read_record
from twostream.provenance.staleness import check_unchanged, is_current


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, metavar="BEFORE", help="the workspace of the earlier code")
    parser.add_argument("--checked", required=True, help="on what and where: scale, processor, date")
    args = parser.parse_args()
    plan, scripts = Plan(load_config()), {}
    same: Counter[str] = Counter()
    other: set[str] = set()
    for artefact in paths.artefacts_here():
        step = plan.step_of(artefact)
        if step is None or not is_current(artefact, step) or not (args.before / artefact).exists():
            continue
        if (read_record(artefact) or {}).get("accepted"):
            print(f"{artefact}: was accepted here, and not made by today's code; it certifies nothing")
            continue
        check_unchanged(artefact)
        scripts[step.code] = step.script
        if all(cmp(file, args.before / file, shallow=False) for file in paths.companion_files(artefact)):
            same[step.code] += 1
        else:
            other.add(step.code)
            print(f"{artefact}: is not the same")
    if changes := _git(args.before, "status", "--porcelain", "scripts", "config"):
        raise UserError(f"{args.before}: scripts or config are not those of a commit: {changes}")
    code = {digest: script for digest, script in scripts.items() if digest not in other}
    if not code:
        raise UserError(f"{args.before}: holds no artefact that this folder has too, of the same bytes")
    certify(
        Equivalence(
            since=_git(args.before, "rev-parse", "HEAD"),
            scripts_hash=_git(args.before, "rev-parse", "HEAD:scripts"),
            checked=args.checked,
            code=code,
        )
    )
    for digest, script in code.items():
        print(f"{script} ({digest}): certified by {same[digest]} artefacts")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"{folder}: is no checkout of git: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    cli.run(main)

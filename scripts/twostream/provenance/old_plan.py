"""What an earlier commit planned: asked of that commit's own planner, in a checkout of it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

from twostream.files import UserError

PLANNER = Path("scripts/print_plan.py")

# Commit 4cb32ef has no PLANNER; this asks its plan. It can go when nobody has results of that time.
ADAPTER = """
import json, sys
from twostream.files import UserError
from twostream.loading import load
from twostream.plan import Plan
plan, found = Plan(load(sys.argv[1])), {}
for artefact in json.load(sys.stdin):
    try:
        step = plan.step_of(artefact)
    except UserError:
        step = None
    if step:
        found[artefact] = {"spec": step.spec, "recipe": json.loads(step.recipe_json)}
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True)
class Planned:
    """What a planner says of an artefact: its spec, and its recipe without keys that have their default.

    Later than commit 4cb32ef also what names in the recipe stand for, and the files that it is made from by
    name.
    """

    spec: str
    recipe: Any
    settled: Any = None
    inputs: Any = None


@dataclass(frozen=True)
class OldPlan:
    """What a commit planned, by its own configuration and by that which is here now, and its code."""

    commit: str
    scripts: Path
    """The folder with its scripts."""
    scripts_hash: str
    """Git's hash of these: commits with the same code have the same."""
    plans: list[dict[str, Planned]]

    def planned(self, artefact: str, spec: str | None) -> Planned | None:
        """Return what a plan said of an artefact that had this spec by it; None if it had by none."""
        found = (plan.get(artefact) for plan in self.plans)
        return next((planned for planned in found if planned and planned.spec == spec), None)

    def spec_beside(self, artefact: str, then: Planned, other: str) -> str | None:
        """Return the spec of another artefact by the plan that said this of the first."""
        plan = next(plan for plan in self.plans if plan.get(artefact) == then)
        return plan[other].spec if other in plan else None


@contextmanager
def old_plan(commit: str, artefacts: Sequence[str]) -> Iterator[OldPlan]:
    """Yield what a commit planned for some artefacts; its scripts are there until the block ends.

    Raises UserError if git has no such commit, it cannot be checked out, or its planner cannot be run.
    """
    full = _git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").strip()
    if not full:
        raise UserError(
            f"{commit}: git knows no such commit in this folder; fetch it (`git fetch`, with --unshallow for"
            " a shallow clone), or name the one that the results were made at (`git log -- scripts config`;"
            " their records say when: `started`)"
        )
    with TemporaryDirectory() as folder:
        tree = Path(folder)
        _check_out(commit, full, tree)
        configurations = [tree / "config", Path("config")]
        answers = [_ask(tree, configuration, artefacts) for configuration in configurations]
        plans = [plan for plan in answers if isinstance(plan, dict)]
        if not plans:
            raise UserError(f"{commit}: its planner cannot be run here: {answers[0]}")
        scripts_hash = _git("rev-parse", f"{full}:scripts").strip()
        yield OldPlan(full, tree / "scripts", scripts_hash, plans)


def _git(*arguments: str) -> str:
    """Git's answer; nothing where it has none."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise UserError("git is not installed, which has the earlier code; install it") from None
    return done.stdout if done.returncode == 0 else ""


def _check_out(name: str, commit: str, folder: Path) -> None:
    # An archive, as a work tree of git's would have to be taken down again, also after a kill.
    command = ["git", "archive", "--format=zip", commit, "scripts", "config"]
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        raise UserError(f"{name}: cannot be checked out: {done.stderr.decode().strip()}")
    with ZipFile(io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder)


def _ask(tree: Path, configuration: Path, artefacts: Sequence[str]) -> dict[str, Planned] | str:
    """A commit's plan by a configuration; the end of what was said, if it could not be had."""
    command = [str(tree / PLANNER)] if (tree / PLANNER).exists() else ["-c", ADAPTER]
    done = subprocess.run(
        [sys.executable, *command, str(configuration)],
        env=os.environ | {"PYTHONPATH": str(tree / "scripts"), "PYTHONDONTWRITEBYTECODE": "1"},
        input=json.dumps(list(artefacts)),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr.strip()[-500:]
    return {artefact: Planned(**planned) for artefact, planned in json.loads(done.stdout).items()}

"""Results accepted under other code than they were made by, on record."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import UserError, write_json
from twostream.provenance.equivalence import certified
from twostream.provenance.explanation import IMPORTS, changes, differing_code
from twostream.provenance.old_plan import OldPlan, Planned
from twostream.provenance.records import FORM, read_record, run_of
from twostream.provenance.specs import code_digest, code_parts
from twostream.provenance.staleness import Seen, content_changed, is_current
from twostream.provenance.steps import Step


@dataclass
class Acceptance:
    """What may be taken over: what was current by an earlier plan and has the same recipe in today's.

    Artefacts whose code really changed (more than its place, comments and formatting, and not certified
    to give the same bytes) are taken only with `changed_code`.
    """

    old: OldPlan
    changed_code: bool
    taken: dict[str, Step] = field(default_factory=dict)
    """In such an order that what something is made from comes before it."""
    refused: dict[str, str] = field(default_factory=dict)
    """Each artefact that stays stale, and why."""
    modules: set[str] = field(default_factory=set)
    """The scripts and modules whose code really changed."""
    seen: Seen = field(default_factory=Seen)
    _decided: set[str] = field(default_factory=set)

    def consider(self, artefact: str, step: Step, spec: str | None = None) -> None:
        """Decide on an artefact, and first on what it is made from.

        One that is not here is judged as others that were made from it know it, by its `spec` then: who has
        pulled scores alone keeps these.
        """
        if artefact in self._decided:
            return
        self._decided.add(artefact)
        try:
            record = read_record(artefact) if Path(artefact).exists() else None
            if record and is_current(artefact, step.spec):
                return
        except UserError as error:
            self.refused[artefact] = str(error)
            return
        then = self.old.planned(artefact, record["spec"] if record else spec)
        specs = {file: made["spec"] for file, made in record["made_from"].items()} if record else {}
        for upstream in step.made_from:
            for file in upstream.outputs:
                known = specs.get(file) or (self.old.spec_beside(artefact, then, file) if then else None)
                self.consider(file, upstream, known)
        if why := self._obstacle(artefact, step, record, then):
            self.refused[artefact] = why
        elif record:
            self.taken[artefact] = step

    def write(self, reason: str) -> None:
        """Give what is taken the specs that it would now be made by; the records keep what was, and why."""
        self.seen.save()
        for artefact, step in self.taken.items():
            record = read_record(artefact) or {}
            was = {
                "spec": record["spec"],
                "commit": self.old.commit,
                "reason": reason,
                "accepted": time.strftime("%Y-%m-%d"),
            }
            specs = step.whole_spec.made_from
            made_from = record["made_from"].items()
            changed = {
                "form": FORM,
                "spec": step.spec,
                "settled": step.settled,
                "code": code_parts(step.script, step.modules),
                "made_from": {file: made | {"spec": specs[file]} for file, made in made_from},
                "accepted": [*record.get("accepted", []), was],
            }
            write_json(paths.record(artefact), record | changed)

    def _obstacle(
        self, artefact: str, step: Step, record: dict[str, Any] | None, then: Planned | None
    ) -> str | None:
        if record is None and then is None:
            return "it is not here, or has no record"
        if record:
            try:
                self.seen.check(artefact)
            except UserError as error:
                return str(error)
        if why := self._changed_upstream(step, record):
            return why
        if record and step.spec in {accepted["spec"] for accepted in record.get("accepted", [])}:
            return None  # It is what it was made by, before something else was accepted.
        if then is None:
            return self._not_current(artefact, record or {})
        return _changed_recipe(then, step) or self._changed_code(step)

    def _not_current(self, artefact: str, record: dict[str, Any]) -> str:
        run = run_of(artefact, record) if record else {}
        python = run.get("versions", {}).get("python", "unknown")
        note = "" if "form" in record else f", or by another Python than {python}, on which specs hung then"
        return (
            f"it was not current at {self.old.commit[:12]}: made by other code, another recipe, or from other"
            f" data{note} (begun {run.get('started', 'at a time unknown')})"
        )

    def _changed_upstream(self, step: Step, record: dict[str, Any] | None) -> str | None:
        if refused := next((file for file in step.inputs if file in self.refused), None):
            return f"{MADE_FROM} {refused}"
        if record is None:
            return None
        made_from = record["made_from"]
        others = (file for file, made in made_from.items() if content_changed(file, made["sha256"]))
        if other := next(others, None):
            return f"it was made from another {other}"
        if unlike := sorted(set(made_from) ^ set(step.inputs)):
            return f"it is not made from the same files: {unlike[0]}"
        return None

    def _changed_code(self, step: Step) -> str | None:
        try:
            then = code_digest(step.script, step.modules, self.old.scripts)
            before = code_parts(step.script, step.modules, self.old.scripts)
        except (FileNotFoundError, UserError):  # a script or module that there was not, or not in this form
            then, before = "", {}
        known = certified(self.old.scripts_hash)
        if step.code == then or (known and step.code in known.code):
            return None
        if known and step.script in known.code.values():
            # It was certified once, so what matters is what has changed since.
            before = known.parts
        now = code_parts(step.script, step.modules)
        changed = [file for file in differing_code(before, now) if file in now] or [IMPORTS]
        self.modules |= set(changed)
        if self.changed_code:
            return None
        return f"its code really changed (--changed-code takes it): {', '.join(changed)}"


# Of an artefact that is refused for what is upstream alone.
MADE_FROM = "it is made from what is not accepted:"


def _changed_recipe(then: Planned, step: Step) -> str | None:
    now = step.short_recipe
    if then.recipe != now:
        return f"its recipe is another: {'; '.join(changes(then.recipe, now))}"
    # Commit 4cb32ef does not tell these.
    if then.settled is not None and then.settled != json.loads(json.dumps(step.settled)):
        return f"what its recipe names is another: {'; '.join(changes(then.settled, step.settled))}"
    if then.inputs is not None and then.inputs != step.files_by_name:
        return "it is made from the same files in other places"
    return None

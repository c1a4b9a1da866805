"""Results accepted under other code than they were made by, on record."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import UserError, write_json
from twostream.provenance.equivalence import is_certified
from twostream.provenance.explanation import changes, differing_code
from twostream.provenance.old_plan import OldPlan
from twostream.provenance.records import FORM, read_record
from twostream.provenance.specs import code_digest, code_parts
from twostream.provenance.staleness import check_unchanged, content_changed, is_current
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

    def consider(self, artefact: str, step: Step) -> None:
        """Decide on an artefact, and first on what it is made from."""
        if artefact in self.taken or artefact in self.refused or is_current(artefact, step):
            return
        for upstream in step.made_from:
            for file in upstream.outputs:
                self.consider(file, upstream)
        if why := self._obstacle(artefact, step):
            self.refused[artefact] = why
        else:
            self.taken[artefact] = step

    def write(self, reason: str) -> None:
        """Give what is taken the specs that it would now be made by; the records keep what was, and why."""
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
                "code": code_parts(step.script, step.modules),
                "made_from": {file: made | {"spec": specs[file]} for file, made in made_from},
                "accepted": [*record.get("accepted", []), was],
            }
            write_json(paths.record(artefact), record | changed)

    def _obstacle(self, artefact: str, step: Step) -> str | None:
        try:
            record = read_record(artefact)
            if record is None or not Path(artefact).exists():
                return "it is not here, or has no record"
            check_unchanged(artefact)
        except UserError as error:
            return str(error)
        return (
            self._changed_recipe(artefact, record, step)
            or self._changed_upstream(record, step)
            or self._changed_code(step)
        )

    def _changed_recipe(self, artefact: str, record: dict[str, Any], step: Step) -> str | None:
        then = self.old.of_record(artefact, record["spec"])
        if then is None:
            return (
                f"it was not current at {self.old.commit[:12]}, but made by other code or another recipe, or"
                f" from other data (begun {record.get('started', 'at a time unknown')}, Python"
                f" {record.get('versions', {}).get('python', 'unknown')}; before this project's records had"
                " forms, specs were those of one version of Python)"
            )
        now = json.loads(step.recipe_json)
        return (
            None if then.recipe == now else f"its recipe is another: {'; '.join(changes(then.recipe, now))}"
        )

    def _changed_upstream(self, record: dict[str, Any], step: Step) -> str | None:
        made_from, now = record["made_from"], step.inputs
        if other := next(
            (file for file, made in made_from.items() if content_changed(file, made["sha256"])), None
        ):
            return f"it was made from another {other}"
        if set(made_from) != set(now):
            return f"it is not made from the same files: {sorted(set(made_from) ^ set(now))[0]}"
        refused = next((file for file in now if file in self.refused), None)
        return f"it was made from {refused}, which is not accepted" if refused else None

    def _changed_code(self, step: Step) -> str | None:
        try:
            then = code_digest(step.script, step.modules, self.old.scripts)
            parts = code_parts(step.script, step.modules, self.old.scripts)
        except FileNotFoundError:  # a script or module that there was not
            then, parts = "", {}
        if step.code == then or is_certified(step.code, self.old.scripts_hash):
            return None
        changed = differing_code(parts, code_parts(step.script, step.modules))
        self.modules |= set(changed)
        if self.changed_code:
            return None
        return f"its code really changed: {', '.join(changed) or 'what its modules import of each other'}"

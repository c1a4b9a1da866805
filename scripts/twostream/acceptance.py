"""Results accepted under changed code, on record."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import write_json
from twostream.plan import Step
from twostream.provenance import check_unchanged, is_current
from twostream.records import read_record


@dataclass
class Acceptance:
    """What one call accepts, for one reason."""

    reason: str
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Each artefact that stays stale, and why."""

    def accept(self, artefact: str, step: Step) -> None:
        """Accept an artefact, and first what it was made from, if code alone has changed since.

        It needs the recipe that the plan gives, and to be made from what is there now or was accepted.
        Raises UserError if an artefact is not what its record says.
        """
        if artefact in self.accepted or artefact in self.refused or is_current(artefact, step):
            return
        for upstream in step.made_from:
            for file in upstream.outputs:
                self.accept(file, upstream)
        if why := self._obstacle(artefact, step):
            self.refused[artefact] = why
            return
        record = read_record(artefact) or {}
        check_unchanged(Path(artefact))
        was = {"spec": record["spec"], "reason": self.reason, "accepted": time.strftime("%Y-%m-%d")}
        record |= {"spec": step.spec, "accepted": [*record.get("accepted", []), was]}
        write_json(paths.record(artefact), record)
        self.accepted.append(artefact)

    def _obstacle(self, artefact: str, step: Step) -> str | None:
        record = read_record(artefact)
        if record is None or not Path(artefact).exists():
            return "it is not there, or has no record"
        if record["recipe"] != step.recipe.model_dump(mode="json"):
            return "its recipe has changed"
        planned = {file: upstream.spec for upstream in step.made_from for file in upstream.outputs}
        if set(planned) != set(record["made_from"]):
            return "it was made from other files"
        for file, spec in planned.items():
            known = _specs(read_record(file) or {})
            if spec not in known or record["made_from"][file] not in known:
                return f"{file}, which it was made from, has changed or is not there"
        return None


def _specs(record: dict[str, Any]) -> set[str]:
    """The specs that an artefact has had, as made and as accepted."""
    return {record.get("spec", ""), *(accepted["spec"] for accepted in record.get("accepted", []))}

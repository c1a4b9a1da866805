"""Which artefacts are current, by their records, told to Snakemake in the one language it trusts: times.

An artefact is current if its record has the spec that the plan gives it. A record lies beside its
artefact and travels with it, so this holds on any clone, whatever Snakemake remembers of past calls
and whatever times a checkout leaves on files. For each artefact there is a marker, an input of its
rule: newer than the artefact if that is stale, older than all files if not. And a current artefact
that is older than what it was made from, in an order that only a checkout can have made, is touched.
"""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twostream import paths
from twostream.files import UserError, sha256

if TYPE_CHECKING:
    from twostream.plan import Step

LONG_AGO = 1.0


@dataclass
class Provenance:
    """What is current in this folder; each artefact is looked at once."""

    _times: dict[str, float | None] = field(default_factory=dict)

    def marker(self, artefact: str, step: "Step") -> str:
        """Return the marker of one of a step's artefacts, set to tell whether that is current.

        Raises UserError if the artefact is not what its record says.
        """
        marker = Path(paths.MARKER.format(artefact=artefact))
        marker.parent.mkdir(parents=True, exist_ok=True)
        stale = Path(artefact).exists() and self._settle(artefact, step) is None
        # Snakemake also compares the contents of files as small as this.
        marker.write_text(f"not of {step.spec}, {time.time_ns()}" if stale else "")
        if not stale:
            os.utime(marker, (LONG_AGO, LONG_AGO))
        return str(marker)

    def _settle(self, artefact: str, step: "Step") -> float | None:
        """Return the time of a current artefact, no older than what it was made from; else None."""
        if artefact not in self._times:
            self._times[artefact] = self._settled(Path(artefact), step)
        return self._times[artefact]

    def _settled(self, artefact: Path, step: "Step") -> float | None:
        made_from = [self._settle(output, s) for s in step.made_from for output in s.outputs]
        record = _read(Path(paths.record(artefact)))
        if not artefact.exists() or record is None or record["spec"] != step.spec:
            return None
        _check_unchanged(artefact, record)
        files = [file for file in artefact.parent.glob(f"{artefact.stem}.*") if file.suffix != ".part"]
        newest = max((made for made in made_from if made is not None), default=0.0)
        if min(file.stat().st_mtime for file in files) < newest:
            for file in files:
                os.utime(file)
        return max(file.stat().st_mtime for file in files)


def _read(record: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(record.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{record}: cannot be read: {error}; delete it, or get it again") from None
    return content


def _check_unchanged(artefact: Path, record: dict[str, Any]) -> None:
    """Raise UserError if the artefact has changed since its record, which is written after it."""
    written = Path(paths.record(artefact)).stat().st_mtime
    if artefact.stat().st_mtime <= written:
        return
    if sha256(artefact) != record["sha256"]:
        raise UserError(
            f"{artefact}: is not what its record says it was when it was made; delete it to have it made"
            " again, or get it back (`dvc checkout`)"
        )
    os.utime(artefact, (written, written))

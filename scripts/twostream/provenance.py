"""Which artefacts are current: told by their records, and to Snakemake in the one language it trusts: times.

An artefact is current if its record has the spec that the plan gives it, and the checksums of what it
was made from are those of what is here. A record lies beside its
artefact and travels with it, so this holds on any clone, whatever Snakemake remembers of past calls
and whatever times a checkout leaves on files. For Snakemake each artefact has a spec file, an input of
its rule: newer than the artefact if that is stale. The records of what it is made from are inputs too,
so that a job that runs has those run that need it; those of current artefacts, and their spec files,
are dated LONG_AGO. The artefacts themselves are `ancient` inputs, and their times left alone.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import UserError, sha256
from twostream.records import read_record
from twostream.specs import Spec
from twostream.steps import Step

LONG_AGO = 1.0
# Larger files take a while to compare, so it is told.
TOLD_BYTES = 50_000_000


class SpecFile(Spec):
    """A spec, and what was seen of the artefact when the file was written."""

    seen: str


def spec_file(artefact: str, step: Step) -> str:
    """Return the spec file of one of a step's artefacts, written anew and dated.

    Raises UserError if an artefact that is current by its record is not what that says.
    """
    file = Path(paths.SPEC.format(artefact=artefact, spec=step.spec))
    # What is missing is made if it is needed, and no date must say that it is.
    seen, date = "missing", LONG_AGO
    if is_current(artefact, step):
        seen = _stamp(artefact)
        if _seen(file) != seen:
            check_unchanged(artefact)
    elif Path(artefact).exists():
        # Never the same, as Snakemake also compares the contents of small files with what it remembers.
        seen = f"stale at {time.time_ns()}"
        date = max(time.time(), Path(artefact).stat().st_mtime + 1)
    if date == LONG_AGO:
        _date_record(artefact)
    content = SpecFile(seen=seen, **step.whole_spec.model_dump())
    file.parent.mkdir(parents=True, exist_ok=True)
    _replace(file, content.model_dump_json(indent=2), date)
    return str(file)


def is_current(artefact: str, step: Step) -> bool:
    """Whether an artefact is here whole, has the spec that it should have, and was made from what is here."""
    record = read_record(artefact)
    return (
        record is not None
        and record["spec"] == step.spec
        and all(Path(file).exists() for file in (artefact, *record["files"]))
        and not any(is_another(file, made["sha256"]) for file, made in record["made_from"].items())
    )


def is_another(file: str, sha256_then: str) -> bool:
    """Whether an artefact is here by its record, and has other bytes than it had once."""
    record = read_record(file)
    return record is not None and record["files"].get(file, {}).get("sha256") != sha256_then


def _stamp(artefact: str) -> str:
    record = read_record(artefact) or {"files": {}}
    return "; ".join(f"{file}: {_size_and_time(file)}" for file in sorted(record["files"]))


def _size_and_time(file: str) -> tuple[int, int]:
    found = Path(file).stat()
    return found.st_size, found.st_mtime_ns


def _seen(file: Path) -> str | None:
    try:
        return SpecFile.model_validate_json(file.read_text()).seen
    except (OSError, ValueError):
        return None


def check_unchanged(artefact: str) -> None:
    """Raise UserError if an artefact, or what was written with it, is not what its record says."""
    record = read_record(artefact) or {"files": {}}
    for file in came_through_dvc(record):
        if Path(file).stat().st_size > TOLD_BYTES:
            print(f"{file}: written anew since it was made; comparing checksums", file=sys.stderr, flush=True)
        if sha256(file) != record["files"][file]["sha256"]:
            raise UserError(
                f"{file}: is not what the record says it was when it was made; get it back (`dvc checkout`),"
                " or delete it to have it made again"
            )


def came_through_dvc(record: dict[str, Any]) -> list[str]:
    """The files of a record that were written anew since they were made: by a checkout, or a hand."""
    return [
        file
        for file, state in record["files"].items()
        if Path(file).exists() and _size_and_time(file) != (state["size"], state["mtime_ns"])
    ]


def _date_record(artefact: str) -> None:
    record = Path(paths.record(artefact))
    if record.exists() and record.stat().st_mtime != LONG_AGO:
        # A copy in its place: it may be a link into DVC's cache, which is not ours to change.
        _replace(record, record.read_text(), LONG_AGO)


def _replace(file: Path, text: str, date: float) -> None:
    # Under a name of this process alone, as dry runs may write beside a call that is at work.
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(text)
    os.utime(part, (date, date))
    part.replace(file)

"""Which artefacts are current: told by their records, and to Snakemake in the one language it trusts: times.

An artefact is current if its record has the spec that the plan gives it. A record lies beside its
artefact and travels with it, so this holds on any clone, whatever Snakemake remembers of past calls
and whatever times a checkout leaves on files. For Snakemake each artefact has a spec file, an input of
its rule: newer than the artefact if that is stale. The records of what it is made from are inputs too,
so that a job that runs has those run that need it; those of current artefacts, and their spec files,
are dated LONG_AGO. The artefacts themselves are `ancient` inputs, and their times left alone.
"""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twostream import paths
from twostream.files import UserError, sha256
from twostream.records import read_record
from twostream.specs import Spec

if TYPE_CHECKING:
    from twostream.plan import Step

LONG_AGO = 1.0


class SpecFile(Spec):
    """A spec, and what was seen of the artefact when the file was written."""

    seen: str


def spec_file(artefact: str, step: "Step") -> str:
    """Return the spec file of one of a step's artefacts, written anew and dated.

    Raises UserError if the artefact is not what its record says.
    """
    file = Path(paths.SPEC.format(artefact=artefact, spec=step.spec))
    # What is missing is made if it is needed, and no date must say that it is.
    seen, date = "missing", LONG_AGO
    if is_current(artefact, step):
        seen = _stamp(Path(artefact))
        if _seen(file) != seen:
            check_unchanged(Path(artefact))
        _date_record(artefact)
    elif Path(artefact).exists():
        # Never the same, as Snakemake also compares the contents of small files with what it remembers.
        seen = f"stale at {time.time_ns()}"
        date = max(time.time(), Path(artefact).stat().st_mtime + 1)
        _unprotect(Path(artefact))
    content = SpecFile(seen=seen, **step.whole_spec.model_dump())
    file.parent.mkdir(parents=True, exist_ok=True)
    _replace(file, content.model_dump_json(indent=2), date)
    return str(file)


def is_current(artefact: str, step: "Step") -> bool:
    """Whether an artefact is there, and its record has the spec that it should have."""
    record = read_record(artefact)
    return Path(artefact).exists() and record is not None and record["spec"] == step.spec


def _stamp(artefact: Path) -> str:
    found = artefact.stat()
    return f"{found.st_size} bytes, written at {found.st_mtime_ns}"


def _seen(file: Path) -> str | None:
    try:
        return SpecFile.model_validate_json(file.read_text()).seen
    except (OSError, ValueError):
        return None


def check_unchanged(artefact: Path) -> None:
    """Raise UserError if an artefact is not what its record says it was when it was made."""
    record = read_record(artefact) or {}
    if came_through_dvc(artefact, record) and sha256(artefact) != record.get("sha256"):
        raise UserError(
            f"{artefact}: is not what its record says it was when it was made; get it back (`dvc checkout`),"
            " or delete it to have it made again"
        )


def came_through_dvc(artefact: Path, record: dict[str, Any]) -> bool:
    """Whether a file was written anew since it was made, as a checkout (or a hand) does it."""
    found = artefact.stat()
    return (found.st_size, found.st_mtime_ns) != (record.get("size"), record.get("mtime_ns"))


def _date_record(artefact: str) -> None:
    record = Path(paths.record(artefact))
    if record.stat().st_mtime != LONG_AGO:
        # A copy in its place: it may be a link into DVC's cache, which is not ours to change.
        _replace(record, record.read_text(), LONG_AGO)


def _replace(file: Path, text: str, date: float) -> None:
    # Under a name of this process alone, as dry runs may write beside a call that is at work.
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_text(text)
    os.utime(part, (date, date))
    part.replace(file)


def _unprotect(artefact: Path) -> None:
    """Let Snakemake replace a file that is a hard link into DVC's cache, which is write-protected."""
    if not os.access(artefact, os.W_OK) and not artefact.is_symlink():
        linked = Path("scratch/protected") / artefact
        linked.parent.mkdir(parents=True, exist_ok=True)
        artefact.replace(linked)
        artefact.symlink_to(linked.resolve())

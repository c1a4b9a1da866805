"""Which artefacts are current: told by their records.

An artefact is current if its record has the spec that the plan gives it, and the checksums of what it
was made from are those of what is here. A record lies beside its artefact and travels with it, so this
holds on any clone, whatever times a checkout leaves on files and whatever Snakemake remembers (`wire`
tells it). A file whose time is not that of its making (by a checkout, a hand, or Snakemake, which touches
what a job has made) is compared with its record by checksum, once: what was seen is kept in one scratch file.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.files import UserError, sha256, write_json
from twostream.provenance.records import read_record, run_of
from twostream.provenance.specs import Spec

# Larger files take a while to compare, so it is told.
TOLD_BYTES = 50_000_000
# Files whose checksum was compared with their record's: size and time (ns) then, and the checksum.
SEEN = Path("scratch/seen.json")


def is_current(artefact: str, spec: str) -> bool:
    """Whether an artefact is here whole, has the spec that it should have, and was made from what is here."""
    record = read_record(artefact)
    return (
        record is not None
        and record["spec"] == spec
        and all(Path(file).exists() for file in (artefact, *record["files"]))
        and not any(content_changed(file, made["sha256"]) for file, made in record["made_from"].items())
    )


def made_meanwhile(artefact: str, spec: Spec) -> bool:
    """Whether another job has made an artefact, by this very spec, since the job with this spec was planned.

    So it is where a head was killed, and one that was called after it asked for the artefact again.
    """
    with suppress(FileNotFoundError):
        # A network's file system may not know yet what another machine has written here, until it lists it.
        list(Path(artefact).parent.iterdir())
    return record_digest(artefact) != spec.replaces and is_current(artefact, spec.digest)


def record_digest(artefact: str) -> str | None:
    """Return the SHA-256 of the record beside an artefact; None if there is none."""
    record = Path(paths.record(artefact))
    return sha256(record) if record.exists() else None


def content_changed(file: str, sha256_then: str) -> bool:
    """Whether an artefact is here by its record, and has other bytes than it had once."""
    record = read_record(file)
    return record is not None and record["files"].get(file, {}).get("sha256") != sha256_then


class Seen:
    """The files that were compared with their records, in this call and in earlier ones."""

    def __init__(self) -> None:
        self._before = self._read()
        self._now = dict(self._before)

    @staticmethod
    def _read() -> dict[str, list[Any]]:
        try:
            content = json.loads(SEEN.read_text())
        except (OSError, ValueError):
            return {}  # It only saves time.
        return content if isinstance(content, dict) else {}

    def check(self, artefact: str) -> None:
        """Raise UserError if an artefact, or what was written with it, is not what its record says."""
        record = read_record(artefact) or {"files": {}}
        for file in rewritten_since_made(artefact, record):
            expected = record["files"][file]["sha256"]
            state = [*_size_and_time(file), expected]
            if self._now.get(file) != state:
                _compare(file, expected)
                self._now[file] = state

    def save(self) -> None:
        """Keep what was seen for later calls, if this folder can be written to."""
        if self._now != self._before:
            # Else it is compared again.
            with suppress(OSError):
                write_json(SEEN, self._now)


def check_unchanged(artefact: str) -> None:
    """Raise UserError if an artefact, or what was written with it, is not what its record says."""
    Seen().check(artefact)


def _compare(file: str, expected: str) -> None:
    if Path(file).stat().st_size > TOLD_BYTES:
        print(f"{file}: comparing its checksum with its record, once", file=sys.stderr, flush=True)
    if sha256(file) != expected:
        raise UserError(
            f"{file}: is not what the record says it was when it was made; get it back (`dvc checkout`),"
            " or delete it to have it made again"
        )


def rewritten_since_made(artefact: str, record: dict[str, Any]) -> list[str]:
    """The files in a record that were written anew since they were made: by a checkout, or a hand."""
    if not record["files"]:
        return []
    times = run_of(artefact, record).get("times", {})
    return [
        file
        for file, state in record["files"].items()
        if Path(file).exists() and _size_and_time(file) != (state["size"], times.get(file))
    ]


def _size_and_time(file: str) -> tuple[int, int]:
    found = Path(file).stat()
    return found.st_size, found.st_mtime_ns

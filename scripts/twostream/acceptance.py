"""Results accepted under changed code, on record."""

import io
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from twostream import paths
from twostream.files import UserError, write_json
from twostream.provenance import check_unchanged, is_another, is_current
from twostream.records import read_record
from twostream.specs import SCRIPTS, code_files
from twostream.steps import Step


@contextmanager
def scripts_of(commit: str) -> Iterator[Path]:
    """Yield a folder with the scripts as they were at a commit of git. Raises UserError if there is none."""
    command = ["git", "archive", "--format=zip", commit, "scripts"]
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        raise UserError(f"git has no scripts of {commit}: {done.stderr.decode().strip()}")
    with TemporaryDirectory() as folder:
        with ZipFile(io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder)
        yield Path(folder) / "scripts"


@dataclass
class Acceptance:
    """What one call accepts: what was current by the code in `before`, and only that code has made stale."""

    reason: str
    before: Path
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Each artefact that stays stale, and why."""
    modules: set[str] = field(default_factory=set)
    """The scripts and modules whose files differ."""

    def accept(self, artefact: str, step: Step) -> None:
        """Accept an artefact, and first what it was made from.

        By the code before, its record must have the very spec that the configuration gives: then recipe
        and everything upstream are the same. Raises UserError if an artefact is not what its record says.
        """
        if artefact in self.accepted or artefact in self.refused or is_current(artefact, step):
            return
        for upstream in step.made_from:
            for file in upstream.outputs:
                self.accept(file, upstream)
        if why := self._obstacle(artefact, step):
            self.refused[artefact] = why
            return
        check_unchanged(artefact)
        self._write(artefact, step)
        self.accepted.append(artefact)
        self.modules |= self._differing(step)

    def _obstacle(self, artefact: str, step: Step) -> str | None:
        record = read_record(artefact)
        if record is None or not Path(artefact).exists():
            return "it is not here, or has no record"
        if record["spec"] != self._spec_before(step):
            return (
                "more than that change has made it stale: its recipe, what it was made from, or earlier code"
            )
        made_from = record["made_from"].items()
        other = next((file for file, then in made_from if is_another(file, then["sha256"])), None)
        return f"it was made from another {other}" if other else None

    def _spec_before(self, step: Step) -> str | None:
        try:
            return step.spec_by(self.before)
        except FileNotFoundError:  # a script that there was not
            return None

    def _write(self, artefact: str, step: Step) -> None:
        record = read_record(artefact) or {}
        was = {"spec": record["spec"], "reason": self.reason, "accepted": time.strftime("%Y-%m-%d")}
        specs = step.whole_spec.made_from
        changed = {
            "spec": step.spec,
            "made_from": {file: made | {"spec": specs[file]} for file, made in record["made_from"].items()},
            "accepted": [*record.get("accepted", []), was],
        }
        write_json(paths.record(artefact), record | changed)

    def _differing(self, step: Step) -> set[str]:
        files = {*code_files(step.script), *code_files(step.script, self.before)}
        return {file for file in files if _text(self.before / file) != _text(SCRIPTS / file)}


def _text(file: Path) -> str | None:
    return file.read_text() if file.exists() else None

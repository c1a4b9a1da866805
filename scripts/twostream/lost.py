"""Refusing to make again what DVC has and a folder lacks, after a partial pull, say."""

from collections.abc import Container, Iterable
from pathlib import Path

from twostream import paths
from twostream.files import UserError
from twostream.loading import read_yaml
from twostream.provenance import came_through_dvc, is_current
from twostream.records import read_record
from twostream.stages import FOLDERS
from twostream.steps import Step

LOCK = Path("dvc.lock")
# Whoever has scores may fuse and tabulate them: that takes seconds.
COSTLY = ("extraction", "spatial", "temporal")


def check_nothing_is_lost(targets: Iterable[Step], named: Container[str]) -> None:
    """Raise UserError if making the targets takes artefacts that DVC has and this folder lacks.

    They would be made again, at the full scale for GPU-days, where `dvc pull` or `dvc checkout` gets
    them. Lost is what something else here was made from, or what lies in a folder that `dvc.lock` lists and
    that is empty though other artefacts came through DVC. Without a `dvc.lock` nothing counts as lost,
    nor does a file that is `named` as a target.
    """
    if LOCK.exists():
        lost = _Lost(named)
        for step in targets:
            lost.check(step)


class _Lost:
    """What this folder lacks, by what is in it."""

    def __init__(self, named: Container[str]) -> None:
        self._named = named
        self._checked: set[int] = set()
        here = paths.artefacts_here()
        records = {file: read_record(file) or {} for file in here}
        self._users = {
            (used, made["spec"]): file
            for file, record in records.items()
            for used, made in record.get("made_from", {}).items()
        }
        pulled = any(came_through_dvc(record) for record in records.values() if record)
        locked = {out["path"] for stage in read_yaml(LOCK)["stages"].values() for out in stage["outs"]}
        self._empty = [
            folder
            for stage in COSTLY
            for folder in FOLDERS[stage]
            if pulled and folder in locked and not any(Path(file).is_relative_to(folder) for file in here)
        ]

    def check(self, step: Step) -> None:
        """Raise UserError if this step's jobs, or those they take, would make what is lost."""
        if id(step) in self._checked:
            return
        self._checked.add(id(step))
        needed = [output for output in step.outputs if not is_current(output, step)]
        for file in needed:
            if not Path(file).exists() and file not in self._named:
                self._refuse_if_lost(file, step.spec)
        if needed:
            for upstream in step.made_from:
                self.check(upstream)

    def _refuse_if_lost(self, file: str, spec: str) -> None:
        aside = paths.ASIDE / file
        if aside.exists() and (read_record(aside) or {}).get("spec") == spec:
            raise UserError(
                f"{file}: is missing, but {aside} is it, set aside when the configuration did not name it;"
                f" move it back with what lies beside it ({aside.with_suffix('')}.*)"
            )
        user = self._users.get((file, spec))
        out = next((out for out in self._empty if Path(file).is_relative_to(out)), None)
        if user or out:
            why = f"{user} was made from it" if user else f"{LOCK} lists {out}, and other data of it are here"
            raise UserError(
                f"{file}: is missing, though {why}; get it with `dvc pull` (or `dvc checkout`), which makes"
                f" nothing again. To make it here, name it: snakemake --cores all -- {file}"
                f" (or delete {LOCK} to make all here)"
            )

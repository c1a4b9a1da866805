"""Refusing to make again what DVC has and a folder lacks, after a partial pull, say."""

from collections.abc import Container
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.config.loading import read_yaml
from twostream.config.streams import STREAMS
from twostream.files import UserError
from twostream.plan.dvc_stages import FOLDERS
from twostream.provenance.records import read_record
from twostream.provenance.staleness import rewritten_since_made
from twostream.provenance.steps import Step

LOCK = Path("dvc.lock")
# Whoever has scores may fuse and tabulate them: that takes seconds.
COSTLY = ("extraction", *STREAMS)


class PullGuard:
    """Refuses jobs that would make what DVC has and this folder lacks.

    At the full scale that would take GPU-days, where `dvc pull` or `dvc checkout` takes minutes. Lost is
    what something else here was made from, or what lies in a folder that `dvc.lock` lists and that is
    empty, if other artefacts here came through DVC or a remote has that folder. Without a `dvc.lock`
    nothing counts as lost, nor does a file that is `named` as a target.
    """

    def __init__(self, named: Container[str]) -> None:
        self._named = named
        self._has_lock = LOCK.exists()

    def check(self, file: str, step: Step) -> None:
        """Raise UserError if a file that is about to be made is lost."""
        if not self._has_lock or file in self._named or Path(file).exists():
            return
        aside = paths.ASIDE / file
        if aside.exists() and (read_record(aside) or {}).get("spec") == step.spec:
            raise UserError(
                f"{file}: is missing, but {aside} is it, set aside when the configuration did not name it;"
                f" move it back with what lies beside it ({aside.with_suffix('')}.*)"
            )
        if why := self._why_lost(file, step.spec):
            raise UserError(
                f"{file}: is missing, though {why}; get it with `dvc pull` (or `dvc checkout`), which makes"
                f" nothing again. To make it here, name it: snakemake --cores all -- {file}"
                f" (or delete {LOCK} to make all here)"
            )

    def _why_lost(self, file: str, spec: str) -> str | None:
        if user := self._users.get((file, spec)):
            return f"{user} was made from it"
        folder = next((out for out in self._empty if Path(file).is_relative_to(out)), None)
        if folder and self._came_through_dvc:
            return f"{LOCK} lists {folder}, and other data of it are here"
        if folder and remote_has(self._locked[folder]):
            return f"{LOCK} lists {folder}, and the remote has it"
        return None

    @cached_property
    def _records(self) -> dict[str, dict[str, Any]]:
        return {file: read_record(file) or {} for file in paths.artefacts_here()}

    @cached_property
    def _users(self) -> dict[tuple[str, str], str]:
        """Of what artefacts here were made from, by file and spec, one of them."""
        return {
            (used, made["spec"]): file
            for file, record in self._records.items()
            for used, made in record.get("made_from", {}).items()
        }

    @cached_property
    def _came_through_dvc(self) -> bool:
        return any(rewritten_since_made(record) for record in self._records.values() if record)

    @cached_property
    def _locked(self) -> dict[str, str]:
        """The outputs in dvc.lock, with their hashes; none of one that DVC keeps no copy of."""
        dvc_stages = read_yaml(LOCK)["stages"].values()
        return {
            out["path"]: out.get("md5", "") for dvc_stage in dvc_stages for out in dvc_stage.get("outs", [])
        }

    @cached_property
    def _empty(self) -> list[str]:
        """Folders of what is costly that dvc.lock lists and in which there is no artefact."""
        folders = (folder for dvc_stage in COSTLY for folder in FOLDERS[dvc_stage] if folder in self._locked)
        return [f for f in folders if not any(Path(file).is_relative_to(f) for file in self._records)]


@cache
def remote_has(md5: str) -> bool:
    """Whether DVC's default remote has an object; yes also where it is out of reach, and cannot tell."""
    # Here, as DVC takes a second to import and is asked only before a refusal.
    from dvc.config import NoRemoteError
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            return bool(md5) and bool(repo.cloud.get_remote_odb(hash_name="md5").exists(md5))
    except (NoRemoteError, NotDvcRepoError):
        return False
    except Exception:  # noqa: BLE001  (each kind of remote has errors of its own)
        return True

"""Refusing to make again what DVC has and a folder lacks, after a partial pull, say."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from os.path import normpath
from pathlib import Path
from typing import Any

from twostream import paths
from twostream.config.loading import read_yaml
from twostream.files import UserError
from twostream.plan.dvc_stages import FOLDERS
from twostream.provenance.records import read_record
from twostream.provenance.staleness import rewritten_since_made
from twostream.provenance.steps import Step

LOCK = Path("dvc.lock")
# Whoever has scores may fuse and tabulate them: that takes seconds.
COSTLY = ("extraction", "spatial", "temporal")


class PullGuard:
    """Refuses jobs that would make what DVC has and this folder lacks, wholly or in part.

    At the full scale that would take GPU-days, where `dvc pull` or `dvc checkout` takes minutes. Lost is
    what something else here was made from; what `dvc.lock` lists and DVC's cache knows of; and what lies in a
    folder that `dvc.lock` lists and that is empty, if other artefacts here came through DVC or a remote has
    that folder. Without a `dvc.lock` nothing counts as lost, nor does a file that is `named` as a target, or
    that this folder has begun to make.
    """

    def __init__(self, named: Iterable[str]) -> None:
        self._named = {normpath(target) for target in named}
        # Nothing is made in a folder that one may only read, and DVC cannot be asked there.
        self._has_lock = LOCK.exists() and os.access(".", os.W_OK)

    def check(self, file: str, step: Step) -> None:
        """Raise UserError if a file that is about to be made is lost."""
        if not self._has_lock or _is_whole(file) or self._is_named(file):
            return
        if Path(paths.SPEC.format(artefact=file, spec=step.spec)).exists():
            return  # A job of this folder's was to make it, and failed.
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

    def _is_named(self, file: str) -> bool:
        return not self._named.isdisjoint({file, paths.record(file), paths.sidecar_csv(file)})

    def _why_lost(self, file: str, spec: str) -> str | None:
        if user := self._users.get((file, spec)):
            return f"{user} was made from it"
        folder = next((out for out in self._locked if Path(file).is_relative_to(out)), None)
        if folder and self._is_listed(folder, file, spec):
            return f"{LOCK} lists it"
        if folder not in self._empty:
            return None
        if self._came_through_dvc and has_remotes():
            return f"{LOCK} lists {folder}, and other data of it are here"
        return f"{LOCK} lists {folder}, and the remote has it" if remote_has(self._locked[folder]) else None

    def _is_listed(self, folder: str, file: str, spec: str) -> bool:
        """Whether DVC's cache knows of a file in a folder of dvc.lock, of this spec as far as can be told."""
        listing = _listing(self._locked[folder])
        if str(Path(file).relative_to(folder)) not in listing:
            return False
        record = _cached(listing.get(str(Path(paths.record(file)).relative_to(folder)), ""))
        return not isinstance(record, dict) or record.get("spec") == spec

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
        return any(rewritten_since_made(file, record) for file, record in self._records.items() if record)

    @cached_property
    def _locked(self) -> dict[str, str]:
        """The costly outputs in dvc.lock, with their hashes."""
        costly = {folder for dvc_stage in COSTLY for folder in FOLDERS[dvc_stage]}
        try:
            stages = read_yaml(LOCK)["stages"].values()
            outs = [out for dvc_stage in stages for out in dvc_stage.get("outs", [])]
            return {out["path"]: str(out.get("md5", "")) for out in outs if out["path"] in costly}
        except (KeyError, TypeError, AttributeError):
            raise UserError(f"{LOCK}: is not what DVC writes; get it again from git") from None

    @cached_property
    def _empty(self) -> list[str]:
        """Those of them in which there is no artefact."""
        return [f for f in self._locked if not any(Path(file).is_relative_to(f) for file in self._records)]


def _is_whole(file: str) -> bool:
    record = read_record(file)
    return record is not None and all(Path(part).exists() for part in (file, *record["files"]))


@cache
def _listing(md5: str) -> dict[str, str]:
    """What a folder of this hash holds by DVC's cache, each file with its hash; none if not there."""
    content = _cached(md5)
    try:
        return {entry["relpath"]: entry["md5"] for entry in content or []}
    except (KeyError, TypeError):
        return {}


def _cached(md5: str) -> Any:
    """The content of a JSON file in DVC's cache; None if it is not there, or is none."""
    folder = _cache_folder()
    if not md5 or folder is None:
        return None
    try:
        return json.loads((folder / md5[:2] / md5[2:]).read_text())
    except (OSError, ValueError):
        return None


@contextmanager
def _repository() -> Iterator[Any]:
    """DVC's repository; None where there is none, or none of Git's, as in an unpacked archive."""
    # Here, as DVC takes a second to import, and is asked only before a refusal.
    from dvc.exceptions import NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        repo = Repo()
    except (NotDvcRepoError, SCMError):
        yield None
        return
    with repo:
        yield repo


@cache
def _cache_folder() -> Path | None:
    """Where DVC keeps what it has: labs share a cache, which may lie anywhere. None without DVC."""
    with _repository() as repo:
        return repo and Path(repo.cache.local.path)


@cache
def has_remotes() -> bool:
    """Whether DVC knows of any place to pull from."""
    with _repository() as repo:
        return bool(repo and repo.config["remote"])


@cache
def remote_has(md5: str) -> bool:
    """Whether DVC's default remote has an object; yes also where it is out of reach, and cannot tell."""
    from dvc.config import NoRemoteError

    with _repository() as repo:
        try:
            return bool(repo and md5) and bool(repo.cloud.get_remote_odb(hash_name="md5").exists(md5))
        except NoRemoteError:
            return False
        except Exception:  # noqa: BLE001  (each kind of remote has errors of its own)
            return True

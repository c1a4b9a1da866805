"""Models, score files and tables for others to pull: pushed by DVC, with a list of their checksums beside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twostream import paths
from twostream.files import UserError, sha256
from twostream.plan.dvc_stages import steps_by_dvc_stage
from twostream.plan.plan import Plan
from twostream.plan.publishing import objection

if TYPE_CHECKING:
    from dvc.repo import Repo

# Neither videos nor what shows them: rights in these are others'.
STAGES = ("spatial", "temporal", "fusion", "tables")
CHECKSUMS = "SHA256SUMS"
# What a folder is called that is not one of DVC's remotes.
REMOTE = "published"


def publish_models(plan: Plan, to: str) -> tuple[int, str]:
    """Push models, scores and tables to a folder, or to the DVC remote of that name.

    `SHA256SUMS` there names each file, for `sha256sum -c` in a clone that has pulled them. Returns how many
    files that are, and where it lies. Raises UserError, before anything is pushed, if one is missing, stale
    or edited, if dvc.lock does not record them as they are, or if there is no such remote.
    """
    artefacts = [
        (output, step)
        for dvc_stage, steps in steps_by_dvc_stage(plan).items()
        if dvc_stage in STAGES
        for step in steps
        for output in step.outputs
    ]
    objections = {file: objection(file, step, plan) for file, step in artefacts}
    refused = [f"{file}: {why}" for file, why in objections.items() if why]
    if refused:
        raise UserError("\n".join(["nothing is published", *refused]))
    files = [part for file, _ in artefacts for part in (*paths.companion_files(file), paths.record(file))]
    listed = "".join(f"{sha256(file)}  {file}\n" for file in sorted(files))
    with _repository(to) as (repo, remote):
        _check_recorded(repo)
        repo.push(targets=list(STAGES), remote=remote)
        place = _write_beside(repo, remote, listed)
    return len(files), place


@contextmanager
def _repository(to: str) -> Iterator[tuple["Repo", str]]:
    """Yield DVC's repository and the name of the remote that `to` is, or stands for."""
    # Here, as DVC takes a second to import.
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo
    from dvc.scm import SCMError

    try:
        with Repo() as repo:
            named = to in repo.config["remote"]
        if not named and ("://" in to or ("/" not in to and not Path(to).is_dir())):
            raise UserError(
                f"{to}: is neither a folder nor the name of a remote (`dvc remote list`); an address is made"
                " one by `dvc remote add NAME ADDRESS`"
            )
        config = None if named else {"remote": {REMOTE: {"url": str(Path(to).resolve())}}}
        with Repo(config=config) as repo:
            yield repo, to if named else REMOTE
    except (NotDvcRepoError, SCMError):
        raise UserError("this folder is no DVC repository; publish from a clone of this project") from None
    except DvcException as error:
        raise UserError(f"{to}: cannot be published to: {error}") from None


def _check_recorded(repo: "Repo") -> None:
    changed = repo.status(targets=list(STAGES))
    if changed:
        raise UserError(
            f"dvc.lock does not record {', '.join(changed)} as they are: `dvc repro`, commit dvc.lock, and"
            " publish again"
        )


def _write_beside(repo: "Repo", remote: str, listed: str) -> str:
    """Write the list of checksums at the remote's root, and return its place."""
    objects = repo.cloud.get_remote_odb(remote)
    root = objects.path
    # DVC keeps its objects in <root>/files/md5.
    for _ in range(2):
        root = objects.fs.parent(root)
    place = objects.fs.join(root, CHECKSUMS)
    objects.fs.pipe_file(place, listed.encode())
    return str(place)

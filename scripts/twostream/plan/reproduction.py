"""Whether a run has the bytes that are published, and in words what differs."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from twostream import arithmetic
from twostream.files import UserError
from twostream.plan.digests import Digests, check_arithmetic, differing, first_cause, steps_in_order
from twostream.plan.dvc_stages import FOLDERS
from twostream.plan.plan import Plan
from twostream.plan.pull_guard import LOCK
from twostream.provenance.explanation import some_of

# So many characters tell two digests apart.
SHOWN = 12
# And so many artefacts are named before the others are counted.
NAMED = 3
ASK = "is the configuration the published one?"


def check_possible(plan: Plan) -> None:
    """Raise UserError if what this configuration and this machine compute cannot have published bytes."""
    config = plan.config
    if config.device != "cpu" or config.arithmetic != "portable":
        raise UserError(
            f"`device: {config.device}` and `arithmetic: {config.arithmetic}` give bytes of one machine's"
            " own; to reproduce the published ones set `device: cpu` and `arithmetic: portable`"
        )
    if (computed_in := arithmetic.computed_in()) != "portable":
        raise UserError(
            f"this machine computes bytes of its own ({computed_in}), so they cannot be the published ones;"
            " `make tables` makes the tables all the same"
        )
    check_arithmetic(steps_in_order(plan))


def differences(here: Digests, published: Digests, plan: Plan) -> Iterator[str]:
    """Say what of a run is not as published; nothing if it all is."""
    steps = steps_in_order(plan)
    if more := [artefact for artefact in here if artefact not in published]:
        yield f"{some_of(more, NAMED)}: not among what is published; {ASK}"
    if fewer := [artefact for artefact in published if artefact not in here]:
        yield f"{some_of(fewer, NAMED)}: published, and not made here; {ASK}"
    if others := differing(here, published):
        cause = first_cause(others, steps)
        yield from _first(cause, here, published)
        if len(others) > 1:
            yield f"In all {len(others)} of {len(here)} artefacts differ: {some_of(others, NAMED)}"


def _first(cause: str, here: Digests, published: Digests) -> Iterator[str]:
    yield f"{cause}: is the first that differs; all that it is made from is as published"
    ours, theirs = here[cause], published[cause]
    for file in sorted(ours.files.keys() | theirs.files.keys()):
        if ours.files.get(file) != theirs.files.get(file):
            yield f"  {file}: {_shown(ours.files, file)} here, {_shown(theirs.files, file)} published"
    if ours.spec == theirs.spec:
        yield "  Recipe and code are the published ones: look at versions of libraries, and at the machine"
    else:
        yield "  Recipe or code are not the published ones (its spec is another): has something been edited?"


def _shown(files: Mapping[str, str], file: str) -> str:
    return files[file][:SHOWN] if file in files else "missing"


def lock_differences(besides: Iterable[str] = ()) -> list[str]:
    """Say in which outputs `dvc.lock` is not what is here, or that it is.

    What is here `besides`, because it was asked for, is in no published lock.
    """
    # Here, as DVC takes a second to import.
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    if not LOCK.exists():
        return [f"{LOCK}: is not here; get it again from git, or have `dvc repro` write one"]
    for folder in chain(*FOLDERS.values()):
        # DVC records an empty folder where a stage makes nothing, as Snakemake alone does not.
        Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        with Repo() as repo:
            outs = [out for out in repo.index.outs if not str(out).startswith("scratch/")]
            others = [str(out) for out in outs if out.workspace_status()]
    except DvcException as error:
        raise UserError(f"{LOCK}: cannot be read by DVC: {error}; get it again from git") from None
    if not others:
        return [f"{LOCK}: all outputs are as it says."]
    why = f"; they also hold what was asked for besides ({', '.join(besides)})" if besides else ""
    return [f"{LOCK}: {', '.join(others)}: not as it says{why}; `dvc repro` has it say what is here"]

"""Results that are committed: copied from results/ once all of them are current.

They lie in a folder for each scale, from which documents take their numbers (`results/documents.py`).
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from twostream.config.loading import load_config
from twostream.files import UserError, write_json
from twostream.plan.digests import DIGESTS, digests_of, write_digests
from twostream.plan.plan import Plan
from twostream.provenance.explanation import why_stale
from twostream.provenance.records import arithmetic_of, read_record
from twostream.provenance.staleness import check_unchanged, is_current
from twostream.provenance.steps import Step
from twostream.results.documents import COMPUTED


def publish(plan: Plan, folder: Path) -> None:
    """Put the plan's tables, claims and other methods into `folder`, in place of all that is there.

    With them what is made only if it is asked for, if it is here. Beside them: in which arithmetic they were
    computed; if that is portable, so that anybody can compute the same bytes, the digests of all that the
    first, and the figures, were made from.

    Raises UserError, which names each file and the reason, if one is missing, stale, another scale's or
    edited; nothing is changed then.
    """
    results = [*plan.results(), *plan.more_here().values()]
    steps = {output: step for step in results for output in step.outputs}
    objections = {file: objection(file, step, plan) for file, step in steps.items()}
    refused = [f"{file}: {why}" for file, why in objections.items() if why]
    if refused:
        raise UserError("\n".join(["nothing is published", *refused]))
    arithmetic = sorted({name for file in steps for name in arithmetic_of(file)})
    digests = digests_of(plan) if arithmetic == ["portable"] else None
    with _anew(folder) as new:
        for file in steps:
            shutil.copyfile(file, new / Path(file).name)
        write_json(new / COMPUTED, {"arithmetic": arithmetic})
        if digests:
            write_digests(digests, new / DIGESTS)


def objection(file: str, step: Step, plan: Plan) -> str:
    """Why a file is not to be published; nothing if it may be."""
    if not Path(file).exists():
        return "is missing"
    if not is_current(file, step.spec):
        return _why_not_current(file, step, plan.config.scale_name)
    check_unchanged(file)
    return ""


def _why_not_current(file: str, step: Step, scale: str) -> str:
    record = read_record(file)
    if record and record["spec"] != step.spec and (other := _scale_of(file, record["spec"])):
        return f"is of the scale {other}, not of {scale}"
    return f"is not current: {'; '.join(why_stale(file, step))}"


def _scale_of(file: str, spec: str) -> str | None:
    """The scale by whose plan a file is of this spec; None if it is by none's."""
    for scale in sorted(path.stem for path in Path("config/scale").glob("*.yaml")):
        # What is wrong with another scale is no matter of this one.
        with suppress(UserError):
            step = Plan(load_config(overrides={"scale": scale})).step_of(file)
            if step and step.spec == spec:
                return scale
    return None


@contextmanager
def _anew(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes another's place if the block succeeds."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
        new, old = Path(scratch, "new"), Path(scratch, "old")
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)

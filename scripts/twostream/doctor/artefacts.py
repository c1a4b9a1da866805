"""What of the configured scale's tables, claims and figures is missing, and what is stale and why."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.digests import steps_in_order
from twostream.plan.plan import Plan
from twostream.provenance.explanation import is_cause, some_of, why_stale
from twostream.provenance.steps import Step

# So many artefacts that are stale for one reason are named before the others are counted.
NAMED = 3


def lines() -> Iterator[str]:
    """Yield how many artefacts are here, how many of which rule are missing, and what is stale by reason.

    Files that were written anew since they were made are not compared with their records: it may take long.
    """
    steps = steps_in_order(Plan(load_config()))
    here = {artefact: step for artefact, step in steps.items() if Path(artefact).exists()}
    missing = Counter(step.script for artefact, step in steps.items() if artefact not in here)
    yield f"{len(here)} of {len(steps)} are here"
    if not here:
        return
    yield f"missing: {', '.join(f'{rule} {count}' for rule, count in missing.items()) or 'none'}"
    stale = {artefact: found for artefact, step in here.items() if (found := _reasons(artefact, step))}
    yield f"stale: {len(stale)}"
    yield from by_reason(stale.items())


def by_reason(stale: Iterable[tuple[str, list[str]]]) -> Iterator[str]:
    """Yield what is stale by itself, by reason; what is only downstream of it is not told."""
    found: dict[str, list[str]] = defaultdict(list)
    for artefact, reasons in stale:
        if is_cause(reasons):
            found["; ".join(reasons)].append(artefact)
    yield from (f"{some_of(artefacts, NAMED)}: {reason}" for reason, artefacts in found.items())


def _reasons(artefact: str, step: Step) -> list[str]:
    try:
        return why_stale(artefact, step)
    except UserError as error:
        return [f"cannot be used: {error}"]

"""Digests of all that a scale's tables, claims and figures take, by which a stranger's run is compared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from twostream import paths
from twostream.files import UserError, atomic_write, sha256
from twostream.plan.plan import Plan
from twostream.provenance.records import arithmetic_of, read_record
from twostream.provenance.steps import Step

# Beside the published results of a scale.
DIGESTS = "digests.csv"

# The files of an artefact, itself and what its job wrote with it, each with its SHA-256.
Files = dict[str, str]


@dataclass(frozen=True)
class Digest:
    """An artefact's spec, and the SHA-256 of each of its files."""

    spec: str
    files: Files


# By artefact, in the order of the DAG: what others are made from before these.
Digests = dict[str, Digest]


def steps_in_order(plan: Plan) -> dict[str, Step]:
    """The steps that tables, claims and figures take, by artefact, each after those that it is made from."""
    found: dict[str, Step] = {}

    def visit(steps: Iterable[Step]) -> Iterator[tuple[str, Step]]:
        for step in steps:
            if step.outputs[0] not in found:
                yield from visit(step.made_from)
                yield from ((output, step) for output in step.outputs)

    for output, step in visit([*plan.results(), *plan.figures()]):
        found[output] = step
    return found


def digests_of(plan: Plan) -> Digests:
    """Return the digests of what is here; raise UserError if an artefact is missing, or has no record."""
    found: Digests = {}
    for artefact in steps_in_order(plan):
        record = read_record(artefact)
        if record is None or not Path(artefact).exists():
            raise UserError(f"{artefact}: is not here whole; have `snakemake` make it (all, figures)")
        files = {file: sha256(file) for file in paths.companion_files(artefact)}
        found[artefact] = Digest(record["spec"], files)
    return found


def check_arithmetic(artefacts: Iterable[str]) -> None:
    """Raise UserError if an artefact that is here, or what it was made from, was not computed portably."""
    for artefact in artefacts:
        if Path(artefact).exists() and (arithmetics := arithmetic_of(artefact)) != ["portable"]:
            raise UserError(
                f"{artefact}: was computed in the arithmetic {', '.join(arithmetics)}, so that its bytes are"
                " one machine's own; reproduce in a fresh clone, or delete it and what is made from it"
            )


def write_digests(digests: Digests, file: str | Path) -> None:
    """Write digests as a CSV: artefact, spec, file, sha256; a row for each file."""
    rows = [
        (artefact, digest.spec, name, checksum)
        for artefact, digest in digests.items()
        for name, checksum in digest.files.items()
    ]
    with atomic_write(file) as part:
        pd.DataFrame(rows, columns=["artefact", "spec", "file", "sha256"]).to_csv(part, index=False)


def read_digests(file: str | Path) -> Digests:
    """Read what `write_digests` wrote; raise UserError if it is no such file."""
    try:
        rows = pd.read_csv(file, dtype=str, keep_default_na=False)
        found: Digests = {}
        for artefact, spec, name, checksum in rows[["artefact", "spec", "file", "sha256"]].to_numpy():
            found.setdefault(artefact, Digest(spec, {})).files[name] = checksum
        return found
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as digests: {error}; get it again from git") from None


def differing(here: Digests, published: Digests) -> list[str]:
    """Return the artefacts whose bytes are not the published ones, in the order of the DAG."""
    return [a for a, digest in here.items() if a in published and digest.files != published[a].files]


def first_cause(differing: Iterable[str], steps: Mapping[str, Step]) -> str:
    """Return the first of some artefacts that differ, in the order of the DAG, made from none of them."""
    names = set(differing)
    return next(a for a in steps if a in names and names.isdisjoint(steps[a].inputs))

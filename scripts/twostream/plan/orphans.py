"""Artefacts that the configuration no longer names, moved out of the way."""

import os
from collections.abc import Container, Iterable, Iterator
from itertools import count
from pathlib import Path

from twostream import paths
from twostream.files import UserError
from twostream.plan.plan import Plan
from twostream.provenance.records import read_record
from twostream.videos.index import read_index


def find_orphans(plan: Plan, other_names: Container[str], folders: Iterable[str]) -> list[str]:
    """Return the artefacts with records in some folders that neither the plan names, nor another scale.

    Runs, fusions and methods are the same at each scale; `other_names` are the datasets and the
    published weights of the other scales. Any seed is one that the configuration names.
    """
    found = []
    for file in paths.artefacts_here():
        if not any(Path(file).is_relative_to(folder) for folder in folders) or read_record(file) is None:
            continue
        if not _is_named(plan, file):
            readings = (wildcards for _, wildcards in paths.parse_path(file))
            if not any(_is_of_another_scale(plan, names, other_names) for names in readings):
                found.append(file)
    return found


def find_others(folders: Iterable[str]) -> list[str]:
    """Return what lies in some folders that this project has not made, by its records: the user's own.

    Of a link to a folder the link alone. Left out is what DVC does not take (`.dvcignore`): hidden files, and
    those of jobs that are at work.
    """
    return sorted(str(file) for folder in folders for file in _others(Path(folder)))


def _others(folder: Path) -> set[Path]:
    made: set[Path] = set()
    for artefact in filter(lambda file: Path(file).is_relative_to(folder), paths.artefacts_here()):
        made |= _made_with(artefact)
    return {file for file in _files(folder) if file.suffix != ".part"} - made


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (Path(place, name) for name in [*links, *names] if not name.startswith("."))


def _made_with(artefact: str) -> set[Path]:
    """What the job of an artefact has made, by its record: nothing if it has none."""
    record = read_record(artefact)
    if record is None:
        return set()
    made = {Path(paths.record(artefact)), *map(Path, record["files"])}
    # The index of videos that were drawn: those of other kinds lie elsewhere, or are the user's.
    if "source" in record["recipe"] and Path(artefact).exists():
        made |= {Path(artefact).with_suffix("") / video for video in read_index(artefact)["file"]}
    return made


def _is_named(plan: Plan, file: str) -> bool:
    try:
        return plan.step_of(file) is not None
    except UserError:
        return True  # It is, though something stands in the way of making it.


def _is_of_another_scale(plan: Plan, names: dict[str, str], other_names: Container[str]) -> bool:
    return (
        names.get("dataset", names.get("weights")) in other_names
        and ("run" not in names or names["run"] in plan.benchmark.runs)
        and ("fusion" not in names or names["fusion"] in plan.benchmark.fusions)
        and ("method" not in names or names["method"] in plan.benchmark.methods)
    )


def set_aside(artefact: str) -> Path:
    """Move an artefact, and what its record says was made with it, to a scratch folder; return where.

    What was there before gets a number at its end. What a user keeps beside it stays where it is.
    """
    for path in sorted({Path(artefact), *_made_with(artefact)}):
        if path.exists():
            place = paths.ASIDE / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.exists():
                place.rename(_numbered(place))
            path.rename(place)
            _remove_empty(path.parent)
    return paths.ASIDE / artefact


def _remove_empty(folder: Path) -> None:
    """Remove a folder that holds nothing any more, and those above it, but for the outermost."""
    while len(folder.parts) > 1 and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _numbered(place: Path) -> Path:
    names = (place.with_name(f"{place.name}.{number}") for number in count(1))
    return next(name for name in names if not name.exists())

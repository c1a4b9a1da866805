"""Why an artefact is stale, in words, from its record and the plan."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from twostream.provenance.records import read_record
from twostream.provenance.specs import code_parts
from twostream.provenance.staleness import content_changed
from twostream.provenance.steps import Step

# How many of what is alike are named before the rest is counted.
NAMED = 2
# Where the spec differs and no file of the code does, and where a record of an early form says nothing of it.
IMPORTS = "code: what its modules import of each other"
UNTOLD = (
    "its record is of an earlier version and does not list its code; scripts/accept_results.py takes it over"
)


def why_stale(artefact: str, step: Step) -> list[str]:
    """Return the reasons for which an artefact is to be made anew, the telling ones first; none if current.

    They are like `run.dropout 0.5 -> 0.8`, `code of training.py`, `made from another flow shard`.
    """
    record = read_record(artefact)
    if record is None:
        return ["has no record" if Path(artefact).exists() else "is missing"]
    if not Path(artefact).exists():
        return ["is missing"]
    reasons = [f"{file}, which belongs to it, is missing" for file in _missing(artefact, record)]
    reasons += recipe_changes(record["recipe"], step.recipe)
    if "settled" in record:
        reasons += changes(record["settled"], json.loads(json.dumps(step.settled)))
    reasons += _code_changes(record, step)
    reasons += _upstream_changes(record, step)
    if not reasons and record["spec"] != step.spec:
        reasons = [IMPORTS if "code" in record else UNTOLD]
    return reasons


def is_cause(reasons: list[str]) -> bool:
    """Whether an artefact is stale by itself, and not only since something upstream is."""
    return any(not reason.startswith("made from what is stale") for reason in reasons)


def recipe_changes(then: Any, now: BaseModel) -> list[str]:
    """Return the keys in which a recipe differs from what a record has, each with both values."""
    told = now.model_dump(mode="json", exclude_defaults=True)
    return list(_changes(then, now.model_dump(mode="json"), told))


def changes(then: Any, now: Any) -> list[str]:
    """Return the keys in which two recipes differ, in which those that have their default are left out."""
    return list(_changes(then, now, now))


def _changes(then: Any, now: Any, told: Any, key: str = "") -> Iterator[str]:
    """The differences of nested dictionaries and lists, by their keys joined with dots.

    `told` is `now` without what has its default: a key that is new and has its default changes nothing.
    """
    if isinstance(then, dict) or isinstance(now, dict):
        before, after, known = ({} if value is None else value for value in (then, now, told))
        if isinstance(before, dict) and isinstance(after, dict):
            for name in before | after:
                if name in before or name in known:
                    inner = f"{key}.{name}" if key else name
                    yield from _changes(before.get(name), after.get(name), known.get(name), inner)
            return
    if isinstance(then, list) and isinstance(now, list):
        yield from _changes_of_lists(then, now, told if isinstance(told, list) else now, key)
    elif then != now:
        yield f"{key} {_shown(then)} -> {_shown(now)}"


def _changes_of_lists(then: list[Any], now: list[Any], told: list[Any], key: str) -> Iterator[str]:
    """What is between the items with which both begin, and those with which both end."""

    def alike(i: int) -> bool:
        return not any(_changes(then[i], now[i], told[i]))

    shorter = min(len(then), len(now))
    start = next((i for i in range(shorter) if not alike(i)), shorter)
    end = next((i for i in range(shorter - start) if not alike(-1 - i)), shorter - start)
    old, new = then[start : len(then) - end], now[start : len(now) - end]
    for i, (before, after) in enumerate(zip(old, new, strict=False), start):
        yield from _changes(before, after, told[i], f"{key}.{i}")
    yield from (f"{key}: no longer {_words(item)}" for item in old[len(new) :])
    yield from (f"{key}: also {_words(item)}" for item in new[len(old) :])


def _words(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    return ", ".join(f"{key} {value}" for key, value in sorted(item.items()) if value not in (None, ""))


def _shown(value: Any) -> str:
    return "(none)" if value is None else str(value)


def _missing(artefact: str, record: dict[str, Any]) -> list[str]:
    return [file for file in record["files"] if file != artefact and not Path(file).exists()]


def _code_changes(record: dict[str, Any], step: Step) -> list[str]:
    if "code" not in record:
        return []
    return [
        f"code of {file}" for file in differing_code(record["code"], code_parts(step.script, step.modules))
    ]


def differing_code(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return the files whose own code is not the same before and after; a file that only moved is none."""
    gone, come = Counter(before.values()), Counter(after.values())
    changed = [file for file, code in after.items() if not gone[code]]
    left = [file for file, code in before.items() if not come[code] and file not in after]
    return [*changed, *(f"{file} (no longer used)" for file in left)]


def _upstream_changes(record: dict[str, Any], step: Step) -> list[str]:
    then = record["made_from"]
    now = {output: upstream.spec for upstream in step.made_from for output in upstream.outputs}
    # With another spec upstream is made anew; with the same one it was, and came out otherwise.
    stale = [file for file in now if file in then and then[file]["spec"] != now[file]]
    other = [file for file in now if file in then and content_changed(file, then[file]["sha256"])]
    return [
        *_listed("made from what is stale", stale),
        *_listed("made from another", [file for file in other if file not in stale]),
        *_listed("not made from", [file for file in now if file not in then]),
        *_listed("made from what it no longer takes:", [file for file in then if file not in now]),
    ]


def _listed(what: str, files: list[str]) -> list[str]:
    return [f"{what} {some_of(files, NAMED)}"] if files else []


def some_of(files: Sequence[str], named: int) -> str:
    """Return so many files by name, and how many more there are."""
    more = f" and {len(files) - named} more" if len(files) > named else ""
    return f"{', '.join(files[:named])}{more}"

"""The record beside each artefact: where it comes from."""

import json
import os
import platform
import resource
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from twostream import arithmetic, paths
from twostream.files import UserError, sha256, write_json
from twostream.provenance.environment import versions
from twostream.provenance.specs import Spec, code_parts

# The form of records that this code writes; it reads those of earlier forms too.
# 1 (no number in it): up to commit 4cb32ef. 2: with the code of each module. 3: what may differ from one run
# to the next is kept apart, and the arithmetic is said.
FORM = 3

# What stands for the spec of what was made without the workflow.
BY_HAND = Spec(digest="by hand", script="", code="", made_from={})

# The arithmetic of what was made before records said it.
UNRECORDED = "unrecorded"


@dataclass
class Recording:
    """What a job adds of its own: `facts` to the record, `run` to what may differ from run to run."""

    facts: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)


@contextmanager
def recorded(
    artefact: str | Path, recipe: Any, spec: Spec = BY_HAND, device: str = "cpu"
) -> Iterator[Recording]:
    """Write the record of an artefact beside it once the block that makes it has succeeded.

    The record says where the artefact comes from: spec, recipe, the code of each module, what it was made
    from (each file with its spec and SHA-256), on which device, in which arithmetic (a list: of all that it
    was made from too), SHA-256 and size (bytes) of the artefact and of what was written with it, and the
    facts that the block adds. It is the same wherever the artefact is. When that was, how long it took, on
    which processor and with which versions stands in a file of its own (`paths.run_file`), with the times
    (ns) of what was written, and stays on this machine.

    What can be known before the work begins is found out then, so that none is lost for want of it.
    Raises UserError if the record's folder cannot be written to, if something that the artefact is made
    from is not of the planned spec, or if the environment stands against the arithmetic.
    """
    started = time.time()
    arithmetic.check()
    _check_writable(Path(paths.record(artefact)).parent)
    origin = {
        "form": FORM,
        "spec": spec.digest,
        "made_from": {file: _as_made(file, planned) for file, planned in spec.made_from.items()},
        "recipe": recipe,
        "settled": spec.settled,
        "code": code_parts(spec.script, spec.modules) if spec.script else {},
    }
    run: dict[str, Any] = {
        "versions": versions(),
        "machine": platform.machine(),
        "processor": arithmetic.processor(),
        "host": socket.gethostname(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
    }
    recording = Recording()
    yield recording
    files = paths.companion_files(artefact)
    how = {"device": device, "arithmetic": _arithmetic(device, spec.made_from)}
    states = {file: {"sha256": sha256(file), "size": Path(file).stat().st_size} for file in files}
    run |= {"seconds": round(time.time() - started, 2), **_used(), **_ended(files, states[files[0]])}
    write_json(paths.run_file(artefact), run | recording.run)
    write_json(paths.record(artefact), {**origin, **how, "files": states, **recording.facts})


def _used() -> dict[str, float]:
    """CPU time (s) of this process and of those it has started that have ended; its own peak memory (MB)."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "cpu_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in used), 2),
        "peak_mb": round(used[0].ru_maxrss * 1024 / 1e6),
    }


def remove_earlier(artefact: str | Path) -> None:
    """Remove an artefact that is to be made anew, what was written with it, and first their record."""
    for file in (paths.record(artefact), *paths.companion_files(artefact)):
        Path(file).unlink(missing_ok=True)


def _ended(files: list[str], artefact: dict[str, Any]) -> dict[str, Any]:
    times = {file: Path(file).stat().st_mtime_ns for file in files}
    return {"times": times, "sha256": artefact["sha256"]}


def _arithmetic(device: str, made_from: Iterable[str]) -> list[str]:
    """The arithmetic of this process, and of all that its artefact was made from."""
    own = arithmetic.computed_in() if device == "cpu" else device
    return sorted({own}.union(*(arithmetic_of(file) for file in made_from)))


def arithmetic_of(artefact: str | Path) -> list[str]:
    """Return in which arithmetic an artefact and all that it was made from were computed, by its record."""
    return list((read_record(artefact) or {}).get("arithmetic", [UNRECORDED]))


def run_of(artefact: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the run went that made an artefact of this record; empty if that was not here.

    Versions, machine, processor, started, seconds, and the times (ns) of the files when they were written.
    Records of earlier forms hold that themselves.
    """
    with suppress(OSError, ValueError, KeyError, TypeError):
        run = json.loads(Path(paths.run_file(artefact)).read_text(encoding="utf-8"))
        if run["sha256"] == record["files"][artefact]["sha256"]:
            return dict(run)
    if record.get("form", 1) == FORM and "accepted" not in record:
        return {}
    times = {file: state["mtime_ns"] for file, state in record["files"].items() if "mtime_ns" in state}
    return {**record, "times": times}


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made: {error.strerror}") from None
    if not writable:
        raise UserError(f"{folder}: cannot be written to; mend its permissions")


def _as_made(file: str, planned: str) -> dict[str, str]:
    record = read_record(file)
    if record is None or record["spec"] != planned:
        raise UserError(f"{file}: is no longer what it was when this call of snakemake began; call it again")
    return {"spec": planned, "sha256": record["files"][file]["sha256"]}


class _Made(BaseModel):
    spec: str
    sha256: str


class _State(BaseModel):
    sha256: str
    size: int


class _Accepted(BaseModel):
    spec: str


class _Record(BaseModel):
    """What is asked of records of all forms; they say more."""

    spec: str
    recipe: dict[str, Any]
    made_from: dict[str, _Made]
    files: dict[str, _State]
    code: dict[str, str] = {}
    arithmetic: list[str] = []
    accepted: list[_Accepted] = []
    skipped: int = 0


def read_record(artefact: str | Path) -> dict[str, Any] | None:
    """Return the record of an artefact; None if there is none.

    Raises UserError if it is damaged, is no record, or was written by a newer version of this project.
    """
    record = f"beside {artefact}"
    try:
        record = paths.record(artefact)
        found = Path(record).stat()
        content = _parsed(Path(record), found.st_ino, found.st_mtime_ns, found.st_size)
        # What was set aside is called as it was before.
        if not {Path(artefact), *_before_aside(artefact)} & {Path(file) for file in content["files"]}:
            raise ValueError("it is of another file")
        return content
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{record}: cannot be read as a record: {_in_a_line(error)}; get it again (`dvc checkout`), or"
            f" delete both to have {artefact} made again"
        ) from None


def _before_aside(artefact: str | Path) -> list[Path]:
    path = Path(artefact)
    return [path.relative_to(paths.ASIDE)] if path.is_relative_to(paths.ASIDE) else []


def _in_a_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)


@lru_cache(maxsize=10_000)
def _parsed(record: Path, *state: int) -> dict[str, Any]:
    """Return a record's content; not to be changed, as it is kept while the file's state is the same."""
    content = json.loads(record.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ValueError("it holds no keys")
    form = content.get("form", 1)
    if isinstance(form, int) and form > FORM:
        raise UserError(
            f"{record}: was written by a newer version of this project (form {form}; this version knows forms"
            f" up to {FORM}): update the code (`git pull`) before you go on here"
        )
    if form not in range(1, FORM + 1):
        raise ValueError(f"its form is {form!r}")
    _Record.model_validate(content)
    return content

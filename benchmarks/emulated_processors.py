"""Whether every kind of job computes the same bytes on other processors, emulated by `qemu-x86_64`.

`PYTHONPATH=scripts python benchmarks/emulated_processors.py` has the jobs of tiny projects run natively, and
then on each emulated processor in a folder of its own (`make emulated`: fewer, for CI). What is compared, by
SHA-256, is each artefact, what its job wrote with it, and its record, in which specs stand and the checksums
of inputs. A table tells for each kind of job whether all is equal, and its CPU seconds.

In place of an emulated processor, any command that starts a Python with the pinned packages can be compared:
another version of it, or one in another system's folder: `--pythons "chroot /trixie python3"`.

Exit status: 0 if all is equal, 1 if anything differs or failed, 3 if there is no emulator to be trusted.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

from emulated_projects import PROJECTS, QUICK, ROOT, Project
from twostream import arithmetic
from twostream.config.loading import load_config
from twostream.plan.plan import Plan

EMULATOR = "qemu-x86_64"
PROCESSORS = ["Haswell", "Skylake-Client", "EPYC", "EPYC-Milan"]
NATIVE = "native"
NO_EMULATOR = 3
# QEMU 7.2 loads the wrong values in AVX2's gathers, by which NumPy sorts.
PROBE = """
import numpy
for count in range(2, 100):
    values = numpy.random.default_rng(count).permutation(count)
    assert (values[values.argsort()] == numpy.arange(count)).all()
"""


@dataclass(frozen=True)
class Job:
    """A job as the workflow calls it, and its kind."""

    kind: str
    arguments: list[str]


@dataclass(frozen=True)
class Made:
    """What a job made in one place: CPU seconds, SHA-256 by file, and why it failed, if it did."""

    seconds: float
    files: dict[str, str]
    error: str | None


Jobs = dict[str, list[Job]]
"""The jobs of each project, by its folder."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processors", nargs="*", help=f"of `{EMULATOR} -cpu help`; {', '.join(PROCESSORS)}")
    parser.add_argument("--pythons", nargs="*", default=[], metavar="COMMAND", help="others to compare")
    parser.add_argument("--quick", action="store_true", help="two projects, on the other vendor's processor")
    parser.add_argument("--folder", type=Path, help="where to leave everything; must not exist")
    args = parser.parse_args()
    if arithmetic.computed_in() != "portable":
        sys.exit(f"error: results of this processor are not comparable: {arithmetic.computed_in()}")
    if args.processors is None:
        args.processors = [other_vendors()] if args.quick else PROCESSORS
    emulated = {name: [EMULATOR, "-cpu", name, sys.executable] for name in args.processors}
    for command in emulated.values():
        refuse_bad_emulator(command)
    places = {NATIVE: [sys.executable], **emulated, **{text: shlex.split(text) for text in args.pythons}}
    with tempfile.TemporaryDirectory() as scratch:
        folder = (args.folder or Path(scratch) / "emulated").resolve()
        jobs = prepare(folder / "plan", QUICK if args.quick else PROJECTS)
        made = {place: run(folder, place, command, jobs) for place, command in places.items()}
    every = [job for of_project in jobs.values() for job in of_project]
    print("\n".join(report(every, made)))
    sys.exit(int(differ(made)))


def other_vendors() -> str:
    """A processor of the vendor that has not made this one."""
    return "Haswell" if "AMD" in arithmetic.processor() else "EPYC-Milan"


def refuse_bad_emulator(command: list[str]) -> None:
    """End with NO_EMULATOR if there is none, or if it does not compute as a processor does."""
    wrong = None
    if not shutil.which(command[0]):
        wrong = "is not here"
    elif subprocess.run([*command, "-c", PROBE], stderr=subprocess.DEVNULL).returncode:
        wrong = "emulates AVX2 wrongly, as version 7.2 does"
    if wrong:
        advice = (
            "install qemu-user, version 10 (apt-get install qemu-user; Debian 12 has it in its backports)"
        )
        print(f"error: {shlex.join(command[:-1])}: {wrong}: {advice}", file=sys.stderr)
        sys.exit(NO_EMULATOR)


def prepare(folder: Path, projects: list[Project]) -> Jobs:
    """Write the projects' configuration; return their jobs, in an order that they can run in."""
    found = {}
    for project in projects:
        place = folder / (project.name.replace(" ", "-") or "project")
        project.write(place)
        for linked in ("scripts", "workflow"):
            (place / linked).symlink_to(ROOT / linked)
        found[place.name] = list(jobs_of(project, place))
    return found


def jobs_of(project: Project, folder: Path) -> Iterator[Job]:
    """Yield the jobs of a project as a dry run of the workflow tells them."""
    command = [sys.executable, "-m", "snakemake", "-n", "-p", "--cores", "1", "--", *project.targets]
    done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"error: {folder}: no dry run:\n{done.stdout[-2000:]}")
    with chdir(folder):
        plan = Plan(load_config())
    for line in re.findall(r"^Shell command: python (scripts/.*)$", done.stdout, re.MULTILINE):
        arguments = shlex.split(line)
        # Up to where its messages go.
        arguments = arguments[: arguments.index(">")]
        with chdir(folder):
            step = plan.step_of(arguments[arguments.index("--out") + 1])
        assert step, line
        yield Job(kind_of(arguments, step.short_recipe, project.name), arguments)


def kind_of(arguments: list[str], recipe: Mapping[str, Any], project: str) -> str:
    """The kind of a job: its rule, with what tells its algorithm, its network or its method."""
    rule, out = Path(arguments[0]).stem, Path(arguments[arguments.index("--out") + 1])
    if rule == "extract_flow":
        return f"{rule} {recipe['flow']['method']} {recipe['direction']}"
    if rule == "fuse_streams":
        return f"{rule} {recipe['method']}"
    if out.parts[0] == "models" or rule == "score_videos":
        run = "" if out.parts[1] == "pretrained" else out.parent.name
        return " ".join(filter(None, (rule, run, project and f"({project})")))
    return rule


def run(folder: Path, place: str, command: list[str], jobs: Jobs) -> list[Made]:
    """Run all jobs in a folder of their own by a command that starts Python; return what each made."""
    own = folder / (re.sub(r"\W+", "-", place).strip("-"))
    for project in jobs:
        shutil.copytree(folder / "plan" / project, own / project, ignore=_not_given)
    arguments = {project: [job.arguments for job in of_project] for project, of_project in jobs.items()}
    (own / "jobs.json").write_text(json.dumps(arguments))
    # What Brox's functions are compiled to is shared. It is for one processor by name, wherever that is done,
    # and takes an emulator minutes.
    caches = {"NUMBA_CACHE_DIR": folder / "numba", "MPLCONFIGDIR": own / "matplotlib"}
    environment = os.environ | {key: str(path) for key, path in caches.items()}
    tried = -1
    while len(made := _made(own)) < sum(map(len, jobs.values())):
        if len(made) == tried:
            sys.exit(f"error: {place}: the next job ends it:\n{(own / 'log').read_text()[-2000:]}")
        tried = len(made)
        print(f"{place}: {tried} jobs done", file=sys.stderr, flush=True)
        with (own / "log").open("a") as log:
            # Again where an emulator has crashed.
            started = [*command, str(ROOT / "benchmarks/run_jobs.py"), str(own)]
            subprocess.run(started, env=environment, stdout=log, stderr=subprocess.STDOUT)
    return made


def _not_given(folder: str, names: list[str]) -> set[str]:
    return {"scripts", "workflow", ".snakemake", "scratch", "logs"} & set(names)


def _made(own: Path) -> list[Made]:
    """What those jobs made that have been run."""
    told = own / "made.jsonl"
    lines = [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []
    return [Made(line["seconds"], line["files"], line["error"]) for line in lines]


def differ(made: dict[str, list[Made]]) -> bool:
    """Whether any job made anything else, anywhere."""
    return any(difference(*pair) for other in made.values() for pair in zip(made[NATIVE], other, strict=True))


def difference(native: Made, other: Made) -> str | None:
    """The first file of a job that is not the same elsewhere, or why there is none; None if all are."""
    if error := other.error or native.error:
        return f"failed: {error.strip().splitlines()[-1]}"
    names = sorted(native.files.keys() | other.files.keys(), key=lambda name: ("record" in name, name))
    return next((name for name in names if native.files.get(name) != other.files.get(name)), None)


def report(jobs: list[Job], made: dict[str, list[Made]]) -> Iterator[str]:
    """Yield the lines of a table, a row for each kind of job."""
    by_kind = defaultdict(list)
    for number, job in enumerate(jobs):
        by_kind[job.kind].append(number)
    yield _row("kind of job", "jobs", "files", *made)
    yield _row("---", *["---:"] * (2 + len(made)))
    for kind, numbers in by_kind.items():
        native = [made[NATIVE][number] for number in numbers]
        cells = [_cell(native, [other[number] for number in numbers]) for other in made.values()]
        yield _row(kind, len(numbers), sum(len(job.files) for job in native), *cells)
    totals = [_cell(made[NATIVE], other) for other in made.values()]
    yield _row("all", len(jobs), sum(len(job.files) for job in made[NATIVE]), *totals)


def _cell(native: list[Made], others: list[Made]) -> str:
    seconds = sum(other.seconds for other in others)
    found = (difference(*pair) for pair in zip(native, others, strict=True))
    first = next(filter(None, found), None)
    return f"{f'DIFFERS: {first}' if first else 'equal'}, {seconds:.1f} s"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()

"""Run the jobs of tiny projects one after another in this process, as an emulator starts it once only.

`python run_jobs.py FOLDER`, from `emulated_processors.py`: FOLDER/jobs.json lists the projects' folders, each
with its jobs as the workflow would call them. Of each job FOLDER/made.jsonl gets a line: how long it took,
and the SHA-256 of each file that it wrote, its record included; or why it failed.
"""

import json
import os
import runpy
import sys
import time
import traceback
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.insert(0, str(SCRIPTS))

from twostream.config.loading import load_config  # noqa: E402
from twostream.files import sha256  # noqa: E402
from twostream.plan.plan import Plan  # noqa: E402

# Not of the artefacts: what a run leaves that may differ, and what the jobs were given.
LEFT_OUT = {"scratch", "config", "methods"}


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    jobs = [
        (name, job)
        for name, of_project in json.loads((folder / "jobs.json").read_text()).items()
        for job in of_project
    ]
    with (folder / "made.jsonl").open("a+") as told:
        told.seek(0)
        # An emulator that crashed is started again.
        made = [json.loads(line) for line in told]
        for name, arguments in jobs[len(made) :]:
            os.chdir(folder / name)
            made.append(run(arguments) | {"project": name})
            known = {file for job in made[:-1] if job["project"] == name for file in job["files"]}
            made[-1]["files"] = {file: sha256(file) for file in sorted(files_here() - known)}
            told.write(json.dumps(made[-1]) + "\n")
            told.flush()


def files_here() -> set[str]:
    """All files of the project that jobs have written."""
    tops = [top for top in Path().iterdir() if top.name not in LEFT_OUT]
    return {str(file) for top in tops for file in top.rglob("*") if file.is_file()}


def run(arguments: list[str]) -> dict[str, Any]:
    """Run a job; return how many seconds of the processor it took, and why it failed, if it did."""
    script, *options = arguments
    started = time.process_time()
    write_spec(options)
    sys.argv = [script, *options]
    error = None
    try:
        runpy.run_path(str(SCRIPTS / Path(script).name), run_name="__main__")
    except SystemExit as stopped:
        error = str(stopped.code) if stopped.code else None
    except Exception:  # noqa: BLE001  (whatever it is, it is told, and the other jobs are tried)
        error = traceback.format_exc()
    return {"seconds": time.process_time() - started, "error": error}


def write_spec(options: list[str]) -> None:
    """Write the spec of a job's artefact, as the workflow does; planned here, so that it is compared too."""
    artefact, file = (options[options.index(name) + 1] for name in ("--out", "--spec"))
    step = plan_of(Path.cwd()).step_of(artefact)
    assert step, artefact
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text(step.whole_spec.model_dump_json())


@cache
def plan_of(folder: Path) -> Plan:
    return Plan(load_config(folder / "config"))


if __name__ == "__main__":
    main()

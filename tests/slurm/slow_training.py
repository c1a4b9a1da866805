"""A project one of whose trainings lasts as long as a test wants it to, and tells of each iteration.

It is slow while there is a file `slow`, so that it takes no processor's time; of its code and recipe, which
its model depends on, it is the same as a fast one.
"""

import shutil
from pathlib import Path

import yaml
from conftest import run

ITERATIONS = 400
MODEL = "models/temporal/bidirectional-10/demo_a-split1-seed0.safetensors"
LOG = "logs/train_stream/temporal/bidirectional-10/demo_a-split1-seed0.log"
AFTER = "            bar.update()\n"
TOLD = f"""{AFTER}
            import os
            from pathlib import Path

            with Path("iterations").open("a") as file:
                file.write(f"{{os.environ.get('SLURM_JOB_ID')}} {{progress.iteration}}\\n")
            if Path("slow").exists():
                time.sleep(0.2)
"""


def make_slow(folder: Path) -> None:
    """Edit a project, and train the model there, fast and undisturbed."""
    file = folder / "scripts/twostream/training/trainer.py"
    text = file.read_text()
    assert text.count(AFTER) == 1
    file.write_text(text.replace(AFTER, TOLD))
    scale = folder / "config/scale/demo.yaml"
    settings = yaml.safe_load(scale.read_text())
    settings["schedules"]["scratch"]["iterations"] = ITERATIONS
    scale.write_text(yaml.safe_dump(settings, sort_keys=False))
    run(folder, MODEL)


def copy_untrained(project: Path, folder: Path) -> Path:
    """Copy a project as it is before that training, which is to be slow."""
    shutil.copytree(project, folder)
    for file in (folder / MODEL).parent.iterdir():
        file.unlink()
    (folder / "iterations").unlink()
    (folder / "slow").touch()
    return folder


def iterations(folder: Path) -> list[tuple[str, int]]:
    """Each iteration that was trained, with the job that did so."""
    file = folder / "iterations"
    rows = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [(job, int(number)) for job, number in rows]


def went_on(folder: Path) -> bool:
    """Whether each iteration was trained once, and none twice."""
    return [number for _, number in iterations(folder)] == list(range(1, ITERATIONS + 1))

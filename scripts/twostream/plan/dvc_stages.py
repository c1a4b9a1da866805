"""The stages that DVC knows, each a target of the Snakefile: what tables, claims and figures take of it.

Snakemake does the work; DVC versions what comes out. So that it calls a stage when there is something to do,
and only then, its first stage writes what the plan says of each of the others: every artefact with the
digest of its recipe and code. A stage depends on that file and on the data it reads, whatever key or module
was edited.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from twostream.config.benchmark import Benchmark
from twostream.config.streams import KINDS, STREAMS
from twostream.plan.plan import Plan
from twostream.provenance.steps import Step, with_upstream

# The streams that see frames and those that see flow, which multi-task networks are too.
FRAMES = [name for name, stream in STREAMS.items() if KINDS[stream.kinds[0]].reads == "frames"]
FLOW = [*(name for name in STREAMS if name not in FRAMES), "multitask"]


def _below(folder: str, names: Sequence[str]) -> list[str]:
    return [f"{folder}/{name}" for name in names]


# Where the artefacts of each stage lie: its outputs in dvc.yaml.
FOLDERS = {
    "videos": ["data/videos", "data/official"],
    "extraction": ["data/frames", "data/flow"],
    "spatial": ["models/pretrained", *_below("models", FRAMES), *_below("scores", FRAMES)],
    "temporal": [*_below("models", FLOW), *_below("scores", FLOW)],
    "fusion": ["scores/fused", "scores/others"],
    "tables": ["results"],
    "figures": ["figures"],
}
_SCORES = _below("scores", [*FRAMES, *FLOW])
# The folders of earlier stages that each reads. Videos lie beside their index or in data/official.
READS = {
    "videos": [],
    "extraction": ["data/videos", "data/official"],
    "spatial": ["data/videos", "data/frames"],
    "temporal": ["data/videos", "data/flow", "models/pretrained"],
    "fusion": ["data/videos", *_SCORES],
    "tables": [*_SCORES, "scores/fused", "scores/others"],
    "figures": [
        *("data/videos", "data/frames", "data/flow", "models/pretrained"),
        *_below("models", [*FRAMES, *FLOW]),
        # Of the two-stream model and its streams.
        *(*_below("scores", ["spatial", "temporal", "multitask"]), "scores/fused"),
    ],
}
# What the plan says of a stage, written by DVC's first one.
PLANNED = "scratch/plan/{stage}.json"
# Videos that must not be passed on (`may_be_shared` in `videos` says whose): their checksums are recorded,
# and no copies kept or pushed.
NOT_SHARED = "data/official"

# The keys of config.yaml that say what comes out; the others say where and with what a job runs.
SETTINGS = ["scale", "seed", "seeds", "on_bad_video"]
SCALE = "config/scale/${scale}.yaml"


def dvc_stage_of(step: Step) -> str:
    """The stage that a step belongs to."""
    output = Path(step.outputs[0])
    return next(
        dvc_stage for dvc_stage, folders in FOLDERS.items() if any(output.is_relative_to(f) for f in folders)
    )


def steps_by_dvc_stage(plan: Plan) -> dict[str, list[Step]]:
    """The steps that tables, claims and figures of a plan take, themselves included, by their stage."""
    found: dict[str, list[Step]] = {dvc_stage: [] for dvc_stage in FOLDERS}
    for step in with_upstream([*plan.results(), *plan.figures()]):
        found[dvc_stage_of(step)].append(step)
    return found


def planned(plan: Plan) -> dict[str, dict[str, str]]:
    """What the plan says of each stage: its artefacts, each with the digest of its recipe and code."""
    return {
        dvc_stage: {output: step.own_digest for step in steps for output in step.outputs}
        for dvc_stage, steps in steps_by_dvc_stage(plan).items()
    }


def dvc_yaml(benchmark: Benchmark) -> str:
    """Return the content of dvc.yaml."""
    content = {
        "vars": ["config/config.yaml:scale"],
        "stages": {"plan": _plan_stage()} | {dvc_stage: _stage(dvc_stage) for dvc_stage in FOLDERS},
        "metrics": ["results/metrics"],
        "plots": [{name: settings} for name, settings in _plots(benchmark).items()],
    }
    return HEAD + yaml.safe_dump(content, sort_keys=False, width=110, allow_unicode=True)


HEAD = """\
# What DVC versions: a stage for each part of the work, which Snakemake does, redoing only what has changed
# (`persist` keeps the rest). The first says what each of the others is to make, by configuration and code.
# Written by `python scripts/write_dvc_yaml.py`.
"""


def _plan_stage() -> dict[str, Any]:
    return {
        "cmd": "python scripts/plan_stages.py",
        "deps": ["scripts", "methods"],
        "params": [{"config/config.yaml": SETTINGS}, {"config/benchmark.yaml": None}, {SCALE: None}],
        "outs": [PLANNED.format(stage=dvc_stage) for dvc_stage in FOLDERS],
    }


def _stage(dvc_stage: str) -> dict[str, Any]:
    return {
        "cmd": [f"snakemake --cores all -- {dvc_stage}", f"python scripts/finish_stage.py {dvc_stage}"],
        "deps": [PLANNED.format(stage=dvc_stage), *READS[dvc_stage]],
        "outs": [{folder: _kept(folder)} for folder in FOLDERS[dvc_stage]],
    }


def _kept(folder: str) -> dict[str, bool]:
    return {"persist": True} | ({"cache": False, "push": False} if folder == NOT_SHARED else {})


def _plots(benchmark: Benchmark) -> dict[str, dict[str, Any]]:
    """What `dvc plots` draws: the tables' accuracies, the training curves and the confusion matrix."""
    tables = {
        name: {
            "title": f"{name}: accuracy (%)",
            "template": "accuracy",
            "x": "ours",
            "y": {f"results/{name}.csv": "run"},
        }
        for name in benchmark.tables
    }
    curves = {
        "title": "Training loss",
        "template": "curves",
        "x": "iteration",
        "y": {"figures/curves.csv": "loss"},
    }
    confusion = {
        "title": "Confusion matrix of the two-stream model, test videos of split 1",
        "template": "confusion_normalized",
        "x": "predicted",
        "y": {"figures/confusion.csv": "actual"},
        "x_label": "predicted class",
        "y_label": "true class",
    }
    return {**tables, "training loss": curves, "confusion matrix": confusion}

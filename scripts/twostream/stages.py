"""The stages that DVC knows, each a target of the Snakefile: what tables, claims and figures take of it."""

from collections.abc import Iterable
from pathlib import Path

from twostream.plan import Plan
from twostream.steps import Step, with_upstream

# Where the artefacts of each stage lie: its outputs in dvc.yaml.
FOLDERS = {
    "videos": ["data/videos", "data/official"],
    "extraction": ["data/frames", "data/flow"],
    "spatial": ["models/pretrained", "models/spatial", "scores/spatial"],
    "temporal": ["models/temporal", "models/multitask", "scores/temporal", "scores/multitask"],
    "fusion": ["scores/fused", "scores/others"],
    "tables": ["results"],
    "figures": ["figures"],
}

# The modules that make recipes and plans of the configuration: with it they decide what is stale, as the
# code that the scripts run does.
PLANNING = [
    f"scripts/twostream/{module}.py"
    for module in (
        "benchmark",
        "config",
        "plan",
        "recipes",
        "scale",
        "score_plan",
        "specs",
        "steps",
        "streams",
        "strict",
    )
]


def stage_of(step: Step) -> str:
    """The stage that a step belongs to."""
    output = Path(step.outputs[0])
    return next(stage for stage, folders in FOLDERS.items() if any(output.is_relative_to(f) for f in folders))


def steps_by_stage(plan: Plan) -> dict[str, list[Step]]:
    """The steps that tables, claims and figures of a plan take, themselves included, by their stage."""
    found: dict[str, list[Step]] = {stage: [] for stage in FOLDERS}
    for step in with_upstream([*plan.results(), *plan.figures()]):
        found[stage_of(step)].append(step)
    return found


def targeted(plan: Plan, targets: Iterable[str]) -> list[Step]:
    """The steps that make Snakemake's targets: files, stages, or (none or `all`) tables and claims."""
    stages = steps_by_stage(plan)
    steps = []
    for target in targets or ["all"]:
        if target in ("all", *stages):
            steps += stages["tables" if target == "all" else target]
        elif step := plan.step_of(target):
            steps.append(step)
    return steps

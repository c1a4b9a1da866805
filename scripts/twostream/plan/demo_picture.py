"""What the picture of frames, flow and scores is made from: of the default scale, whose videos are drawn."""

from dataclasses import dataclass

from twostream.config.loading import load_config
from twostream.figures.said import SYSTEMS
from twostream.plan.figures import SPLIT
from twostream.plan.plan import Plan
from twostream.provenance.staleness import is_current
from twostream.provenance.steps import Step

SCALE = "demo"


@dataclass(frozen=True)
class Shown:
    """The steps of a dataset's frames, its flow, and the scores of each of SYSTEMS."""

    frames: Step
    flow: Step
    scores: dict[str, Step]

    def missing(self) -> list[str]:
        """Return what is not here, or not as the plan would have it made now."""
        steps = [self.frames, self.flow, *self.scores.values()]
        return [output for step in steps for output in step.outputs if not is_current(output, step.spec)]


def shown() -> Shown:
    """Return what is shown: the streams of the paper's final model, and their average."""
    plan = Plan(load_config(overrides={"scale": SCALE}))
    dataset, seed = plan.scale.roles.primary, plan.config.all_seeds[0]
    fusions = plan.benchmark.fusions
    streams = fusions[plan.benchmark.two_stream].streams
    average = next(name for name, f in fusions.items() if f.method == "average" and f.streams == streams)
    runs = (streams["spatial"], streams["temporal"], average)
    return Shown(
        plan.extraction.extract_frames(dataset),
        plan.extraction.extract_flow(dataset, "forward"),
        {
            system: plan.scores.of(run, dataset, SPLIT, seed)
            for system, run in zip(SYSTEMS, runs, strict=True)
        },
    )

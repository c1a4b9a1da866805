"""What it takes to make all results and figures of a configuration, told before anybody begins.

It is of the whole, from nothing: what lies here already is not looked at, but for how many videos a dataset
has that is indexed. A GPU job is taken to need its GPUs alone, and no core for its workers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from twostream import paths
from twostream.config.recipes import FlowRecipe, FramesRecipe, FusionRecipe, ScoringRecipe, TrainingRecipe
from twostream.config.settings import Config
from twostream.plan.datasets import dataset_of
from twostream.plan.disk import kept_bytes
from twostream.plan.durations import gpus_of, seconds_of, training_of
from twostream.plan.needs import Needs, needs_of
from twostream.plan.plan import Plan
from twostream.plan.rates import CNN_M_2048, Rates
from twostream.plan.schedule import Job, critical_path, seconds_with
from twostream.plan.sizes import network_size
from twostream.provenance.steps import Step, with_upstream
from twostream.results.formatting import Rows

HOUR, GB = 3600, 1e9
# How many GPUs, or cores where there is none, the whole is laid out on.
COUNTS = (1, 4, 16, 64)


@dataclass(frozen=True)
class Told:
    """A step, what each of its jobs asks a scheduler for, and in words how it is known what they take."""

    step: Step
    asked: Needs
    known: str


@dataclass(frozen=True)
class Forecast:
    """What is known of each step, and all jobs, by what they make.

    kept: bytes, by what they are. not_indexed: the datasets whose videos have not been counted.
    """

    config: Config
    steps: list[Told]
    jobs: dict[str, Job]
    kept: dict[str, float]
    not_indexed: list[str]


def forecast(plan: Plan, indexed: Mapping[str, int], rates: Rates) -> Forecast:
    """Return what all results and figures take by these rates; `indexed` is as for `needs_of`."""
    config, steps = plan.config, list(with_upstream([*plan.results(), *plan.figures()]))
    told: list[Told] = []
    jobs: dict[str, Job] = {}
    datasets: set[str] = set()
    for step in steps:
        dataset = dataset_of(step, config)
        datasets |= {dataset} if dataset else set()
        told.append(Told(step, needs_of(step, dataset, config, indexed), _known(step, config)))
        seconds, gpus = seconds_of(step, dataset, config, indexed, rates), gpus_of(step, config)
        after = tuple(dict.fromkeys(step.inputs))
        jobs |= {made: Job(step.script, made, seconds, gpus, after) for made in step.outputs}
    kept = kept_bytes(steps, config, indexed)
    return Forecast(config, told, jobs, kept, sorted(datasets - indexed.keys()))


def rule_rows(found: Forecast) -> Rows:
    """Return each rule's number of jobs, their hours, the most that one asks for, and how they are known."""
    rows: Rows = [("", "jobs", "hours", "GPU hours", "longest asked (min)", "most asked (MB)", "rates")]
    for rule in sorted({told.step.script for told in found.steps}, key=_place):
        steps = [told for told in found.steps if told.step.script == rule]
        jobs = [found.jobs[made] for told in steps for made in told.step.outputs]
        runtime, memory = (max(getattr(told.asked, of) for told in steps) for of in ("runtime", "mem_mb"))
        known = " or ".join(sorted({told.known for told in steps}, reverse=True))
        rows.append((rule, *_sums(jobs), f"{runtime:,}", f"{memory:,}", known))
    return [*rows, ("all", *_sums(list(found.jobs.values())), "", "", "")]


def _place(rule: str) -> tuple[int, str]:
    """Where a rule comes in the workflow; those that index a dataset come first."""
    rules = list(paths.ARTEFACTS)
    return (rules.index(rule) if rule in rules else 0), rule


def path_rows(found: Forecast) -> Rows:
    """Return the chain of jobs that takes longest, with the hours of each and those until it ends."""
    known = {made: told.known for told in found.steps for made in told.step.outputs}
    rows: Rows = [("", "hours", "ends after", "rates", "")]
    ends = 0.0
    for job in critical_path(found.jobs):
        ends += job.seconds
        rows.append((job.rule, _hours(job.seconds), _hours(ends), known[job.artefact], job.artefact))
    return rows


def disk_rows(found: Forecast) -> Rows:
    """Return the gigabytes that are kept, by what they are, and in all."""
    kept = found.kept | {"all": sum(found.kept.values())}
    return [("", "GB", ""), *((name, f"{count / GB:,.2f}", "") for name, count in kept.items())]


def time_rows(found: Forecast, cores: int) -> Rows:
    """Return the hours that the whole takes on several numbers of GPUs, with so many cores each.

    With the CPU as the device, on several numbers of cores.
    """
    jobs = list(found.jobs.values())
    if not any(job.gpus for job in jobs):
        hours = {count: seconds_with(found.jobs, 0, count) for count in COUNTS}
        return [("cores", "hours", ""), *((f"{n}", _hours(seconds), "") for n, seconds in hours.items())]
    rows: Rows = [("GPUs", "cores", "hours", "GPUs at work (%)", "")]
    at_work = sum(job.gpus * job.seconds for job in jobs)
    for count in COUNTS:
        if count >= max(job.gpus for job in jobs):
            seconds = seconds_with(found.jobs, count, count * cores)
            share = f"{100 * at_work / (count * seconds):.0f}"
            rows.append((f"{count}", f"{count * cores}", _hours(seconds), share, ""))
    return rows


def _sums(jobs: list[Job]) -> tuple[str, str, str]:
    seconds, on_gpus = sum(job.seconds for job in jobs), sum(job.gpus * job.seconds for job in jobs)
    return f"{len(jobs):,}", _hours(seconds), _hours(on_gpus)


def _known(step: Step, config: Config) -> str:
    match step.recipe:
        case TrainingRecipe() as recipe:
            return _known_network(recipe)
        case ScoringRecipe():
            return _known_network(training_of(step))
        case FlowRecipe(flow=flow):
            # On a GPU, RAFT is taken to be as many times slower than Brox as on a CPU.
            return "measured" if flow.method == "brox" or not gpus_of(step, config) else "estimated"
        case FramesRecipe() | FusionRecipe():
            return "measured"
    return "estimated"


def _known_network(recipe: TrainingRecipe) -> str:
    size = network_size(recipe.network, recipe.run, recipe.training.crop)
    return "of CNN-M-2048" if size.values == CNN_M_2048 else "estimated"


def _hours(seconds: float) -> str:
    return f"{seconds / HOUR:,.2f}"

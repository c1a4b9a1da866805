"""What the jobs of a plan have cost, by their runs, beside what a scheduler was asked for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from twostream.plan.datasets import dataset_of
from twostream.plan.needs import Needs, needs_of
from twostream.plan.plan import Plan
from twostream.provenance.records import read_record, run_of
from twostream.provenance.steps import with_upstream
from twostream.results.formatting import Rows

HOUR, MINUTE = 3600, 60


@dataclass(frozen=True)
class Cost:
    """What one job has used: time in seconds, memory in MB; zeros where it did not run on this file system.

    `gpu_seconds` is the time for which GPUs were held. Of a training in several processes, the first's CPU
    time and memory are taken for each of them; the memory is without that of its workers.
    """

    is_known: bool
    asked: Needs
    seconds: float = 0.0
    gpu_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


def costs(plan: Plan, indexed: Mapping[str, int]) -> dict[str, list[Cost]]:
    """Return what the jobs of each rule have used, for those artefacts of a plan that are here."""
    found: dict[str, list[Cost]] = defaultdict(list)
    for step in reversed(list(with_upstream([*plan.results(), *plan.figures()]))):
        asked = needs_of(step, dataset_of(step, plan.config), plan.config, indexed)
        for artefact in step.outputs:
            if record := read_record(artefact):
                found[step.script].append(_cost(run_of(artefact, record), record.get("device"), asked))
    return dict(found)


def _cost(run: Mapping[str, float], device: object, asked: Needs) -> Cost:
    if "seconds" not in run:
        return Cost(False, asked)
    processes, seconds = run.get("processes", 1), run["seconds"]
    gpu_seconds = processes * seconds if device == "cuda" else 0.0
    cpu_seconds, peak = run.get("cpu_seconds", 0.0), run.get("peak_mb", 0.0)
    return Cost(True, asked, seconds, gpu_seconds, processes * cpu_seconds, processes * peak)


def cost_rows(found: Mapping[str, list[Cost]]) -> Rows:
    """Return a row for each rule and one for all: hours in sum, and the longest and largest of their jobs."""
    heads = ("", "jobs", "not told", "hours", "GPU hours", "CPU hours")
    most = ("longest", "asked", "peak MB", "asked MB", "")
    everything = [cost for costs in found.values() for cost in costs]
    return [(*heads, *most), *(_row(rule, jobs) for rule, jobs in found.items()), _row("all", everything)]


def _row(rule: str, jobs: list[Cost]) -> tuple[str, ...]:
    kinds = ("seconds", "gpu_seconds", "cpu_seconds")
    sums = [sum(getattr(job, kind) for job in jobs) for kind in kinds]
    return (
        *(rule, f"{len(jobs):,}", f"{sum(not job.is_known for job in jobs):,}"),
        *(f"{seconds / HOUR:,.2f}" for seconds in sums),
        f"{max(job.seconds for job in jobs) / MINUTE:,.1f} min",
        f"{max(job.asked.runtime for job in jobs):,} min",
        *(f"{max(job.peak_mb for job in jobs):,.0f}", f"{max(job.asked.mem_mb for job in jobs):,}", ""),
    )

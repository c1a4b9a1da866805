"""What the jobs of a plan have cost, by their runs, beside what a scheduler was asked for."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import pandas as pd

from twostream.plan.needs import needs_of
from twostream.plan.plan import Plan
from twostream.provenance.records import read_record, run_of
from twostream.provenance.steps import with_upstream

COLUMNS = ["jobs", "not told", "hours", "GPU hours", "CPU hours", "longest", "asked", "peak MB", "asked MB"]


@dataclass
class Cost:
    """What the jobs of one rule have cost: time in hours, memory in MB.

    `gpu_hours` is the time for which a GPU was held. Of trainings in several processes, the first's CPU time
    and memory are taken for each of them.
    """

    jobs: int = 0
    unknown: int = 0
    """Jobs that did not run on this file system."""
    hours: float = 0.0
    gpu_hours: float = 0.0
    cpu_hours: float = 0.0
    longest_minutes: float = 0.0
    asked_minutes: int = 0
    peak_mb: float = 0.0
    asked_mb: int = 0


def costs(plan: Plan, indexed: Mapping[str, int]) -> dict[str, Cost]:
    """Return what each rule has used, for those artefacts of a plan that are here, in the plan's order."""
    found: dict[str, Cost] = defaultdict(Cost)
    for step in reversed(list(with_upstream(plan.results()))):
        dataset = next((name for name in plan.scale.datasets if f"/{name}" in step.outputs[0]), None)
        asked = needs_of(step, dataset, plan.config, indexed)
        for artefact in step.outputs:
            record = read_record(artefact)
            if record:
                _add(found[step.script], run_of(artefact, record), record.get("device"))
                cost = found[step.script]
                cost.asked_mb = max(cost.asked_mb, asked.mem_mb)
                cost.asked_minutes = max(cost.asked_minutes, asked.runtime)
    return dict(found)


def _add(cost: Cost, run: Mapping[str, object], device: object) -> None:
    cost.jobs += 1
    if "seconds" not in run:
        cost.unknown += 1
        return

    def number(key: str, default: float = 0.0) -> float:
        return float(str(run.get(key, default)))

    processes, seconds = number("processes", 1), number("seconds")
    cost.hours += seconds / 3600
    cost.gpu_hours += processes * seconds / 3600 if device == "cuda" else 0
    cost.cpu_hours += processes * number("cpu_seconds") / 3600
    cost.longest_minutes = max(cost.longest_minutes, seconds / 60)
    cost.peak_mb = max(cost.peak_mb, processes * number("peak_mb"))


def cost_table(found: Mapping[str, Cost]) -> str:
    """Return the costs as a table of text, with what all rules together have used."""
    table = pd.DataFrame({rule: astuple(cost) for rule, cost in found.items()}, index=COLUMNS).T
    table.loc["all"] = table.agg({name: "max" if name in COLUMNS[5:] else "sum" for name in COLUMNS})
    formats = {name: f"{{:,.{0 if name in COLUMNS[:2] or 'MB' in name else 2}f}}".format for name in COLUMNS}
    formats |= {"longest": "{:,.1f} min".format, "asked": "{:,.0f} min".format}
    return table.to_string(formatters=formats)

"""What the picture of the pipeline shows: each rule, how many jobs it has, and what it reads, by the plan."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

from twostream import paths
from twostream.config.loading import load_config
from twostream.figures.pipeline_layout import Box
from twostream.plan.datasets import BY_SOURCE
from twostream.plan.plan import Plan
from twostream.provenance.steps import Step, with_upstream

# Jobs are those of the first. The others have rules that it does without, such as for published weights.
SCALES = ("demo", "small", "paper")
# The rules of figures are one box.
PLOTS = "plot_"


@dataclass
class _Found:
    """What the steps of one box have shown so far."""

    rules: list[str] = field(default_factory=list)
    folder: str = ""
    jobs: int = 0
    made_from: set[str] = field(default_factory=set)


def boxes() -> list[Box]:
    """Return a box for each rule, in the order of `paths.ARTEFACTS`."""
    found: dict[str, _Found] = {}
    for rule, pattern in paths.ARTEFACTS.items():
        box = found.setdefault(_box(rule), _Found())
        box.rules += _rules(rule)
        box.folder = _folder(pattern)
    for scale in SCALES:
        for step in _steps(Plan(load_config(overrides={"scale": scale}))):
            box = found[_box_of(step)]
            box.jobs += len(step.outputs) * (scale == SCALES[0])
            box.made_from |= {_box_of(source) for source in step.made_from}
    return [
        Box(name, tuple(box.rules), box.folder, box.jobs, tuple(n for n in found if n in box.made_from))
        for name, box in found.items()
    ]


def _steps(plan: Plan) -> Iterator[Step]:
    """Yield the steps of tables, figures and the report, whatever else lies here."""
    yield from with_upstream([*plan.results(), *plan.figures()])
    for page in plan.pages_shown():
        if page not in plan.more_here():
            yield plan.step("write_page", SimpleNamespace(page=page))
    yield plan.step("write_report", SimpleNamespace())


def _rules(rule: str) -> list[str]:
    """The rules that a key of `paths.ARTEFACTS` stands for: an index has one for each kind of dataset."""
    return [kind.rule for kind in BY_SOURCE.values()] if rule == "index" else [rule]


def _box(rule: str) -> str:
    return f"{PLOTS}*" if rule.startswith(PLOTS) else rule


def _box_of(step: Step) -> str:
    # A path may be one of several rules', and the script of an index, or of other flow, has another name.
    rules = [rule for rule, _ in paths.parse_path(step.outputs[0])]
    return _box(step.script if step.script in rules else rules[0])


def _folder(pattern: str) -> str:
    """The folder of artefacts, up to the first wildcard."""
    return pattern.partition("{")[0].rpartition("/")[0]

"""Print what is in results/, readably: the tables of the paper, other methods, and the claims."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.config.trials import TRIALS
from twostream.files import UserError
from twostream.plan.plan import Plan
from twostream.provenance.records import arithmetic_of
from twostream.report.overview import on_data
from twostream.results.formatting import (
    Rows,
    arithmetic_note,
    as_text,
    brief_rows,
    claim_overview,
    method_rows,
    read_table,
    sampling_note,
    trial_note,
    trial_rows,
)
from twostream.results.trainings import guessing_note, videos_note

# Characters in a line of a terminal.
WIDTH = 120
TO_LAST = "Differences are to the last row of each model."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    config = load_config(overrides={"scale": args.scale} if args.scale else None)
    plan = Plan(config)
    expected = list(tables(plan))
    here = [table for table in expected if Path(table.file).exists()]
    if not here:
        raise UserError("results/: holds no table of this scale yet; `make tables` makes all of them")
    for table in here:
        show(table, read_table(table.file))
    files = [table.file for table in here]
    notes = on_data(plan.report_recipe())
    notes += [sampling_note(read_table(paths.CLAIMS))] if paths.CLAIMS in files else []
    notes += [guessing_note(files), videos_note(files)]
    if config.left_out:
        notes.append("\n".join(["Left out at this scale:", *config.told_left_out]))
    if missing := [table.file for table in expected if table not in here]:
        notes.append(f"Not made yet: {', '.join(missing)}.")
    shown = (fill(line, WIDTH) for note in filter(None, notes) for line in note.split("\n"))
    print(*shown, sep="\n")
    print(
        "\nAll columns and tests, and what each difference of a claim is of, are in results/*.csv, and on\n"
        "the pages of `make report`; docs/claims.md explains verdicts."
    )


class Shown(NamedTuple):
    """A table as it is shown: its title, its file, and how its rows become texts."""

    title: str
    file: str
    rows: Callable[[Any], Rows]


def tables(plan: Plan) -> Iterator[Shown]:
    """Yield what a plan's results are, and what was asked for besides and is here, in the order shown."""
    names, more = plan.benchmark.tables, plan.more_here()
    for name, settings in plan.benchmark.all_tables.items():
        if name in names or name in more:
            yield Shown(settings.title, paths.TABLE.format(table=name), brief_rows)
    if any(paths.METHODS in step.outputs for step in plan.results()):
        yield Shown("Other methods, and differences to them", paths.METHODS, method_rows)
    for name, trial in TRIALS.items():
        if trial.with_tables or name in more:
            yield Shown(f"{trial.title} (accuracy, %)", paths.TRIAL_TABLE.format(trial=name), trial_rows)
    if plan.benchmark.claims:
        title = "Claims of the paper: differences of two accuracies, in points"
        yield Shown(title, paths.CLAIMS, claim_overview)


def show(table: Shown, content: Any) -> None:
    """Print a table, and below it what it says in short, and if it was not all computed portably."""
    short = f"{TO_LAST} {trial_note(content)}" if table.rows is trial_rows else ""
    notes = filter(None, [fill(short, WIDTH), arithmetic_note(arithmetic_of(table.file))])
    print(table.title, as_text(table.rows(content), WIDTH), *notes, sep="\n\n", end="\n\n")


if __name__ == "__main__":
    cli.run(main)

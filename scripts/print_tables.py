"""Print what is in results/, readably: the tables of the paper, other methods, and the claims."""

import argparse
from textwrap import fill

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.config.trials import TRIALS
from twostream.plan.plan import Plan
from twostream.provenance.records import arithmetic_of
from twostream.results.formatting import (
    Rows,
    arithmetic_note,
    as_text,
    brief_rows,
    claim_overview,
    method_rows,
    read_table,
    sampling_note,
    trial_rows,
)
from twostream.results.trainings import guessing_note, videos_note

# Characters in a line of a terminal.
WIDTH = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    config = load_config(overrides={"scale": args.scale} if args.scale else None)
    plan = Plan(config)
    more = plan.more_here()
    for name, settings in config.benchmark.all_tables.items():
        if name in config.benchmark.tables or name in more:
            file = paths.TABLE.format(table=name)
            show(settings.title, brief_rows(read_table(file)), file)
    if any(paths.METHODS in step.outputs for step in plan.results()):
        methods = method_rows(read_table(paths.METHODS))
        show("Other methods, and differences to them", methods, paths.METHODS)
    for name, trial in TRIALS.items():
        file = paths.TRIAL_TABLE.format(trial=name)
        if trial.with_tables or name in more:
            show(f"{trial.title} (accuracy, %)", trial_rows(read_table(file)), file)
    files = [paths.TABLE.format(table=name) for name in config.benchmark.tables]
    notes = []
    if config.benchmark.claims:
        claims = read_table(paths.CLAIMS)
        show(
            "Claims of the paper: differences of two accuracies, in points",
            claim_overview(claims),
            paths.CLAIMS,
        )
        files.append(paths.CLAIMS)
        notes.append(sampling_note(claims))
    notes += [guessing_note(files), videos_note(files)]
    if config.left_out:
        notes.append("\n".join(["Left out at this scale:", *config.told_left_out]))
    shown = (fill(line, WIDTH) for note in filter(None, notes) for line in note.split("\n"))
    print(*shown, sep="\n")
    print("\nAll columns and tests are in results/*.csv, and on the pages of `make report`.")


def show(title: str, rows: Rows, file: str) -> None:
    """Print a table, and below it if its file was not all computed portably."""
    note = arithmetic_note(arithmetic_of(file))
    print(title, as_text(rows, WIDTH), *filter(None, [note]), sep="\n\n", end="\n\n")


if __name__ == "__main__":
    cli.run(main)

"""Print what is in results/, readably: the tables of the paper, other methods, and the claims."""

import argparse
from pathlib import Path

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.config.trials import TRIALS
from twostream.plan.plan import Plan
from twostream.provenance.records import arithmetic_of
from twostream.results.formatting import (
    Rows,
    arithmetic_note,
    as_text,
    claim_rows,
    method_rows,
    read_table,
    sampling_note,
    table_rows,
    trial_rows,
)
from twostream.results.trainings import guessing_note


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    config = load_config(overrides={"scale": args.scale} if args.scale else None)
    for name, settings in config.benchmark.tables.items():
        file = paths.TABLE.format(table=name)
        show(settings.title, table_rows(read_table(file)), file)
    if any(paths.METHODS in step.outputs for step in Plan(config).results()):
        methods = method_rows(read_table(paths.METHODS))
        show("Other methods, and differences to them", methods, paths.METHODS)
    for name, trial in TRIALS.items():
        file = paths.TRIAL_TABLE.format(trial=name)
        if trial.with_tables or Path(file).exists():
            show(f"{trial.title} (accuracy, %)", trial_rows(read_table(file)), file)
    files = [paths.TABLE.format(table=name) for name in config.benchmark.tables]
    notes = []
    if config.benchmark.claims:
        claims = read_table(paths.CLAIMS)
        show(
            "Claims of the paper: differences of two accuracies, in points", claim_rows(claims), paths.CLAIMS
        )
        files.append(paths.CLAIMS)
        notes.append(sampling_note(claims))
    notes.append(guessing_note(files))
    if config.left_out:
        notes.append("\n".join(["Left out at this scale:", *config.told_left_out]))
    print(*filter(None, notes), sep="\n\n")


def show(title: str, rows: Rows, file: str) -> None:
    """Print a table, and below it if its file was not all computed portably."""
    note = arithmetic_note(arithmetic_of(file))
    print(title, as_text(rows), *filter(None, [note]), sep="\n\n", end="\n\n")


if __name__ == "__main__":
    cli.run(main)

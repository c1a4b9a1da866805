"""Print what is in results/, readably: the tables of the paper, other methods, and the claims."""

import argparse

from twostream import cli, paths
from twostream.config.loading import load_config
from twostream.plan.plan import Plan
from twostream.results.formatting import (
    Rows,
    as_text,
    claim_rows,
    method_rows,
    read_table,
    sampling_note,
    table_rows,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    config = load_config(overrides={"scale": args.scale} if args.scale else None)
    for name, settings in config.benchmark.tables.items():
        show(settings.title, table_rows(read_table(paths.TABLE.format(table=name))))
    if any(paths.METHODS in step.outputs for step in Plan(config).results()):
        show("Other methods, and differences to them", method_rows(read_table(paths.METHODS)))
    claims = read_table(paths.CLAIMS)
    show("Claims of the paper: differences of two accuracies, in points", claim_rows(claims))
    print(sampling_note(claims))


def show(title: str, rows: Rows) -> None:
    """Print a table."""
    print(f"{title}\n\n{as_text(rows)}\n")


if __name__ == "__main__":
    cli.run(main)

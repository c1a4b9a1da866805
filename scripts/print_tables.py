"""Print what is in results/, readably: the tables of the paper, other methods, and the claims."""

import argparse

from twostream import claims, cli, method_table, paths, tables
from twostream.loading import load
from twostream.plan import Plan
from twostream.tables import read_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    config = load(overrides={"scale": args.scale} if args.scale else None)
    for name, settings in config.benchmark.tables.items():
        table = read_table(paths.TABLE.format(table=name))
        print(tables.readable(table, settings.title), end="\n\n")
    if any(paths.METHODS in step.outputs for step in Plan(config).results()):
        print(method_table.readable(read_table(paths.METHODS)), end="\n\n")
    print(claims.readable(read_table(paths.CLAIMS)))


if __name__ == "__main__":
    cli.run(main)

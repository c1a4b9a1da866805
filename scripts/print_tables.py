"""Print the tables of the paper in results/, readably."""

import argparse
from pathlib import Path

import pandas as pd

from twostream import cli, paths
from twostream.files import UserError
from twostream.loading import load
from twostream.tables import readable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    args = parser.parse_args()
    config = load(overrides={"scale": args.scale} if args.scale else None)
    for name, settings in config.benchmark.tables.items():
        file = Path(paths.TABLE.format(table=name))
        try:
            table = pd.read_csv(file, dtype={"setting": "string", "test_videos": "Int64"})
        except (OSError, ValueError) as error:
            raise UserError(f"{file}: cannot be read as a table: {error}") from None
        table["setting"] = table["setting"].fillna("")
        print(readable(table, settings.title), end="\n\n")


if __name__ == "__main__":
    cli.run(main)

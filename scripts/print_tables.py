"""Print tables of the paper readably, under the titles that config/benchmark.yaml gives them."""

import argparse
from pathlib import Path

import pandas as pd

from twostream import cli
from twostream.config import load
from twostream.files import UserError
from twostream.tables import readable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+", type=Path, help="CSV files that make_table.py wrote")
    args = parser.parse_args()
    titles = {name: table.title for name, table in load().benchmark.tables.items()}
    for file in args.tables:
        try:
            table = pd.read_csv(file, dtype={"test_videos": "Int64"}, keep_default_na=False, na_values=[""])
        except (OSError, ValueError) as error:
            raise UserError(f"{file}: cannot be read as a table: {error}") from None
        table = table.fillna({"row": "", "setting": ""})
        print(readable(table, titles.get(file.stem, file.stem)), end="\n\n")


if __name__ == "__main__":
    cli.run(main)

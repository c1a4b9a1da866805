"""Write a page of the report: a table of results/, and where each of its numbers comes from."""

import argparse

from twostream import cli
from twostream.files import written_whole
from twostream.pages import page
from twostream.shown import claim_rows, method_rows, read_table, table_rows

SHOWN = {"table": table_rows, "claims": claim_rows, "methods": method_rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True, help="the CSV in results/")
    parser.add_argument("--kind", choices=SHOWN, required=True, help="what the rows are")
    parser.add_argument("--title", required=True)
    parser.add_argument("--note", required=True, help="what the columns are")
    parser.add_argument("--out", required=True, help="the page to write")
    args = parser.parse_args()
    text = page(args.title, args.note, SHOWN[args.kind](read_table(args.table)), args.table)
    with written_whole(args.out) as part:
        part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

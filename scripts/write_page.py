"""Write a page of the report: a table of results/, and where each of its numbers comes from."""

from twostream import cli
from twostream.files import written_whole
from twostream.pages import page
from twostream.recipes import PageRecipe
from twostream.shown import claim_rows, method_rows, read_table, table_rows

SHOWN = {"table": table_rows, "claims": claim_rows, "methods": method_rows}


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--table", required=True, help="the CSV in results/, with its record beside it")
    args = parser.parse_args()
    recipe = cli.recipe(PageRecipe, args)
    with cli.record(args, recipe):
        text = page(recipe.title, recipe.note, SHOWN[recipe.kind](read_table(args.table)), args.table)
        with written_whole(args.out) as part:
            part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

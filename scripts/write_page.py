"""Write a page of the report: a table of results/, and where each of its numbers comes from."""

from twostream import cli
from twostream.config.recipes import PageRecipe
from twostream.files import atomic_write
from twostream.results.formatting import SHOWN, read_table
from twostream.results.pages import page


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--table", required=True, help="the CSV in results/, with its record beside it")
    args = parser.parse_args()
    recipe = cli.recipe(PageRecipe, args)
    with cli.record(args, recipe):
        text = page(recipe.title, recipe.note, SHOWN[recipe.kind](read_table(args.table)), args.table)
        with atomic_write(args.out) as part:
            part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

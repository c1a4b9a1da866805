"""Put methods that were not trained here beside ours: alone, fused with each stream, and tested."""

from twostream import cli
from twostream.config.recipes import MethodsRecipe
from twostream.files import atomic_write
from twostream.results.methods import compare_methods
from twostream.scores.score_file import reader_of


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="all score files that the recipe names")
    args = parser.parse_args()
    recipe = cli.recipe(MethodsRecipe, args)
    with cli.record(args, recipe):
        table = compare_methods(recipe, reader_of(args.scores))
        with atomic_write(args.out) as part:
            table.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

"""Put the accuracies of models by each testing protocol into a table."""

from twostream import cli
from twostream.config.recipes import ProtocolsRecipe
from twostream.files import atomic_write
from twostream.results.protocols import compare_protocols


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--outcomes", nargs="+", required=True, help="a CSV for each run of the recipe")
    args = parser.parse_args()
    recipe = cli.recipe(ProtocolsRecipe, args)
    with cli.record(args, recipe):
        table = compare_protocols(recipe, args.outcomes)
        with atomic_write(args.out) as part:
            table.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

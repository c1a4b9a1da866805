"""Put the accuracies of models in each way of a trial into a table."""

from twostream import cli
from twostream.config.recipes import TrialTableRecipe
from twostream.files import atomic_write
from twostream.results.trials import compare_trial


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--outcomes", nargs="+", required=True, help="a CSV for each run of the recipe")
    args = parser.parse_args()
    recipe = cli.recipe(TrialTableRecipe, args)
    with cli.record(args, recipe):
        table = compare_trial(recipe, args.outcomes)
        with atomic_write(args.out) as part:
            table.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

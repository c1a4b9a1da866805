"""Train a spatial network on still images, for others to start from."""

from twostream import cli
from twostream.recipes import TrainingRecipe
from twostream.training import train_and_save


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--curve", required=True, help="CSV of the training curve to write")
    cli.add_device(parser)
    args = parser.parse_args()
    recipe = cli.recipe(TrainingRecipe, args)
    with cli.record(args, recipe) as record:
        record |= train_and_save(recipe, None, args.device, args.out, args.curve)


if __name__ == "__main__":
    cli.run(main)

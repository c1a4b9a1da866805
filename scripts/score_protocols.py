"""Test a trained network by each testing protocol, from one frame to the paper's frames and crops."""

from twostream import cli
from twostream.config.recipes import ScoringRecipe
from twostream.extraction import dataset_files
from twostream.files import atomic_write
from twostream.training.protocols import score_protocols


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--model", required=True, help="the trained network")
    dataset_files.add_options(parser)
    cli.add_device(parser)
    cli.add_workers(parser)
    args = parser.parse_args()
    recipe = cli.recipe(ScoringRecipe, args)
    files = dataset_files.given_files(args, {recipe.dataset: recipe.shards})
    with cli.record(args, recipe):
        outcomes = score_protocols(recipe, files[recipe.dataset], args.model, args.device, args.workers)
        with atomic_write(args.out) as part:
            outcomes.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

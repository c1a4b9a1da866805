"""Test a trained network in each way of a trial, such as by each testing protocol."""

from twostream import cli
from twostream.config.recipes import TrialRecipe
from twostream.extraction import dataset_files
from twostream.files import atomic_write
from twostream.scores.score_file import read_scores
from twostream.training.trial import score_trial


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--model", required=True, help="the trained network")
    parser.add_argument("--spatial", help="score file of the spatial network that it is averaged with")
    dataset_files.add_options(parser)
    cli.add_device(parser)
    cli.add_workers(parser)
    args = parser.parse_args()
    recipe = cli.recipe(TrialRecipe, args)
    files = dataset_files.given_files(args, {recipe.dataset: recipe.shards})
    with cli.record(args, recipe):
        spatial = read_scores(args.spatial) if args.spatial else None
        outcomes = score_trial(recipe, files[recipe.dataset], args.model, spatial, args.device, args.workers)
        with atomic_write(args.out) as part:
            outcomes.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

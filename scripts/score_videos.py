"""Score the training and test videos of a split with a trained network."""

from twostream import cli
from twostream.config.recipes import ScoringRecipe
from twostream.extraction import dataset_files
from twostream.scores.score_file import write_scores
from twostream.training.scoring import score_videos


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--model", required=True, help="the trained network")
    dataset_files.add_options(parser)
    cli.add_device(parser)
    cli.add_workers(parser)
    args = parser.parse_args()
    recipe = cli.recipe(ScoringRecipe, args)
    files = dataset_files.given_files(args, {recipe.dataset: recipe.shards})
    with cli.record(args, recipe) as record:
        scores = score_videos(recipe, files[recipe.dataset], args.model, args.device, args.workers)
        record.facts["accuracy"] = scores.accuracies()
        write_scores(scores, args.out)


if __name__ == "__main__":
    cli.run(main)

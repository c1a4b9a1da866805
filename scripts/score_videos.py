"""Score the training and test videos of a split with a trained network."""

from twostream import cli
from twostream.recipes import ScoringRecipe
from twostream.scores import write_scores
from twostream.scoring import score_videos


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--model", required=True, help="the trained network")
    cli.add_device(parser)
    cli.add_workers(parser)
    args = parser.parse_args()
    recipe = cli.recipe(ScoringRecipe, args)
    with cli.record(args, recipe) as record:
        scores = score_videos(recipe, args.model, args.device, args.workers)
        record["accuracy"] = scores.accuracies()
        write_scores(scores, args.out)


if __name__ == "__main__":
    cli.run(main)

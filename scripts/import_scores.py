"""Check the scores of a method that was not trained here, and bring them into the form of all scores."""

from twostream import cli
from twostream.config.recipes import ImportScoresRecipe
from twostream.scores.external import read_given
from twostream.scores.score_file import write_scores
from twostream.videos.index import read_index


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--index", required=True, help="index (CSV) of the dataset that the scores are for")
    parser.add_argument("--given", required=True, help="the method's file (methods/README.md)")
    args = parser.parse_args()
    recipe = cli.recipe(ImportScoresRecipe, args)
    with cli.record(args, recipe) as record:
        scores = read_given(args.given, read_index(args.index), recipe.split)
        record.facts["accuracy"] = scores.accuracies()
        write_scores(scores, args.out)


if __name__ == "__main__":
    cli.run(main)

"""Draw the confusion matrix of a score file, and list true and predicted classes for DVC's own."""

from twostream import cli, paths
from twostream.confusion import predictions, read_test_part
from twostream.confusion_figure import draw_confusion
from twostream.figures import save_figure
from twostream.files import written_whole
from twostream.recipes import ConfusionFigureRecipe


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", required=True, help="score file")
    args = parser.parse_args()
    recipe = cli.recipe(ConfusionFigureRecipe, args)
    with cli.record(args, recipe):
        scores = read_test_part(args.scores)
        with written_whole(paths.curve(args.out)) as part:
            predictions(scores).to_csv(part, index=False)
        save_figure(draw_confusion(recipe, scores), args.out)


if __name__ == "__main__":
    cli.run(main)

"""Draw the confusion matrix of a score file, and list true and predicted classes for DVC's own."""

from twostream import cli, paths
from twostream.config.recipes import ConfusionFigureRecipe
from twostream.figures.confusion import predictions, read_test_part
from twostream.figures.confusion_matrix import draw_confusion
from twostream.figures.sheet import save_figure
from twostream.files import atomic_write


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", required=True, help="score file")
    args = parser.parse_args()
    recipe = cli.recipe(ConfusionFigureRecipe, args)
    with cli.record(args, recipe):
        scores = read_test_part(args.scores)
        with atomic_write(paths.sidecar_csv(args.out)) as part:
            predictions(scores).to_csv(part, index=False)
        save_figure(draw_confusion(recipe, scores), args.out)


if __name__ == "__main__":
    cli.run(main)

"""Draw the training curves of several models, and put them into one table."""

from twostream import cli, paths
from twostream.curves_figure import all_curves, draw_curves, read_curves
from twostream.figures import save_figure
from twostream.files import written_whole
from twostream.recipes import CurvesFigureRecipe


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--curves", nargs="+", required=True, help="training curves, in the models' order")
    args = parser.parse_args()
    recipe = cli.recipe(CurvesFigureRecipe, args)
    with cli.record(args, recipe):
        curves = read_curves(recipe.models, args.curves)
        with written_whole(paths.curve(args.out)) as part:
            all_curves(curves).to_csv(part, index=False)
        save_figure(draw_curves(curves), args.out)


if __name__ == "__main__":
    cli.run(main)

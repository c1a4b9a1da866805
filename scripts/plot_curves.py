"""Draw the training curves of several models, and put them into one table."""

from twostream import cli, paths
from twostream.config.recipes import CurvesFigureRecipe
from twostream.figures.curves import all_curves, draw_curves, read_curves
from twostream.figures.sheet import save_figure
from twostream.files import atomic_write


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--curves", nargs="+", required=True, help="training curves, in the models' order")
    args = parser.parse_args()
    recipe = cli.recipe(CurvesFigureRecipe, args)
    with cli.record(args, recipe):
        curves = read_curves(recipe.models, args.curves)
        with atomic_write(paths.sidecar_csv(args.out)) as part:
            all_curves(curves).to_csv(part, index=False)
        save_figure(draw_curves(curves), args.out)


if __name__ == "__main__":
    cli.run(main)

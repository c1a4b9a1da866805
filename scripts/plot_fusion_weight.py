"""Draw the accuracy of fused streams over their weights, and put it into one table."""

from twostream import cli, paths
from twostream.config.recipes import FusionWeightFigureRecipe
from twostream.figures.fusion_weight import draw_weights, weight_table
from twostream.figures.sheet import save_figure
from twostream.files import atomic_write
from twostream.scores.score_file import reader_of


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="all score files that the recipe names")
    args = parser.parse_args()
    recipe = cli.recipe(FusionWeightFigureRecipe, args)
    with cli.record(args, recipe):
        table = weight_table(recipe, reader_of(args.scores))
        with atomic_write(paths.sidecar_csv(args.out)) as part:
            table.to_csv(part, index=False)
        save_figure(draw_weights(recipe, table), args.out)


if __name__ == "__main__":
    cli.run(main)

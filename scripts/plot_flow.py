"""Draw frames of test videos beside their optical flow."""

from twostream import cli
from twostream.figures import save_figure
from twostream.flow_figure import draw_flow, examples
from twostream.recipes import FlowFigureRecipe


def main() -> None:
    args = cli.arguments(__doc__).parse_args()
    recipe = cli.recipe(FlowFigureRecipe, args)
    with cli.record(args, recipe):
        save_figure(draw_flow(recipe, examples(recipe)), args.out)


if __name__ == "__main__":
    cli.run(main)

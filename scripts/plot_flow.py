"""Draw frames of test videos beside their optical flow."""

from twostream import cli
from twostream.config.recipes import FlowFigureRecipe
from twostream.extraction import dataset_files
from twostream.figures.flow import draw_flow, examples
from twostream.figures.sheet import save_figure


def main() -> None:
    parser = cli.arguments(__doc__)
    dataset_files.add_options(parser, ["frames", "flow"])
    args = parser.parse_args()
    recipe = cli.recipe(FlowFigureRecipe, args)
    files = dataset_files.given_files(args, {recipe.dataset: recipe.shards})
    with cli.record(args, recipe):
        save_figure(draw_flow(recipe, examples(recipe, files[recipe.dataset])), args.out)


if __name__ == "__main__":
    cli.run(main)

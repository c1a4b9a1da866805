"""Draw the filters of a network's first layer."""

from twostream import cli
from twostream.config.recipes import FiltersFigureRecipe
from twostream.figures.filters import draw_filters
from twostream.figures.sheet import save_figure
from twostream.networks.model_file import load_model
from twostream.networks.network import first_convolution


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--model", required=True, help="the trained network")
    args = parser.parse_args()
    recipe = cli.recipe(FiltersFigureRecipe, args)
    with cli.record(args, recipe):
        network, description = load_model(args.model)
        weights = network.get_parameter(f"{first_convolution(network)}.weight").detach().numpy()
        save_figure(draw_filters(recipe, description.run.input, weights), args.out)


if __name__ == "__main__":
    cli.run(main)

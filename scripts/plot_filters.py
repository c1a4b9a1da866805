"""Draw the filters of a network's first layer."""

from twostream import cli
from twostream.figures import save_figure
from twostream.filters_figure import draw_filters
from twostream.models import load_model
from twostream.networks import first_convolution
from twostream.recipes import FiltersFigureRecipe


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

"""Draw the recall of each class by a fusion and its two streams, and list what is confused with what."""

from twostream import cli, paths
from twostream.config.recipes import RecallFigureRecipe
from twostream.figures.confusion import read_test_part
from twostream.figures.recall import draw_recall, recall_table, written_columns
from twostream.figures.sheet import save_figure
from twostream.files import atomic_write


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--fused", required=True, help="score file of the fusion")
    parser.add_argument("--spatial", required=True, help="score file of the spatial network")
    parser.add_argument("--temporal", required=True, help="score file of the temporal network")
    args = parser.parse_args()
    recipe = cli.recipe(RecallFigureRecipe, args)
    with cli.record(args, recipe):
        streams = {"spatial": args.spatial, "temporal": args.temporal}
        own = {name: read_test_part(file) for name, file in streams.items()}
        table = recall_table(read_test_part(args.fused), own, recipe.paper)
        with atomic_write(paths.sidecar_csv(args.out)) as part:
            written_columns(table).to_csv(part, index=False)
        save_figure(draw_recall(recipe, table), args.out)


if __name__ == "__main__":
    cli.run(main)

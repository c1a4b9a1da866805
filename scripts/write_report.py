"""Write the report: tables, claims, figures and the test videos in one file that opens without a network."""

from twostream import cli
from twostream.config.recipes import ReportRecipe
from twostream.extraction import dataset_files
from twostream.extraction.store import Store
from twostream.figures.confusion import read_test_part
from twostream.files import atomic_write
from twostream.report.page import Given, report


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--results", nargs="+", required=True, metavar="CSV", help="in the recipe's order")
    for name in ("confusion", "recall", "fusion-weight", "curves"):
        parser.add_argument(f"--{name}", required=True, metavar="CSV", help="the values of that figure")
    parser.add_argument("--flow-figure", required=True, metavar="PNG", help="frames and their flow")
    parser.add_argument("--filters", required=True, metavar="PNG", help="the first layer's filters")
    for system in ("spatial", "temporal", "fused"):
        parser.add_argument(f"--{system}", required=True, metavar="NPZ", help="its score file")
    dataset_files.add_options(parser, ["frames", "flow"])
    args = parser.parse_args()
    recipe = cli.recipe(ReportRecipe, args)
    dataset = dataset_files.given_files(args, {recipe.dataset: recipe.shards})[recipe.dataset]
    given = Given(
        results=args.results,
        confusion=args.confusion,
        recall=args.recall,
        fusion_weight=args.fusion_weight,
        curves=args.curves,
        flow_figure=args.flow_figure,
        filters=args.filters,
    )
    with cli.record(args, recipe):
        scores = {system: read_test_part(getattr(args, system)) for system in recipe.systems}
        frames, flow = Store(dataset.needed("frames")), Store(dataset.needed("flow"))
        page = report(recipe, given, scores, frames, flow)
        with atomic_write(args.out) as part:
            part.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

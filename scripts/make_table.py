"""Make a table of the paper from score files."""

from pathlib import Path

from twostream import cli, paths
from twostream.config.recipes import TableRecipe
from twostream.files import atomic_write, write_json
from twostream.results.tables import make_table, metrics
from twostream.scores.score_file import read_scores


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--scores", nargs="+", required=True, help="score files, in the rows' order")
    args = parser.parse_args()
    recipe = cli.recipe(TableRecipe, args)
    with cli.record(args, recipe):
        table = make_table(recipe, [read_scores(file).part("test") for file in args.scores])
        write_json(paths.metrics(args.out), metrics(Path(args.out).stem, table))
        with atomic_write(args.out) as part:
            table.to_csv(part, index=False)


if __name__ == "__main__":
    cli.run(main)

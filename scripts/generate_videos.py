"""Draw a set of labelled videos (or still images) and write its index."""

from pathlib import Path

from twostream import cli, paths
from twostream.dataset import write_dataset
from twostream.index import complete, write_index
from twostream.recipes import GeneratorRecipe


def main() -> None:
    parser = cli.arguments(__doc__)
    args = parser.parse_args()
    recipe = cli.recipe(GeneratorRecipe, args)
    with cli.record(args, recipe) as record:
        folder = Path(paths.VIDEOS.format(dataset=recipe.dataset))
        table = write_dataset(recipe, folder)
        index, _ = complete(table, folder, recipe.media, on_bad_video="stop")
        record["videos"] = len(index)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

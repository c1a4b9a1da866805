"""Draw a set of labelled videos (or still images) and write its index."""

from pathlib import Path

from twostream import cli
from twostream.config.recipes import GeneratorRecipe
from twostream.provenance.records import read_record
from twostream.videos.generated import write_dataset
from twostream.videos.index import complete, read_index, write_index


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="where the videos are to be")
    args = parser.parse_args()
    recipe = cli.recipe(GeneratorRecipe, args)
    # Before the index is made anew: what this project has drawn, it may delete.
    drawn_before = read_index(args.out)["file"] if read_record(args.out) and Path(args.out).exists() else ()
    with cli.record(args, recipe) as record:
        table = write_dataset(recipe, args.folder, drawn_before)
        index, _ = complete(table, args.folder, recipe.media, on_bad_video="stop")
        record.facts["videos"] = len(index)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

"""Draw a set of labelled videos (or still images) and write its index."""

from pathlib import Path

from twostream import cli
from twostream.config.recipes import GeneratorRecipe
from twostream.videos.drawn import drawn_before, note_drawn, refuse_others
from twostream.videos.generated import files_of, write_dataset
from twostream.videos.index import complete, write_index


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="where the videos are to be")
    args = parser.parse_args()
    recipe = cli.recipe(GeneratorRecipe, args)
    # Before the index is made anew.
    drawn = drawn_before(recipe.dataset, args.out, args.folder)
    to_draw = set(files_of(recipe)["file"])
    refuse_others(to_draw - drawn, args.folder)
    note_drawn(recipe.dataset, drawn | to_draw)
    with cli.record(args, recipe) as record:
        table = write_dataset(recipe, args.folder, drawn)
        index, _ = complete(table, args.folder, recipe.media, on_bad_video="stop")
        note_drawn(recipe.dataset, to_draw)
        record.facts["videos"] = len(index)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

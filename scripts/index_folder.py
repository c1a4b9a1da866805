"""Index a folder of videos (or still images): class folders, or a CSV that lists them."""

from pathlib import Path

from twostream import cli
from twostream.config.recipes import IndexRecipe
from twostream.videos.index import complete, from_class_folders, from_list, write_index


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="where the videos are")
    parser.add_argument("--list", type=Path, help="CSV with file, class, group, split1, ...")
    parser.add_argument("--on-bad-video", choices=["stop", "skip"], default="stop")
    parser.add_argument("--skipped", required=True, help="report on left-out videos to write")
    args = parser.parse_args()
    recipe = cli.recipe(IndexRecipe, args)
    with cli.record(args, recipe) as record:
        if args.list:
            table = from_list(args.list, recipe.splits)
        else:
            table = from_class_folders(args.folder, recipe.media, recipe.splits)
        index, skipped = complete(table, args.folder, recipe.media, args.on_bad_video)
        record.facts |= {"videos": len(index), "skipped": len(skipped)}
        write_index(skipped, args.skipped)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

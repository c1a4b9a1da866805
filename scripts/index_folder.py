"""Index a folder of videos (or still images): class folders, or a CSV that lists them."""

import sys
from pathlib import Path

from twostream import cli
from twostream.config.recipes import IndexRecipe
from twostream.files import some
from twostream.videos.class_folders import from_class_folders
from twostream.videos.index import complete, write_index
from twostream.videos.listing import check_folder, passed_over
from twostream.videos.lists import from_list
from twostream.videos.suspicions import (
    refuse_alike,
    refuse_repeated,
    refuse_text,
    refuse_two_classes,
    repeated_videos,
)


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="where the videos are")
    parser.add_argument("--list", type=Path, help="CSV with file, class, group, split1, ...")
    parser.add_argument("--on-bad-video", choices=["stop", "skip"], default="stop")
    parser.add_argument("--skipped", required=True, help="report on left-out videos to write")
    args = parser.parse_args()
    recipe = cli.recipe(IndexRecipe, args)
    check_folder(args.folder)
    with cli.record(args, recipe) as record:
        if args.list:
            table = from_list(args.list, recipe.splits, args.folder)
        else:
            table = from_class_folders(args.folder, recipe.media, recipe.splits)
        refuse_alike(table, args.folder)
        index, skipped = complete(table, args.folder, recipe.media, args.on_bad_video)
        # Without those that are left out, one class may be all there is.
        if len(skipped):
            refuse_alike(index, args.folder)
        if recipe.media == "videos":
            refuse_text(index["file"], args.folder)
        refuse_repeated(index, args.folder)
        refuse_two_classes(index, args.folder)
        if repeated := repeated_videos(index):
            print(f"{args.folder}: the same video, byte for byte, twice: {some(repeated)}", file=sys.stderr)
        if others := passed_over(args.folder, recipe.media):
            said = f"{len(others):,} files are passed over, as by their names they are no {recipe.media}"
            print(f"{args.folder}: {said}: {some(others)}", file=sys.stderr)
        record.facts |= {"videos": len(index), "skipped": len(skipped), "passed_over": len(others)}
        write_index(skipped, args.skipped)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

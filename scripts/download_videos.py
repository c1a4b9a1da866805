"""Fetch the videos and official lists of a published dataset where they are missing, and write its index."""

from twostream import cli
from twostream.config.recipes import OfficialRecipe
from twostream.config.scale import Official
from twostream.videos.index import complete, write_index
from twostream.videos.official import listed_videos


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--dataset", required=True, help="its name in the scale")
    parser.add_argument("--source", required=True, help="JSON: its `source` in the scale")
    parser.add_argument("--on-bad-video", choices=["stop", "skip"], default="stop")
    parser.add_argument("--skipped", required=True, help="report on left-out videos to write")
    args = parser.parse_args()
    recipe = cli.recipe(OfficialRecipe, args)
    source = cli.from_json(Official, args.source, "--source")
    with cli.record(args, recipe) as record:
        table, folder = listed_videos(source, args.dataset)
        index, skipped = complete(table, folder, "videos", args.on_bad_video)
        record.facts |= {"videos": len(index), "skipped": len(skipped)}
        write_index(skipped, args.skipped)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

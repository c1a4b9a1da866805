"""Fetch the videos and official lists of a published dataset where they are missing, and write its index."""

import sys

from twostream import cli
from twostream.config.recipes import OfficialRecipe
from twostream.config.sources import Official
from twostream.files import UserError, some
from twostream.videos.index import complete, write_index
from twostream.videos.official import listed_videos
from twostream.videos.subsets import subset_digest
from twostream.videos.suspicions import repeated_across


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--dataset", required=True, help="its name in the scale")
    parser.add_argument("--source", required=True, help="JSON: its `source` in the scale")
    parser.add_argument("--on-bad-video", choices=["stop", "skip"], default="stop")
    parser.add_argument("--skipped", required=True, help="report on left-out videos to write")
    args = parser.parse_args()
    recipe = cli.recipe(OfficialRecipe, args)
    source = cli.from_json(Official, args.source, "--source")
    if source.subset and subset_digest(source.subset) != recipe.subset:
        raise UserError(f"{source.subset}: was edited since this job was planned; call snakemake again")
    with cli.record(args, recipe) as record:
        table, folder = listed_videos(source, args.dataset)
        index, skipped = complete(table, folder, "videos", args.on_bad_video)
        record.facts |= {"videos": len(index), "skipped": len(skipped)}
        if repeated := repeated_across(index):
            record.facts["repeated_across_splits"] = repeated
            print(f"the same video, byte for byte, is on both sides: {some(repeated)}", file=sys.stderr)
        write_index(skipped, args.skipped)
        write_index(index, args.out)


if __name__ == "__main__":
    cli.run(main)

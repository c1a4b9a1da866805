"""Extract optical flow from videos.

By itself: `extract_flow.py --videos DIR --out DIR` takes every video below a folder and writes
`forward.zip` (and `backward.zip`), one JPEG a field; docs/flow.md says how to read them. The rule
`extract_flow` gives an index, the number of a shard and a recipe too, and the shard to write.
"""

import argparse
from pathlib import Path
from typing import get_args

from twostream import cli
from twostream.config.flow import FLOW_ALGORITHMS, BroxSettings, Flow
from twostream.config.recipes import FlowRecipe
from twostream.extraction.flow import store_flow
from twostream.extraction.folder import extract_folder, usable_files
from twostream.extraction.raw_frames import write_raw_frames
from twostream.paths import Direction


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", required=True, type=Path, help="where the videos are")
    parser.add_argument("--out", required=True, type=Path, help="folder (rule: shard) to write")
    cli.add_device(parser)
    alone = parser.add_argument_group("by itself")
    alone.add_argument("--method", choices=FLOW_ALGORITHMS, default="brox")
    alone.add_argument("--encoding", choices=["range", "clip20"], default="range")
    alone.add_argument("--shorter-side", type=int, help="pixels to rescale frames to before their flow")
    alone.add_argument("--every", type=int, default=1, metavar="N", help="take each N-th frame alone")
    alone.add_argument("--direction", choices=["forward", "backward", "both"], default="forward")
    alone.add_argument(
        "--layout",
        choices=["shards", "raw-frames"],
        default="shards",
        help="raw-frames: img_00001.jpg, flow_x_00001.jpg, ... in a folder a video, and list.txt, as TSN and"
        " MMAction2 read them",
    )
    alone.add_argument("--skip-bad", action="store_true", help="leave out unreadable videos")
    alone.add_argument("--preview", type=Path, help="PNG of frames beside their flow to write")
    rule = parser.add_argument_group("from the rule")
    rule.add_argument("--index", help="the dataset's index")
    rule.add_argument("--shard", type=int, help="number of the shard, from 0")
    cli.add_recipe(rule)
    args = parser.parse_args()
    if args.spec or args.recipe:
        if args.index is None or args.shard is None:
            parser.error("--spec goes with --index and --shard")
        recipe = cli.recipe(FlowRecipe, args)
        with cli.record(args, recipe) as record:
            record.facts |= store_flow(
                *(recipe, args.videos, args.index, args.shard, args.out, args.device),
                spec=args.spec and args.spec.digest,
            )
    else:
        if args.every < 1:
            parser.error("--every: 1 takes all frames, 2 each second one")
        settings = {"short_side": args.shorter_side} if args.shorter_side else {}
        flow = Flow(method=args.method, encoding=args.encoding, quality=90, brox=BroxSettings(), **settings)
        if args.layout == "raw-frames":
            if args.direction != "forward" or args.preview:
                parser.error("--layout raw-frames has forward flow alone, and no --preview")
            files = usable_files(args.videos, args.out, args.skip_bad, args.every)
            write_raw_frames(args.videos, files, args.out, flow, args.device, args.every)
            return
        directions = get_args(Direction) if args.direction == "both" else [args.direction]
        extract_folder(
            *(args.videos, args.out, flow, directions, args.device, args.skip_bad, args.preview, args.every)
        )


if __name__ == "__main__":
    cli.run(main)

"""Extract the frames of one shard of a dataset: JPEG, shorter side rescaled."""

from pathlib import Path

from twostream import cli
from twostream.config.recipes import FramesRecipe
from twostream.extraction.frames import store_frames


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="where the videos are")
    parser.add_argument("--index", required=True, help="the dataset's index")
    parser.add_argument("--shard", required=True, type=int, help="number of the shard, from 0")
    args = parser.parse_args()
    recipe = cli.recipe(FramesRecipe, args)
    with cli.record(args, recipe) as record:
        spec = args.spec and args.spec.digest
        record.facts |= store_frames(recipe, args.folder, args.index, args.shard, args.out, spec)


if __name__ == "__main__":
    cli.run(main)

"""Index segments of videos by a list of them; fetch the videos that are named by an address."""

from pathlib import Path

from twostream import cli, paths
from twostream.config.recipes import IndexRecipe
from twostream.config.sources import Segments
from twostream.provenance.locks import locked
from twostream.videos.excerpt import whole
from twostream.videos.fetching import bring_videos
from twostream.videos.index import write_index
from twostream.videos.segment_list import is_address, local_names, read_segments
from twostream.videos.segments import index_segments, tell
from twostream.videos.suspicions import refuse_alike, refuse_repeated, refuse_text


def main() -> None:
    parser = cli.arguments(__doc__)
    parser.add_argument("--dataset", required=True, help="its name in the scale")
    parser.add_argument("--source", required=True, help="JSON: its `source` in the scale")
    parser.add_argument("--folder", required=True, type=Path, help="where videos are, and fetched ones go")
    parser.add_argument("--on-bad-video", choices=["stop", "skip"], default="stop")
    parser.add_argument("--skipped", required=True, help="report on left-out segments to write")
    args = parser.parse_args()
    recipe = cli.recipe(IndexRecipe, args)
    source = cli.from_json(Segments, args.source, "--source")
    with cli.record(args, recipe) as record:
        table = read_segments(Path(source.list), recipe.splits, args.folder)
        # Another dataset may have the same folder, and be indexed at the same time.
        with locked(args.folder):
            names = local_names(table["file"], args.folder)
            wanted = {file: name for file, name in names.items() if source.fetch or is_address(file)}
            sums = dict(zip(table["file"], table["sha256"], strict=True)) if "sha256" in table else {}
            known = Path(paths.CHECKSUMS.format(dataset=args.dataset))
            not_had = bring_videos(wanted, sums, args.folder, source.fetch, known)
        table["file"] = table["file"].map(names)
        found = index_segments(table, args.folder, not_had, args.on_bad_video)
        refuse_text({whole(file) for file in found.index["file"]}, args.folder)
        refuse_alike(found.index, args.folder)
        refuse_repeated(found.index, args.folder)
        tell(found)
        record.facts |= {
            "videos": len(found.index),
            "skipped": len(found.skipped),
            "not_had": int(found.skipped["file"].isin(not_had).sum()),
            "cut_short": found.cut_short,
            "overlapping": found.overlapping,
        }
        write_index(found.skipped, args.skipped)
        write_index(found.index, args.out)


if __name__ == "__main__":
    cli.run(main)

"""The frames of videos, into shards."""

from pathlib import Path

from twostream.config.recipes import FramesRecipe
from twostream.extraction.shards import FRAME_BYTES, check_free_disk, files_of_shard, write_shard
from twostream.extraction.store import ShardWriter
from twostream.files import sha256
from twostream.videos.decoding import announced, read_frames, rescale


def store_frames(
    recipe: FramesRecipe,
    folder: Path,
    index: str | Path,
    shard: int,
    out: str | Path,
    spec: str | None = None,
) -> dict[str, object]:
    """Write the frames of a shard's videos, shorter side rescaled; return facts for the record.

    These are the number of frames, and the videos with fewer frames than their container announces
    (a damaged end, or a wrong header). With the digest of a spec it goes on from what a killed call with
    the same one has written. Raises BadVideoError for a video that cannot be decoded.
    """
    short_side, media = recipe.frames.short_side, recipe.media
    files = files_of_shard(index, folder, shard, recipe.shards)
    if media == "videos":
        check_free_disk(folder, files, out, FRAME_BYTES, recipe.shards, short_side)

    def add(writer: ShardWriter, file: str) -> int:
        frames = (rescale(frame, short_side) for frame in read_frames(folder / file, media))
        return writer.add_frames(file, frames)

    identity = spec and f"{spec} {sha256(index)}"
    counts = write_shard(files, out, recipe.frames.quality, add, f"shard {shard}", identity)
    fewer: dict[str, str] = {}
    for file, count in counts.items():
        if media == "videos" and count < (expected := announced(folder / file).frames):
            fewer[file] = f"{count} of {expected}"
    return {"frames": sum(counts.values()), "fewer_frames_than_announced": fewer}

"""The frames of videos, into shards."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from twostream.config.recipes import FramesRecipe
from twostream.extraction.shards import FRAME_BYTES, check_free_disk, files_of_shard, write_shard
from twostream.extraction.store import ShardWriter
from twostream.files import sha256, some
from twostream.videos.damage import tell_damaged
from twostream.videos.decoding import frame_sums, read_frames, rescale
from twostream.videos.excerpt import file_of

DIFFER = "two decodings gave different frames"


def store_frames(
    recipe: FramesRecipe,
    folder: Path,
    index: str | Path,
    shard: int,
    out: str | Path,
    spec: str | None = None,
) -> dict[str, object]:
    """Write the frames of a shard's videos, shorter side rescaled; return facts for the record.

    These are the number of frames, the videos that are damaged (fewer frames than their container announces
    are a damaged end, or a wrong header) and how, and those whose frames are all equal. Each file is decoded
    twice: one that then gives other frames is damaged too. With the digest of a spec it goes on from what a
    killed call with the same one has written. Raises BadVideoError for a video that cannot be decoded.
    """
    short_side, media = recipe.frames.short_side, recipe.media
    files = files_of_shard(index, folder, shard, recipe.shards)
    if media != "images":
        check_free_disk(folder, files, out, FRAME_BYTES, recipe.shards, short_side)

    def add(writer: ShardWriter, file: str) -> str:
        damage: list[str] = []
        sums: list[int] = []
        video = folder / file
        frames = _noted(read_frames(video, media, damaged=damage.append), sums)
        writer.add_frames(file, (rescale(frame, short_side) for frame in frames))
        if file_of(video).is_file() and media != "images" and frame_sums(read_frames(video)) != sums:
            damage.append(DIFFER)
        return "; ".join(damage)

    identity = spec and f"{spec} {sha256(index)}"
    written = write_shard(files, out, recipe.frames.quality, add, f"shard {shard}", identity)
    videos = written.videos
    facts: dict[str, object] = {"frames": sum(len(video.members) for video in videos)}
    if media == "images":
        return facts
    tell_damaged(written.damaged, folder)
    still = [video.name for video in videos if len({crc for _, _, crc in video.members}) == 1]
    if still:
        print(f"all frames are equal, so that there is no motion in it: {some(still)}", file=sys.stderr)
    return {**facts, "damaged": written.damaged, "all_frames_equal": still}


def _noted(frames: Iterable[np.ndarray], sums: list[int]) -> Iterator[np.ndarray]:
    """Yield frames, and put the checksum of each into `sums`."""
    for frame in frames:
        sums += frame_sums([frame])
        yield frame

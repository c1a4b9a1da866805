"""What a shard holds, and its frames."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from twostream.config import FramesRecipe
from twostream.files import written_whole
from twostream.index import read_index
from twostream.listing import Media
from twostream.store import ShardWriter
from twostream.videos import read_video, rescale


def shard_videos(
    folder: Path, index: str | Path, shard: int, shards: int, media: Media
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and frames, uint8 [frames, height, width, 3], BGR, of a shard's videos.

    Shard k of N holds the videos k, k + N, ... of the index. Raises BadVideoError for one that cannot be
    decoded any more.
    """
    files = read_index(index)["file"].tolist()[shard::shards]
    for file in tqdm(files, f"shard {shard}"):
        yield file, read_video(folder / file, media)


def store_frames(recipe: FramesRecipe, folder: Path, index: str | Path, shard: int, out: str | Path) -> int:
    """Write the frames of a shard's videos, shorter side rescaled; return their number."""
    count = 0
    with written_whole(out) as part, ShardWriter(part, recipe.frames.quality) as writer:
        for video, frames in shard_videos(folder, index, shard, recipe.shards, recipe.media):
            writer.add_frames(video, (rescale(f, recipe.frames.short_side) for f in frames))
            count += len(frames)
    return count

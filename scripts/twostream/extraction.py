"""What a shard holds, and its frames."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from twostream.config import FramesRecipe
from twostream.files import UserError, written_whole
from twostream.index import read_index
from twostream.listing import Media
from twostream.store import ShardWriter
from twostream.videos import expected_pixels, read_video, rescale

# Stored bytes a pixel of a frame, or of a field, on the large side: real clips take about half.
FRAME_BYTES = 0.5
FIELD_BYTES = 0.3


def files_of_shard(index: str | Path, shard: int, shards: int) -> list[str]:
    """Return the videos of shard k of N: k, k + N, ... of the index."""
    return read_index(index)["file"].tolist()[shard::shards]


def read_videos(
    folder: Path, files: Sequence[str], media: Media, doing: str
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and frames, uint8 [frames, height, width, 3], BGR, of videos, with a progress bar.

    Raises BadVideoError for one that cannot be decoded.
    """
    # Jobs run side by side, so each keeps to one thread.
    cv2.setNumThreads(1)
    for file in tqdm(files, doing):
        yield file, read_video(folder / file, media)


def check_free_disk(folder: Path, files: Sequence[str], out: str | Path, pixel_bytes: float) -> None:
    """Raise UserError if what is made of the videos is likely to fill the disk."""
    needed = sum(expected_pixels(folder / file) for file in files) * pixel_bytes
    place = Path(out).absolute().parent
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise UserError(
            f"{out}: may take {needed / 1e9:.1f} GB, but {place} has {free / 1e9:.1f} GB free;"
            " make room, or make `data` a link to a larger disk"
        )


def store_frames(recipe: FramesRecipe, folder: Path, index: str | Path, shard: int, out: str | Path) -> int:
    """Write the frames of a shard's videos, shorter side rescaled; return their number."""
    files = files_of_shard(index, shard, recipe.shards)
    if recipe.media == "videos":
        check_free_disk(folder, files, out, FRAME_BYTES)
    count = 0
    with written_whole(out) as part, ShardWriter(part, recipe.frames.quality) as writer:
        for video, frames in read_videos(folder, files, recipe.media, f"shard {shard}"):
            writer.add_frames(video, (rescale(f, recipe.frames.short_side) for f in frames))
            count += len(frames)
    return count

"""What a shard holds, and its frames."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
from tqdm import tqdm

from twostream.files import UserError, sha256, written_whole
from twostream.index import read_index
from twostream.recipes import FramesRecipe
from twostream.store import ShardWriter
from twostream.videos import announced, read_frames, rescale

# Stored bytes a pixel of a frame, or of a field, on the large side: real clips take about half.
FRAME_BYTES = 0.5
FIELD_BYTES = 0.3


def files_of_shard(index: str | Path, folder: Path, shard: int, shards: int) -> list[str]:
    """Return the videos of shard k of N: k, k + N, ... of the index, relative to `folder`.

    Raises UserError if one is missing, or is not the one that the index has by its checksum.
    """
    rows = read_index(index)[shard::shards]
    for file, expected in zip(rows["file"], rows["sha256"], strict=True):
        path = folder / file
        if not path.exists():
            raise UserError(
                f"{path}: is missing, though {index} lists it; get it back (`dvc pull`, a backup)"
            )
        if sha256(path) != expected:
            raise UserError(
                f"{path}: is not the file that {index} lists, by its checksum; get that back, or delete the"
                " index to have it made anew"
            )
    return list(rows["file"])


def write_shard(
    files: Sequence[str],
    out: str | Path,
    quality: int,
    add: Callable[[ShardWriter, str], int],
    doing: str,
) -> int:
    """Write a shard, whole or not at all, with a progress bar; return the number of images in it.

    `add` puts one video into the shard and returns how many images that made.
    """
    # Jobs run side by side, so each keeps to one thread.
    cv2.setNumThreads(1)
    with written_whole(out) as part, ShardWriter(part, quality) as writer:
        return sum(add(writer, file) for file in tqdm(files, doing))


def store_frames(
    recipe: FramesRecipe, folder: Path, index: str | Path, shard: int, out: str | Path
) -> dict[str, object]:
    """Write the frames of a shard's videos, shorter side rescaled; return facts for the record.

    These are the number of frames, and the videos with fewer frames than their container announces
    (a damaged end, or a wrong header). Raises BadVideoError for a video that cannot be decoded.
    """
    short_side, media = recipe.frames.short_side, recipe.media
    files = files_of_shard(index, folder, shard, recipe.shards)
    if media == "videos":
        check_free_disk(folder, files, out, FRAME_BYTES, recipe.shards, short_side)
    fewer: dict[str, str] = {}

    def add(writer: ShardWriter, file: str) -> int:
        frames = (rescale(frame, short_side) for frame in read_frames(folder / file, media))
        count = writer.add_frames(file, frames)
        if media == "videos" and count < announced(folder / file).frames:
            fewer[file] = f"{count} of {announced(folder / file).frames:.0f}"
        return count

    count = write_shard(files, out, recipe.frames.quality, add, f"shard {shard}")
    return {"frames": count, "fewer_frames_than_announced": fewer}


def check_free_disk(
    folder: Path,
    files: Sequence[str],
    out: str | Path,
    pixel_bytes: float,
    shards: int,
    short_side: int | None = None,
) -> None:
    """Raise UserError if the shards that are still to be made are likely to fill the disk.

    The estimate is this shard's, from what its containers announce, times their number.
    """
    pixels = sum(announced(folder / file).pixels(short_side) for file in files)
    place = Path(out).absolute().parent
    missing = shards - len(list(place.glob("*.zip"))) if place.exists() else shards
    needed = pixels * pixel_bytes * max(1, missing)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise UserError(
            f"{out}: this and the other shards may take {needed / 1e9:.1f} GB, but {place} has"
            f" {free / 1e9:.1f} GB free; make room, or make the folder a link to a larger disk"
        )

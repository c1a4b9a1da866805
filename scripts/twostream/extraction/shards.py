"""What a shard holds, and how it is written."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from twostream.extraction.resumption import KeptShard
from twostream.extraction.store import ShardWriter, WrittenVideo
from twostream.files import UserError, atomic_write
from twostream.progress import ProgressBar
from twostream.videos.content import content_sha256
from twostream.videos.decoding import announced
from twostream.videos.excerpt import whole
from twostream.videos.index import read_index

# Stored bytes a pixel of a frame, or of a field, on the large side: real clips take about half.
FRAME_BYTES = 0.5
FIELD_BYTES = 0.3


@dataclass(frozen=True)
class WrittenShard:
    """The videos in a shard, and what was lost of those that are damaged, by name."""

    videos: list[WrittenVideo]
    damaged: dict[str, str]


def files_of_shard(index: str | Path, folder: Path, shard: int, shards: int) -> list[str]:
    """Return the videos of shard k of N: k, k + N, ... of the index, relative to `folder`.

    Raises UserError if one is missing, or is not the one that the index has by its checksum.
    """
    rows = read_index(index)[shard::shards]
    # Several excerpts of a file, which have one checksum, are of one file.
    for file, expected in dict(zip(map(whole, rows["file"]), rows["sha256"], strict=True)).items():
        path = folder / file
        if not path.exists():
            raise UserError(
                f"{path}: is missing, though {index} lists it; get it back (`dvc pull`, a backup)"
            )
        if content_sha256(path) != expected:
            raise UserError(
                f"{path}: is not the file that {index} lists, by its checksum; get that back, or delete the"
                " index to have it made anew"
            )
    return list(rows["file"])


def write_shard(
    files: Sequence[str],
    out: str | Path,
    quality: int,
    add: Callable[[ShardWriter, str], str],
    doing: str,
    identity: str | None = None,
) -> WrittenShard:
    """Write a shard, whole or not at all, with a progress bar; return what is in it of each video.

    `add` puts one video into the shard and returns what was lost of it, as it is damaged (empty: nothing).
    With an `identity`, that of the shard's content, a call that is killed keeps the videos that it has
    written, and the next one with the same identity goes on from them.
    """
    # Jobs run side by side, so each keeps to one thread.
    cv2.setNumThreads(1)
    if identity is None:
        damaged = {}
        with atomic_write(out) as part, ShardWriter(part, quality) as writer:
            for file in ProgressBar(files, doing):
                if damage := add(writer, file):
                    damaged[file] = damage
    else:
        shard = KeptShard(out, f"{identity} OpenCV {cv2.__version__}")
        with shard.writer(quality) as writer:
            written = len(writer.videos)
            for file in ProgressBar(files[written:], doing, len(files), initial=written):
                shard.note(writer, add(writer, file))
        damaged = shard.damaged
    return WrittenShard(writer.videos, damaged)


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

"""The optical flow of videos, into shards."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from twostream import paths
from twostream.config import Flow, FlowRecipe
from twostream.encoding import encode
from twostream.extraction import FIELD_BYTES, check_free_disk, files_of_shard, read_videos
from twostream.files import UserError, recorded, written_whole
from twostream.flow import backend, video_flow
from twostream.index import unusable, write_index
from twostream.listing import find_videos
from twostream.paths import Direction
from twostream.pictures import write_preview
from twostream.store import ShardWriter


def store_flow(
    recipe: FlowRecipe, folder: Path, index: str | Path, shard: int, out: str | Path, device: str
) -> int:
    """Write the flow of a shard's videos; return the number of fields."""
    files = files_of_shard(index, shard, recipe.shards)
    return write_flow(folder, files, recipe.flow, recipe.direction, out, device)


def write_flow(
    folder: Path,
    files: Sequence[str],
    flow: Flow,
    direction: Direction,
    out: str | Path,
    device: str,
) -> int:
    """Write the flow of videos to one shard, at the videos' own size; return the number of fields.

    Raises BadVideoError for a video that cannot be read, UserError if the disk is too full.
    """
    check_free_disk(folder, files, out, FIELD_BYTES)
    count = 0
    with written_whole(out) as part, ShardWriter(part, flow.quality) as writer:
        for video, frames in read_videos(folder, files, "videos", f"{direction} flow"):
            fields = video_flow(list(frames), flow, direction, device)
            writer.add_flow(video, (encode(np.asarray(f), flow.encoding) for f in fields))
            count += len(fields)
    return count


def extract_folder(
    folder: Path,
    out: Path,
    flow: Flow,
    directions: Sequence[Direction],
    device: str,
    skip_bad: bool,
    preview: Path | None,
) -> None:
    """Write the flow of every video below a folder to `out/{direction}.zip`, with its record.

    Raises BadVideoError, which names all videos that cannot be read or have one frame only; with
    `skip_bad` they are left out and written to `out/skipped.csv`.
    """
    files = find_videos(folder, "videos")
    if not files:
        raise UserError(f"{folder}: holds no videos")
    table = pd.DataFrame({"file": files})
    bad = unusable(table, folder, "videos", "skip" if skip_bad else "stop", advice="use --skip-bad")
    files = [file for file in files if file not in set(bad["file"])]
    if skip_bad:
        write_index(bad, out / "skipped.csv")
    if preview and "forward" not in directions:
        raise UserError("--preview shows forward flow; add `--direction both` or `forward`")
    for direction in directions:
        shard = out / f"{direction}.zip"
        recipe = {"flow": flow.model_dump(), "direction": direction}
        with recorded(paths.record(shard), "by hand", recipe, device=device) as record:
            record["backend"] = backend(flow, device)
            record["fields"] = write_flow(folder, files, flow, direction, shard, device)
            record["videos"] = len(files)
    if preview:
        write_preview(folder, files, out / "forward.zip", preview)

"""The optical flow of a shard's videos."""

from pathlib import Path

import cv2

from twostream.config import FlowRecipe
from twostream.extraction import shard_videos
from twostream.files import written_whole
from twostream.flow import video_flow
from twostream.store import ShardWriter


def store_flow(recipe: FlowRecipe, folder: Path, index: str | Path, shard: int, out: str | Path) -> int:
    """Write the flow of a shard's videos, at the videos' own size; return the number of fields."""
    cv2.setNumThreads(1)
    count = 0
    with written_whole(out) as part, ShardWriter(part, recipe.flow.quality) as writer:
        for video, frames in shard_videos(folder, index, shard, recipe.shards, "videos"):
            fields = video_flow(frames, recipe.flow.method, recipe.direction)
            writer.add_flow(video, fields)
            count += len(fields)
    return count

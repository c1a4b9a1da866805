"""The optical flow of videos, into shards."""

from collections.abc import Sequence
from pathlib import Path

from twostream.config.flow import Flow
from twostream.config.recipes import FlowRecipe
from twostream.extraction.encoding import encode
from twostream.extraction.shards import (
    FIELD_BYTES,
    WrittenShard,
    check_free_disk,
    files_of_shard,
    write_shard,
)
from twostream.extraction.store import ShardWriter
from twostream.files import sha256
from twostream.flow.video_flow import video_flow
from twostream.paths import Direction
from twostream.videos.damage import tell_damaged
from twostream.videos.decoding import read_frames


def store_flow(
    recipe: FlowRecipe,
    folder: Path,
    index: str | Path,
    shard: int,
    out: str | Path,
    device: str,
    spec: str | None = None,
) -> dict[str, object]:
    """Write the flow of a shard's videos; return facts for the record (`flow_facts`).

    With the digest of a spec it goes on from what a killed call with the same one has written.
    """
    files = files_of_shard(index, folder, shard, recipe.shards)
    check_free_disk(folder, files, out, FIELD_BYTES, recipe.shards, recipe.flow.short_side)
    identity = spec and f"{spec} {sha256(index)}"
    written = write_flow(folder, files, recipe.flow, recipe.direction, out, device, identity)
    tell_damaged(written.damaged, folder)
    return flow_facts(written)


def write_flow(
    folder: Path,
    files: Sequence[str],
    flow: Flow,
    direction: Direction,
    out: str | Path,
    device: str,
    identity: str | None = None,
) -> WrittenShard:
    """Write the flow of videos to one shard (`write_shard`).

    Raises BadVideoError for a video that cannot be read.
    """

    def add(writer: ShardWriter, file: str) -> str:
        damage: list[str] = []
        fields = video_flow(read_frames(folder / file, damaged=damage.append), flow, direction, device)
        writer.add_flow(file, (encode(field, flow.encoding) for field in fields))
        return "".join(damage)

    return write_shard(files, out, flow.quality, add, f"{direction} flow", identity)


def flow_facts(shard: WrittenShard) -> dict[str, object]:
    """Return the number of fields in a shard, and which videos are damaged and how."""
    return {"fields": sum(len(video.members) for video in shard.videos), "damaged": shard.damaged}

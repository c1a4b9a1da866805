"""The optical flow of videos, into shards."""

from collections.abc import Sequence
from pathlib import Path

from twostream.config.flow import Flow
from twostream.config.recipes import FlowRecipe
from twostream.extraction.encoding import encode
from twostream.extraction.given_flow import have_flow, store_given_flow
from twostream.extraction.shards import (
    FIELD_BYTES,
    WrittenShard,
    check_free_disk,
    files_of_shard,
    write_shard,
)
from twostream.extraction.store import ShardWriter
from twostream.files import sha256
from twostream.flow.video_flow import backend, video_flow
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
    """Write the flow of a shard's videos; return facts for the record: what computed it, and `flow_facts`.

    With the digest of a spec it goes on from what a killed call with the same one has written. Flow that the
    videos come with is taken, and not computed (`store_given_flow`).
    """
    files = files_of_shard(index, folder, shard, recipe.shards)
    check_free_disk(folder, files, out, FIELD_BYTES, recipe.shards, recipe.flow.short_side)
    if have_flow(folder, files):
        return store_given_flow(recipe, folder, files, out)
    identity = spec and f"{spec} {sha256(index)}"
    written = write_flow(folder, files, recipe.flow, recipe.direction, out, device, identity)
    tell_damaged(written.damaged, folder)
    return {"backend": backend(recipe.flow, device), **flow_facts(written)}


def write_flow(
    folder: Path,
    files: Sequence[str],
    flow: Flow,
    direction: Direction,
    out: str | Path,
    device: str,
    identity: str | None = None,
    every: int = 1,
) -> WrittenShard:
    """Write the flow of videos to one shard (`write_shard`).

    With `every` n, it is that between each n-th frame and the next such one. Raises BadVideoError for a
    video that cannot be read.
    """

    def add(writer: ShardWriter, file: str) -> str:
        damage: list[str] = []
        frames = read_frames(folder / file, every=every, damaged=damage.append)
        fields = video_flow(frames, flow, direction, device)
        writer.add_flow(file, (encode(field, flow.encoding) for field in fields))
        return "".join(damage)

    return write_shard(files, out, flow.quality, add, f"{direction} flow", identity)


def flow_facts(shard: WrittenShard) -> dict[str, object]:
    """Return the number of fields in a shard, and which videos are damaged and how."""
    return {"fields": sum(len(video.members) for video in shard.videos), "damaged": shard.damaged}

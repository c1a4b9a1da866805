"""The flow that comes with videos which are folders of pictures (`videos/frame_folder.py`), into shards."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twostream.config.flow import Flow
from twostream.config.recipes import FlowRecipe
from twostream.extraction.encoding import encode
from twostream.extraction.shards import write_shard
from twostream.extraction.store import ShardWriter
from twostream.files import UserError
from twostream.videos.decoding import BadVideoError
from twostream.videos.frame_folder import BOUND, flow_files, read_displacements
from twostream.videos.video_file import UnreadableError


def have_flow(folder: Path, files: Sequence[str]) -> bool:
    """Whether videos come with flow; raise UserError if only some do, BadVideoError if it has gaps."""
    having = [_has_flow(folder / file) for file in files]
    if any(having) and not all(having):
        raise UserError(
            f"{folder / files[having.index(False)]}: comes without flow_x_00001.jpg, ..., and"
            f" {files[having.index(True)]} comes with it; extract the flow of all of them, or delete it"
        )
    return any(having)


def store_given_flow(
    recipe: FlowRecipe, folder: Path, files: Sequence[str], out: str | Path
) -> dict[str, object]:
    """Write the flow that videos come with to one shard; return facts for the record.

    These are the number of fields, and the share (%) of their components that lie at the bound and may have
    been longer. Raises UserError for backward flow, which no folder holds, or flow of another size than the
    recipe's; BadVideoError for a damaged picture.
    """
    if recipe.direction == "backward":
        raise UserError(
            f"{folder}: its folders hold forward flow alone; leave out the runs that are bi-directional, or"
            " delete flow_x_*.jpg and flow_y_*.jpg to have the flow computed from the frames"
        )
    shares: list[float] = []

    def add(writer: ShardWriter, file: str) -> str:
        try:
            fields = [
                _checked(field, folder / file, recipe.flow) for field in read_displacements(folder / file)
            ]
        except UnreadableError as error:
            raise BadVideoError(f"{folder / file}: {error}") from None
        shares.extend(float(np.mean(np.abs(field) >= BOUND)) for field in fields)
        writer.add_flow(file, (encode(field, recipe.flow.encoding) for field in fields))
        return ""

    write_shard(files, out, recipe.flow.quality, add, "given flow")
    share = round(100 * float(np.mean(shares)), 3)
    print(
        f"the flow that {folder} holds is taken: in steps of {2 * BOUND / 255:.2f} px, {share}% of it at the"
        f" bound of {BOUND:g} px, where displacements may have been longer",
        file=sys.stderr,
    )
    return {"backend": "given", "fields": len(shares), "at_the_bound_percent": share}


def _has_flow(video: Path) -> bool:
    try:
        return video.is_dir() and bool(flow_files(video))
    except UnreadableError as error:
        raise BadVideoError(f"{video}: {error}") from None


def _checked(field: np.ndarray, video: Path, flow: Flow) -> np.ndarray:
    shorter = min(field.shape[:2])
    if flow.short_side not in (None, shorter):
        raise UserError(
            f"{video}: its flow has a shorter side of {shorter} px, and flow.short_side is {flow.short_side};"
            f" set that to {shorter}, or leave it out"
        )
    return field

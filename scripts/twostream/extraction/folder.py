"""The flow of anyone's folder of videos, without the workflow."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from twostream.config.flow import RAFT_WEIGHTS, Flow
from twostream.extraction.flow import flow_facts, write_flow
from twostream.extraction.preview import write_preview
from twostream.extraction.shards import FIELD_BYTES, check_free_disk
from twostream.files import UserError
from twostream.flow.video_flow import backend
from twostream.paths import Direction
from twostream.provenance.digest import digest
from twostream.provenance.records import recorded
from twostream.provenance.specs import code_digest
from twostream.videos.damage import tell_damaged
from twostream.videos.index import unusable, write_index
from twostream.videos.listing import check_folder, find_videos


def extract_folder(
    folder: Path,
    out: Path,
    flow: Flow,
    directions: Sequence[Direction],
    device: str,
    skip_bad: bool,
    preview: Path | None,
    every: int = 1,
) -> None:
    """Write the flow of every video below a folder to `out/{direction}.zip`, with its record.

    With `every` n, it is that between each n-th frame and the next such one. Raises BadVideoError, which
    names all videos that cannot be read or have one frame only; with `skip_bad` they are left out and
    written to `out/skipped.csv`. A call that was stopped is gone on with by the next one of the same
    settings, code and files (by size and time).
    """
    if preview and "forward" not in directions:
        raise UserError("--preview shows forward flow; add `--direction both` or `forward`")
    flow = with_weights_here(flow)
    files = usable_files(folder, out, skip_bad, every)
    check_free_disk(folder, files, out / "forward.zip", FIELD_BYTES, shards=len(directions))
    for direction in directions:
        shard = out / f"{direction}.zip"
        recipe = {"flow": flow.model_dump(), "direction": direction, "every": every}
        with recorded(shard, recipe, device=device) as record:
            record.facts["backend"] = backend(flow, device)
            identity = _identity(recipe, flow, folder, files)
            written = write_flow(*(folder, files, flow, direction, shard, device, identity, every))
            record.facts |= {**flow_facts(written), "videos": len(files)}
    tell_damaged(written.damaged, folder)
    if preview:
        write_preview(folder, files, out / "forward.zip", preview, every)


def with_weights_here(flow: Flow) -> Flow:
    """Return settings that name the weights that lie here, if those are a file of others than the published.

    Without the workflow no configuration says which are meant; so the record does. Raises UserError if there
    are several files of others, or a damaged one of the published.
    """
    if flow.method not in RAFT_WEIGHTS:
        return flow
    # Not before: it loads torch.
    from twostream.flow.algorithms.raft import weights_folder, weights_here

    here, wanted = weights_here(flow.method), flow.raft.weights
    if not here or any(checksum.startswith(wanted) for checksum in here.values()):
        return flow
    if len(here) > 1:
        raise UserError(f"{weights_folder(flow.method)}: holds several files of weights; leave one there")
    ((file, checksum),) = here.items()
    if file.name == PurePosixPath(RAFT_WEIGHTS[flow.method]).name:
        raise UserError(
            f"{file}: its SHA-256 is {checksum}, and by its name begins with {wanted}; delete it, and put an"
            " undamaged copy there"
        )
    print(f"{flow.method}: the weights are those in {file} (SHA-256 {checksum[:8]}...)", file=sys.stderr)
    return flow.model_copy(update={flow.method: flow.raft.model_copy(update={"weights": checksum[:8]})})


def usable_files(folder: Path, out: Path, skip_bad: bool, every: int = 1) -> list[str]:
    """Return the videos below a folder that can be read; those that cannot are an error, or are listed."""
    check_folder(folder)
    files = find_videos(folder, "videos")
    table = pd.DataFrame({"file": files})
    bad = unusable(table, folder, "videos", "skip" if skip_bad else "stop", "use --skip-bad", every)
    files = [file for file in files if file not in set(bad["file"])]
    if skip_bad:
        write_index(bad, out / "skipped.csv")
    if not files:
        raise UserError(f"{folder}: holds no video that can be used")
    return files


def _identity(recipe: Mapping[str, object], flow: Flow, folder: Path, files: Sequence[str]) -> str:
    states = [(file, (found := (folder / file).stat()).st_size, found.st_mtime_ns) for file in files]
    return digest([recipe, code_digest("extract_flow", (flow.module,)), states])

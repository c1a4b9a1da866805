"""Shards copied to this machine's own disk: a training reads them over and over, in no order."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twostream.devices import Runtime
from twostream.extraction.dataset_files import DatasetFiles
from twostream.files import UserError
from twostream.progress import ProgressBar


@contextmanager
def staged(files: dict[str, DatasetFiles], runtime: Runtime) -> Iterator[dict[str, DatasetFiles]]:
    """Yield the files with their shards in a folder of this job's in TMPDIR, where they are for the block.

    Of several processes, the first copies for all. Raises UserError if there is no room.
    """
    # One for all processes that `torchrun` started.
    job = os.environ.get("TORCHELASTIC_RUN_ID", str(os.getpid()))
    folder = Path(tempfile.gettempdir(), f"twostream-{job}")
    copies = _copies(files, folder)
    try:
        if runtime.processes.first:
            _copy(copies)
        runtime.processes.meet(runtime.device)
        yield {
            name: DatasetFiles(
                given.index,
                {what: [copies[shard] for shard in shards] for what, shards in given.shards.items()},
            )
            for name, given in files.items()
        }
    finally:
        if runtime.processes.first:
            shutil.rmtree(folder, ignore_errors=True)


def _copies(files: dict[str, DatasetFiles], folder: Path) -> dict[str, str]:
    """Where each shard's copy is to lie."""
    shards = [shard for given in files.values() for of_one in given.shards.values() for shard in of_one]
    return {shard: str(folder / f"{number}.zip") for number, shard in enumerate(shards)}


def _copy(copies: dict[str, str]) -> None:
    place = Path(tempfile.gettempdir())
    needed, free = sum(Path(shard).stat().st_size for shard in copies), shutil.disk_usage(place).free
    if needed > free:
        raise UserError(
            f"{place}: has {free / 1e9:.1f} GB free, and the shards to be staged there take"
            f" {needed / 1e9:.1f} GB; let TMPDIR name a larger disk, or set `stage: false` in"
            " config/config.yaml"
        )
    for shard, copy in ProgressBar(copies.items(), "staging", len(copies)):
        Path(copy).parent.mkdir(exist_ok=True)
        shutil.copyfile(shard, copy)

"""Which files of a drawn dataset this project has drawn: those alone may be deleted and overwritten."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from twostream import paths
from twostream.files import UserError, sha256, some, write_json
from twostream.provenance.records import read_record
from twostream.videos.index import read_index


def drawn_before(dataset: str, index: str, folder: Path) -> set[str]:
    """Return the files, relative to `folder`, that were drawn: by the index, and by a job that was killed.

    Raises UserError if one is another by now than the index has by its checksum.
    """
    killed: set[str] = set()
    with suppress(OSError, ValueError, TypeError):
        killed = set(json.loads(_note(dataset).read_text()))
    if read_record(index) is None or not Path(index).exists():
        return killed
    indexed = read_index(index)[["file", "sha256"]]
    changed = [
        file
        for file, expected in indexed.itertuples(index=False)
        if (folder / file).exists() and sha256(folder / file) != expected
    ]
    if changed:
        raise UserError(
            f"{folder}: not as they were drawn, so that they are not deleted: {some(changed)}; move them"
            " elsewhere, or delete them"
        )
    return killed | set(indexed["file"])


def refuse_others(files: Iterable[str], folder: Path) -> None:
    """Raise UserError if one of these files, which were never drawn, is here: it is somebody's own."""
    if here := [file for file in files if os.path.lexists(folder / file)]:
        raise UserError(
            f"{folder}: holds what this project has not drawn, where it is to draw: {some(here)}; move that"
            " elsewhere, or delete it"
        )


def note_drawn(dataset: str, files: Iterable[str]) -> None:
    """Keep which files have been drawn, or are about to be, for a call after this one was killed."""
    write_json(_note(dataset), sorted(files))


def _note(dataset: str) -> Path:
    return Path(paths.DRAWN.format(dataset=dataset))

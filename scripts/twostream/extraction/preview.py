"""A preview of extracted flow: frames beside their flow as it is stored."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from twostream.extraction.store import Store
from twostream.files import UserError, atomic_write
from twostream.flow.colour import colour_coded, strongest
from twostream.videos.decoding import read_frames, rescale

PREVIEW_ROWS = 4


def write_preview(
    folder: Path, files: Sequence[str], shard: str | Path, out: str | Path, every: int = 1
) -> None:
    """Write a picture of frames beside their flow as stored in a forward shard, PNG; print what it shows.

    It has a row for each of up to four videos, the middle frame of each. Raises UserError if the
    picture cannot be written.
    """
    store = Store([shard])
    step = max(1, len(files) // PREVIEW_ROWS)
    chosen = files[::step][:PREVIEW_ROWS]
    fields = {file: _middle_field(store, file) for file in chosen}
    rows = [_preview_row(folder / file, store.length(file) // 2, fields[file], every) for file in chosen]
    width = max(row.shape[1] for row in rows)
    filled = [cv2.copyMakeBorder(r, 0, 4, 0, width - r.shape[1], cv2.BORDER_CONSTANT) for r in rows]
    written, png = cv2.imencode(".png", np.concatenate(filled))
    if not written:
        raise UserError(f"{out}: the preview cannot be made")
    with atomic_write(out) as part:
        part.write_bytes(png.tobytes())
    print(f"{out}, from above; to the right is red, down yellow-green, to the left cyan, up violet:")
    for file, field in fields.items():
        print(f"  {file}: no motion is white, {strongest(field):.1f} px and more the deepest colour")


def _middle_field(store: Store, file: str) -> np.ndarray:
    return store.read(file, [store.length(file) // 2]).displacement()[0].transpose(1, 2, 0)


def _preview_row(video: Path, number: int, field: np.ndarray, every: int) -> np.ndarray:
    frame = next(islice(read_frames(video, every=every), number, None))
    return np.hstack([rescale(frame, min(field.shape[:2])), colour_coded(field)])

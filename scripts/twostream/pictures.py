"""Pictures of flow."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from twostream.files import UserError, written_whole
from twostream.store import Store
from twostream.videos import read_frames

PREVIEW_ROWS = 4


def colour_coded(field: np.ndarray, longest: float | None = None) -> np.ndarray:
    """Return a field [height, width, 2] in px as a picture, uint8 [height, width, 3], BGR.

    The hue is the direction (right is red, down yellow-green, left cyan, up violet), the colour's
    depth the length: zero is white, `longest` (px; by default the 99th percentile, but 1 px at
    least) the deepest.
    """
    length = np.linalg.norm(field, axis=-1)
    deepest = longest or max(float(np.percentile(length, 99)), 1.0)
    hue = np.rad2deg(np.arctan2(field[..., 1], field[..., 0])) % 360
    depth = np.minimum(length / deepest, 1)
    coded = np.stack([hue, depth, np.ones_like(hue)], axis=-1).astype(np.float32)
    return np.rint(cv2.cvtColor(coded, cv2.COLOR_HSV2BGR) * 255).astype(np.uint8)


def write_preview(folder: Path, files: Sequence[str], shard: str | Path, out: str | Path) -> None:
    """Write a picture of frames beside their flow as stored in a forward shard: PNG.

    It has a row for each of up to four videos, the middle frame of each. Raises UserError if the
    picture cannot be written.
    """
    store = Store([shard])
    step = max(1, len(files) // PREVIEW_ROWS)
    rows = [_preview_row(folder, file, store) for file in files[::step][:PREVIEW_ROWS]]
    width = max(row.shape[1] for row in rows)
    filled = [cv2.copyMakeBorder(r, 0, 4, 0, width - r.shape[1], cv2.BORDER_CONSTANT) for r in rows]
    written, png = cv2.imencode(".png", np.concatenate(filled))
    if not written:
        raise UserError(f"{out}: the preview cannot be made")
    with written_whole(out) as part:
        part.write_bytes(png.tobytes())


def _preview_row(folder: Path, file: str, store: Store) -> np.ndarray:
    middle = store.length(file) // 2
    field = store.read(file, [middle]).displacement()[0].transpose(1, 2, 0)
    frame = next(islice(read_frames(folder / file), middle, None))
    return np.hstack([frame, colour_coded(field)])

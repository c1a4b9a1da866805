"""Writing a generated dataset: files in the layout of UCF-101, and what is known of each."""

import sys
import zlib
from collections.abc import Container, Iterable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from twostream.config.recipes import GeneratorRecipe
from twostream.config.sources import Generated
from twostream.files import UserError, some
from twostream.progress import ProgressBar
from twostream.videos.drawing import draw_clip, draw_still

FRAMES_PER_SECOND = 25


def write_dataset(recipe: GeneratorRecipe, folder: Path, drawn_before: Container[str] = ()) -> pd.DataFrame:
    """Write the files of a generated dataset below `folder`, in place of those that were drawn before.

    Those are deleted; what else lies there stays, and is told. Returns file, class, group and the part in
    each split: split s trains on the s-th run of `train_groups` groups, cyclically, and tests on the others.
    """
    source, table = recipe.source, files_of(recipe)
    _remove_drawn(folder, drawn_before)
    files = iter(table["file"])
    for name in ProgressBar(source.classes, f"drawing {recipe.dataset}"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for group in range(source.groups):
            for clip in range(source.clips):
                _write(recipe, folder / next(files), name, group, clip)
    return table


def files_of(recipe: GeneratorRecipe) -> pd.DataFrame:
    """Return what `write_dataset` returns, and draw nothing."""
    source, rows = recipe.source, []
    suffix = {"videos": "avi", "images": "png"}[recipe.media]
    for name in source.classes:
        for group in range(source.groups):
            parts = [_part(group, split, source) for split in range(recipe.splits)]
            for clip in range(source.clips):
                file = f"{name}/v_{name}_g{group + 1:02d}_c{clip + 1:02d}.{suffix}"
                rows.append((file, name, f"{group + 1:02d}", *parts))
    splits = [f"split{s + 1}" for s in range(recipe.splits)]
    return pd.DataFrame(rows, columns=["file", "class", "group", *splits])


def _remove_drawn(folder: Path, drawn: Container[str]) -> None:
    others = []
    for path in sorted(folder.rglob("*"), reverse=True):
        file = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif file in drawn:
            path.unlink()
        else:
            others.append(file)
    if others:
        print(
            f"{folder}: holds {len(others):,} files that were not drawn; they stay, and are in no dataset:"
            f" {some(others)}",
            file=sys.stderr,
        )


def _part(group: int, split: int, source: Generated) -> str:
    place = (group - split * source.train_groups) % source.groups
    return "train" if place < source.train_groups else "test"


def _write(recipe: GeneratorRecipe, path: Path, name: str, group: int, clip: int) -> None:
    source = recipe.source
    what = source.classes[name]
    # The class's name is part of the seed, so a class added to a set changes no other.
    seed = [source.seed, zlib.crc32(f"{recipe.dataset}/{name}".encode()), group]
    if recipe.media == "images":
        written = cv2.imwrite(str(path), draw_still(what, source.height, source.width, seed, clip))
        if not written:
            raise UserError(f"{path}: cannot be written; is the disk full?")
    else:
        frames = draw_clip(what, source.height, source.width, seed, clip)
        _write_video(path, frames, (source.width, source.height))


def _write_video(path: Path, frames: Iterable[np.ndarray], size: tuple[int, int]) -> None:
    # Motion JPEG by OpenCV itself: read by every FFmpeg, the same bytes each time.
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, code, FRAMES_PER_SECOND, size)
    if not writer.isOpened():
        raise UserError(f"{path}: cannot be written")
    for frame in frames:
        writer.write(frame)
    writer.release()

"""Frames and flow as folders of JPEG files, the layout that TSN, denseflow and MMAction2 read.

    OUT/CLASS/VIDEO/img_00001.jpg, flow_x_00001.jpg, flow_y_00001.jpg, ...
    OUT/list.txt: a line a video, `CLASS/VIDEO NUMBER_OF_FRAMES LABEL`

Displacements are clipped to +-20 px and rescaled from there to 0 to 255, as denseflow does it. A video has a
field fewer than frames.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from twostream.config.flow import Flow
from twostream.extraction.folder import with_weights_here
from twostream.files import UserError, atomic_write, part_of, write_json
from twostream.flow.video_flow import video_flow
from twostream.progress import ProgressBar
from twostream.videos.decoding import read_frames, rescale

BOUND = 20.0
LIST, SETTINGS = "list.txt", "settings.json"
FRAME, FIELD = "img_{:05d}.jpg", "flow_{}_{:05d}.jpg"
QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 95)


def write_raw_frames(folder: Path, files: Sequence[str], out: Path, flow: Flow, device: str) -> None:
    """Write frames and forward flow of videos below `folder`, and the list of them.

    A video's folder is there whole or not at all, so that a call that was stopped is gone on with. Classes
    are the folders that videos lie in, labelled from 0 in alphabetical order. Raises UserError if two videos
    would share a folder, or `out` holds what other settings led to; BadVideoError if one cannot be read.
    """
    places = [str(PurePosixPath(file).with_suffix("")) for file in files]
    twice = {place for place in places if places.count(place) > 1}
    if twice:
        raise UserError(f"{folder}: several videos are called {min(twice)}; rename all but one")
    flow = with_weights_here(flow)
    _check_settings(out, flow)
    cv2.setNumThreads(1)
    for file, place in ProgressBar(list(zip(files, places, strict=True)), "frames and flow"):
        if not (out / place).exists():
            _write_video(folder / file, out / place, flow, device)
    classes = sorted({place.partition("/")[0] for place in places if "/" in place})
    labels = {name: label for label, name in enumerate(classes)}
    lines = [f"{place} {_count(out / place)} {labels.get(place.partition('/')[0], 0)}" for place in places]
    with atomic_write(out / LIST) as part:
        part.write_text("".join(f"{line}\n" for line in lines))


def _check_settings(out: Path, flow: Flow) -> None:
    settings = flow.of_its_algorithm().model_dump(mode="json", exclude={"encoding", "quality"})
    file = out / SETTINGS
    if file.exists() and json.loads(file.read_text()) != settings:
        raise UserError(f"{out}: holds what other settings led to ({file}); choose another folder for these")
    write_json(file, settings)


def _write_video(file: Path, place: Path, flow: Flow, device: str) -> None:
    part = part_of(place)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for number, field in enumerate(video_flow(_written(file, part, flow), flow, "forward", device), 1):
            for axis, image in zip("xy", clipped(field), strict=True):
                _write(part / FIELD.format(axis, number), image)
        part.rename(place)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _written(file: Path, place: Path, flow: Flow) -> Iterator[np.ndarray]:
    """Yield a video's frames, each written first."""
    for number, frame in enumerate(read_frames(file), 1):
        resized = rescale(frame, flow.short_side) if flow.short_side else frame
        _write(place / FRAME.format(number), resized)
        yield resized


def clipped(field: np.ndarray) -> np.ndarray:
    """Return a field [height, width, 2] in px as images, uint8 [2, height, width]: x and y."""
    rescaled = np.rint((field.clip(-BOUND, BOUND) + BOUND) * (255 / (2 * BOUND)))
    return rescaled.transpose(2, 0, 1).astype(np.uint8)


def _write(file: Path, image: np.ndarray) -> None:
    # OpenCV takes no path that its own encoding does not have.
    file.write_bytes(cv2.imencode(".jpg", np.ascontiguousarray(image), QUALITY)[1].tobytes())


def _count(place: Path) -> int:
    return len(list(place.glob("img_*.jpg")))

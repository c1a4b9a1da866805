"""The store of flow against JPEG files, one a field and component, from the same videos in one run.

Training samples a second on one core with a warm cache (ten consecutive fields of a random video,
one 224 x 224 crop), bytes a field, and the error that storing adds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split
import cv2
import numpy as np
import torch
from bench_flow import SETTINGS, generated_videos
from PIL import Image
from torchvision.transforms import functional

from twostream.config.benchmark import Input
from twostream.config.scale import Training
from twostream.extraction import store
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter, Store
from twostream.flow.video_flow import video_flow
from twostream.training.preprocessing import prepare
from twostream.training.reader import VideoReader
from twostream.training.sampling import Dropout, TaskSamples, TrainingVideo, collate
from twostream.videos.decoding import read_frames
from twostream.videos.listing import find_videos

LENGTH, CROP, SHORT_SIDE = 10, 224, 256


def rate(sample: Callable[[int], object], seconds: float = 4.0) -> float:
    """Samples a second, once each file has been read."""
    for number in range(20):
        sample(number)
    started, number = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        sample(number)
        number += 1
    return number / (time.perf_counter() - started)


def drawn(counts: dict[str, int], number: int) -> tuple[str, range, np.random.Generator]:
    """A random video, and ten consecutive fields of it."""
    rng = np.random.default_rng(number)
    name = list(counts)[rng.integers(len(counts))]
    start = int(rng.integers(counts[name] - LENGTH))
    return name, range(start, start + LENGTH), rng


def files_with_pillow(folder: Path, counts: dict[str, int]) -> Callable[[int], torch.Tensor]:
    """The usual PyTorch dataset: twenty files through Pillow and torchvision's transforms."""

    def sample(number: int) -> torch.Tensor:
        name, fields, rng = drawn(counts, number)
        images = [
            functional.resize(Image.open(folder / f"{name}_{axis}_{t}.jpg").convert("L"), [SHORT_SIDE])
            for t in fields
            for axis in "xy"
        ]
        width, height = images[0].size
        top, left = rng.integers(height - CROP + 1), rng.integers(width - CROP + 1)
        images = [functional.crop(image, int(top), int(left), CROP, CROP) for image in images]
        if rng.integers(2):
            images = [functional.hflip(image) for image in images]
            images[::2] = [functional.invert(image) for image in images[::2]]
        stacked = torch.cat([functional.to_tensor(image) for image in images])
        return functional.normalize(stacked, [0.5] * len(images), [0.226] * len(images))

    return sample


def files_with_opencv(folder: Path, counts: dict[str, int]) -> Callable[[int], np.ndarray]:
    """The faster one: twenty files through OpenCV, and only what cannot be left out."""

    def sample(number: int) -> np.ndarray:
        name, fields, rng = drawn(counts, number)
        channels = []
        for t in fields:
            for axis in "xy":
                image = cv2.imread(str(folder / f"{name}_{axis}_{t}.jpg"), cv2.IMREAD_GRAYSCALE)
                assert image is not None
                scale = SHORT_SIDE / min(image.shape)
                channels.append(cv2.resize(image, None, fx=scale, fy=scale))
        top, left = (rng.integers(size - CROP + 1) for size in channels[0].shape)
        crop = np.stack(channels)[:, top : top + CROP, left : left + CROP]
        return crop.astype(np.float32) * np.float32(40 / 255) - np.float32(20)

    return sample


def ours(shard: Path, names: list[str], on_core: bool) -> Callable[[int], object]:
    """Our samples as training draws them; with `on_core`, the device's share of the work too."""
    what = Input(kind="stacking", length=LENGTH, mean_subtraction=True)
    reader = VideoReader(what, {"flow": Store([shard])})
    training = Training(batch=2, crop=CROP, momentum=0.9, weight_decay=0.0, rgb_jitter=0.0)
    videos = [TrainingVideo(n, 0, reader) for n in names]
    samples = TaskSamples(videos, training, SHORT_SIDE, Dropout(6144, 0.9), [0])
    if not on_core:
        return lambda number: collate([samples[number]])
    return lambda number: prepare(collate([samples[number]])[0], what, CROP)


def print_rates(folder: Path, counts: dict[str, int]) -> None:
    """Print training samples a second of each way to read them."""
    shard = folder / "0.zip"
    pillow, opencv = (rate(read(folder, counts)) for read in (files_with_pillow, files_with_opencv))
    print("  samples a second, and times the files with Pillow and with OpenCV")
    print(f"    files, Pillow and torchvision: {pillow:.0f}")
    print(f"    files, OpenCV: {opencv:.0f}")
    for kept, how in ((0, "decoding each image"), (store.KEPT_BYTES, "decoded images kept in memory")):
        store.KEPT_BYTES = kept
        for on_core, where in ((False, "ready for the device"), (True, "the device's work on the core too")):
            fast = rate(ours(shard, list(counts), on_core))
            print(f"    store, {how}, {where}: {fast:.0f}, {fast / pillow:.1f} x, {fast / opencv:.1f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, help="a folder of videos (default: drawn ones)")
    parser.add_argument("--clips", type=int, default=3, help="how many of the videos to use")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as made:
        folder = args.videos or Path(made)
        if not args.videos:
            generated_videos(folder)
        files = find_videos(folder, "videos")
        files = files[:: max(1, len(files) // args.clips)][: args.clips]
        counts: dict[str, int] = {}
        videos: list[list[np.ndarray]] = []
        with ShardWriter(Path(made) / "0.zip", 90) as writer:
            for number, file in enumerate(files):
                fields = list(video_flow(read_frames(folder / file), SETTINGS["brox"], "forward"))
                writer.add_flow(str(number), [encode(field, "range") for field in fields])
                counts[str(number)] = len(fields)
                for t, field in enumerate(fields):
                    image = np.rint((field.clip(-20, 20) + 20) * (255 / 40)).astype(np.uint8)
                    for axis, name in enumerate("xy"):
                        cv2.imwrite(f"{made}/{number}_{name}_{t}.jpg", image[..., axis])
                videos.append(fields)
        stored, clipped = [], []
        opened = Store([Path(made) / "0.zip"])
        for number, fields in enumerate(videos):
            read = opened.read(str(number), range(len(fields)))
            back = read.displacement().transpose(0, 2, 3, 1)
            stored.append(np.hypot(*np.moveaxis(back - np.stack(fields), -1, 0)).mean())
            pairs = [
                [cv2.imread(f"{made}/{number}_{a}_{t}.jpg", cv2.IMREAD_GRAYSCALE) for a in "xy"]
                for t in range(len(fields))
            ]
            usual = np.stack(pairs).transpose(0, 2, 3, 1) * np.float32(40 / 255) - 20
            clipped.append(np.hypot(*np.moveaxis(usual - np.stack(fields), -1, 0)).mean())
        total = sum(counts.values())
        size = (Path(made) / "0.zip").stat().st_size
        files_size = sum(file.stat().st_size for file in Path(made).glob("*.jpg"))
        height, width = videos[0][0].shape[:2]
        print(f"Store of flow, {len(files)} videos of {width} x {height}, {total} fields")
        print(f"  bytes a field: files {files_size / total:.0f}, store {size / total:.0f}")
        print(f"  error added (px): files {np.mean(clipped):.3f}, store {np.mean(stored):.3f}")
        print_rates(Path(made), counts)


if __name__ == "__main__":
    main()

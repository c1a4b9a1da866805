"""The store of flow against JPEG files, one a field and component, from the same videos in one run.

Training samples a second on one core with a warm cache (ten consecutive fields of a random video,
one 224 x 224 crop, values restored), bytes a field, and the error that storing adds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from bench_flow import SETTINGS, generated_videos

from twostream import store
from twostream.config import Input, Training
from twostream.encoding import encode
from twostream.flow import video_flow
from twostream.inputs import VideoReader
from twostream.listing import find_videos
from twostream.sampling import Dropout, TaskSamples, TrainingVideo
from twostream.store import ShardWriter, Store
from twostream.videos import read_frames

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


def others(folder: Path, counts: dict[str, int]) -> Callable[[int], np.ndarray]:
    """The usual reader: twenty JPEG files, rescaled to a shorter side of 256, cropped, scaled."""
    names = list(counts)

    def sample(number: int) -> np.ndarray:
        rng = np.random.default_rng(number)
        name = names[rng.integers(len(names))]
        start = rng.integers(counts[name] - LENGTH)
        channels = []
        for t in range(start, start + LENGTH):
            for axis in "xy":
                image = cv2.imread(str(folder / f"{name}_{axis}_{t}.jpg"), cv2.IMREAD_GRAYSCALE)
                assert image is not None
                scale = SHORT_SIDE / min(image.shape)
                channels.append(cv2.resize(image, None, fx=scale, fy=scale))
        top, left = (rng.integers(size - CROP + 1) for size in channels[0].shape)
        crop = np.stack(channels)[:, top : top + CROP, left : left + CROP]
        return crop.astype(np.float32) * np.float32(40 / 255) - np.float32(20)

    return sample


def ours(shard: Path, names: list[str]) -> Callable[[int], np.ndarray]:
    """Our reader as training uses it, with values restored on the same core.

    The crop is cut at the videos' own size; rescaling it to the input's size is the device's work.
    """
    reader = VideoReader(Input(kind="stacking", length=LENGTH), {"forward": Store([shard])})
    training = Training(batch=2, crop=CROP, momentum=0.9, weight_decay=0.0, rgb_jitter=0.0)
    samples = TaskSamples(
        [TrainingVideo(n, 0, reader) for n in names], training, SHORT_SIDE, Dropout(6144, 0.9), [0]
    )
    return lambda number: samples[number].stored.displacement()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, help="a folder of videos (default: drawn ones)")
    parser.add_argument("--clips", type=int, default=3, help="how many of the videos to use")
    args = parser.parse_args()
    cv2.setNumThreads(1)
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
        slow = rate(others(Path(made), counts))
        print(f"  samples a second: files {slow:.0f}")
        for kept, how in ((0, "decoding each image"), (store.KEPT_BYTES, "decoded images kept in memory")):
            store.KEPT_BYTES = kept
            fast = rate(ours(Path(made) / "0.zip", list(counts)))
            print(f"    store, {how}: {fast:.0f}, {fast / slow:.1f} x")


if __name__ == "__main__":
    main()

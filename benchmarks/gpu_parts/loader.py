"""The loader's share: training steps whose input is read from shards and decoded anew each time."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch

from gpu_parts import brox, paper, steps
from gpu_parts.moving_pictures import film
from gpu_parts.place import Place
from gpu_parts.timing import rate
from twostream.devices import use_device
from twostream.extraction import store
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter, Store
from twostream.flow.brox_torch import brox_flow_in_batches
from twostream.training.batch import Drawn
from twostream.training.data_loader import iterate_batches
from twostream.training.descent import timed
from twostream.training.reader import VideoReader
from twostream.training.sampling import Dropout, TaskSamples, TrainingVideo, collate

HEIGHT, WIDTH = 240, 320
MOST_STEPS = 1000
SHARED_MEMORY = Path("/dev/shm")


def measure(place: Place) -> None:
    """Write shards of flow and of frames, and train the stream of each from them."""
    device = use_device(place.device)
    store.KEPT_BYTES = 0  # at full scale hardly an image is met twice
    with tempfile.TemporaryDirectory() as made:
        shards = {"flow": Path(made) / "flow.zip", "frames": Path(made) / "frames.zip"}
        images = _write_shards(place, shards, device)
        for name, shard in shards.items():
            kilobytes = shard.stat().st_size / images[name] / 1e3
            place.measured(f"a shard of {name}, {images[name]} images", {"kB an image": kilobytes})
        for run, settings in paper.RUNS.items():
            reads = "frames" if settings.input.kind == "frames" else "flow"
            _train(place, run, VideoReader(settings.input, {reads: Store([shards[reads]])}), device)


def _write_shards(place: Place, shards: dict[str, Path], device: torch.device) -> dict[str, int]:
    """Write the flow and the frames of films; return how many images each shard holds."""
    sizes, images = place.sizes, {"flow": 0, "frames": 0}
    with (
        ShardWriter(shards["flow"], paper.FLOW_QUALITY) as flow,
        ShardWriter(shards["frames"], paper.FRAME_QUALITY) as frames,
    ):
        for video in range(sizes.videos):
            gray = film(video, HEIGHT, WIDTH, sizes.frames)
            fields = _fields(torch.from_numpy(gray), place, device)
            images["flow"] += flow.add_flow(str(video), (encode(field, "range") for field in fields))
            images["frames"] += frames.add_frames(str(video), map(_coloured, gray))
    return images


def _fields(gray: torch.Tensor, place: Place, device: torch.device) -> np.ndarray:
    found = brox_flow_in_batches(gray[:-1], gray[1:], brox.settings(place), device)
    return found.permute(0, 2, 3, 1).numpy()


def _coloured(gray: np.ndarray) -> np.ndarray:
    """Return a frame as it is stored: rescaled, in colours that are not all the same."""
    large = cv2.resize(gray, steps.STORED["frames"][::-1], interpolation=cv2.INTER_CUBIC)
    return np.stack([large, np.roll(large, 3, axis=1), 255 - large], axis=-1)


def _train(place: Place, run: str, reader: VideoReader, device: torch.device) -> None:
    """Train for a while, and tell how much of it the input was waited for."""
    sizes = place.sizes
    what = f"{paper.title(run)}, batch {sizes.batch}"
    with place.skipping(what):
        training = steps.start(run, sizes.batch, sizes.crop, device)
        batch = steps.random_batch(training)
        workers = _workers(sizes.workers, batch[steps.HEAD][0].images.nbytes)
        # First, as workers go on decoding after the last step.
        at_hand = rate(lambda: training.step(batch), device, sizes.seconds)
        batches = _batches(place, reader, training, workers)
        done, seconds, waiting = _steps(place, training, batches, 2 + 2 * workers)
        figures = {
            "steps/s": done / seconds,
            "% of the time waiting for input": 100 * waiting / seconds,
            "steps/s with input on the device": at_hand,
        }
        place.measured(f"{what}, {workers} worker{'s' * (workers != 1)}", figures)


def _workers(wanted: int, batch: int) -> int:
    """Return how many workers' batches, two each of so many bytes, the shared memory has room for."""
    room = shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else batch * 2 * wanted
    return min(wanted, int(0.8 * room / (2 * batch)))


def _batches(
    place: Place, reader: VideoReader, training: steps.Training, workers: int
) -> Iterator[dict[str, Drawn]]:
    sizes, recipe = place.sizes, training.recipe
    videos = [TrainingVideo(str(video), video % paper.CLASSES, reader) for video in range(sizes.videos)]
    dropout = Dropout(training.network.units, recipe.run.dropout)
    samples = TaskSamples(videos, recipe.training, recipe.short_side, dropout, [0])
    numbers = [list(range(i * sizes.batch, (i + 1) * sizes.batch)) for i in range(MOST_STEPS)]
    loader = iterate_batches(samples, training.device, workers, batch_sampler=numbers, collate_fn=collate)
    return ({steps.HEAD: drawn} for drawn in loader)


def _steps(
    place: Place, training: steps.Training, batches: Iterator[dict[str, Drawn]], warm_up: int
) -> tuple[int, float, float]:
    """Return how many steps were taken, in how many seconds, and for how many input was waited for.

    The first `warm_up` are not counted: they use up what the workers have read before the first step.
    """
    progress = training.progress
    drawn = timed(batches, progress)
    for batch in islice(drawn, warm_up):
        training.step(batch)
    training.loss()  # waits for the device
    started, progress.waiting, before = time.perf_counter(), 0.0, progress.iteration
    for batch in drawn:
        training.step(batch)
        if time.perf_counter() - started > 4 * place.sizes.seconds:
            break
    training.loss()
    return progress.iteration - before, time.perf_counter() - started, progress.waiting

"""Flow extraction against the loop that people use today, on the same videos in one run.

The loop: VideoCapture, TV-L1, clipping to +-20 px, two JPEG files a frame. Pairs a second of one
and of two processes at once, where the time goes; and of all algorithms endpoint errors where the flow
is known, and pairs a second. With `--device cuda` what can runs on the GPU.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split
import cv2
import numpy as np

from pairs import layered_pairs, mean_error, middlebury_pair, smooth_pairs
from twostream.config.flow import FLOW_ALGORITHMS, Flow
from twostream.extraction.encoding import encode
from twostream.extraction.flow import write_flow
from twostream.extraction.folder import with_weights_here
from twostream.extraction.store import ShardWriter
from twostream.files import UserError
from twostream.flow.video_flow import load_algorithm, video_flow
from twostream.videos.decoding import read_frames
from twostream.videos.drawing import GeneratedClass, draw_clip
from twostream.videos.listing import find_videos

# Of each algorithm's speed: what is measured at most, and about how long.
MOST_PAIRS, SECONDS = 128, 6.0
SETTINGS = {method: Flow(method=method, encoding="range", quality=90) for method in FLOW_ALGORITHMS}


def the_usual_loop(folder: Path, files: list[str], frames: int, out: Path) -> int:
    """What published extractors do; `frames` of each video are enough to tell its speed."""
    cv2.setNumThreads(1)
    solver = cv2.optflow.DualTVL1OpticalFlow.create()
    pairs = 0
    for number, file in enumerate(files):
        capture = cv2.VideoCapture(str(folder / file))
        before = None
        for _ in range(frames):
            decoded, frame = capture.read()
            if not decoded:
                break
            gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            if before is not None:
                field = solver.calc(before, gray, np.empty(0)).clip(-20, 20)
                image = np.rint((field + 20) * (255 / 40)).astype(np.uint8)
                for axis, name in enumerate("xy"):
                    cv2.imwrite(str(out / f"flow_{name}_{number}_{pairs}.jpg"), image[..., axis])
                pairs += 1
            before = gray
    return pairs


def ours(folder: Path, files: list[str], device: str, out: Path) -> int:
    """Our extraction of one shard, in whole videos."""
    return write_flow(folder, files, SETTINGS["brox"], "forward", out / "shard.zip", device)


def warm_up(device: str) -> None:
    """Compute a first flow, which compiles code or loads it from the disk's cache."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    list(video_flow(noise, SETTINGS["brox"], "forward", device))


def timed(which: str, arguments: tuple) -> tuple[int, float]:
    """Pairs and seconds of one process; compiled code is loaded before the clock starts."""
    if which == "ours":
        warm_up(arguments[2])
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        pairs = (ours if which == "ours" else the_usual_loop)(*arguments, Path(out))
        return pairs, time.perf_counter() - started


def measure(which: str, arguments: tuple, processes: int) -> float:
    """Pairs a second of all processes together, each doing the same work."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        done = pool.starmap(timed, [(which, arguments)] * processes)
    return sum(pairs / seconds for pairs, seconds in done)


def where_the_time_goes(folder: Path, file: str, device: str) -> dict[str, float]:
    """Milliseconds a pair of each step of ours, on one video; compiled code is loaded before."""
    warm_up(device)
    marks = [time.perf_counter()]
    frames = list(read_frames(folder / file))
    marks.append(time.perf_counter())
    fields = list(video_flow(frames, SETTINGS["brox"], "forward", device))
    marks.append(time.perf_counter())
    encoded = [encode(field, "range") for field in fields]
    marks.append(time.perf_counter())
    with tempfile.TemporaryDirectory() as out, ShardWriter(Path(out) / "0.zip", 90) as writer:
        writer.add_flow(file, encoded)
        marks.append(time.perf_counter())
    steps = ("decode", "flow", "quantise", "encode and write")
    return dict(zip(steps, np.diff(marks) * 1000 / len(fields), strict=True))


def report_algorithms(flo: list[Path], video: Path, device: str) -> None:
    """Print the endpoint errors of all algorithms, their geometric means, and pairs a second of a video."""
    made = [*smooth_pairs(), *layered_pairs()]
    pairs = [*made, *(middlebury_pair(file) for file in flo)]
    gray = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in islice(read_frames(video), 1 + MOST_PAIRS)]
    height, width = gray[0].shape
    print(
        f"\nEndpoint error (px), geometric mean over {len(pairs)} pairs with known flow;"
        f" pairs of {width} x {height} a second{' of one CPU' if device == 'cpu' else ''}"
    )
    for method, settings in SETTINGS.items():
        try:
            settings = with_weights_here(settings)
            # First, as it loads or compiles what the algorithm needs.
            errors = [
                mean_error(field_of([first, second], settings, device), f) for first, second, f in pairs
            ]
        except UserError as error:
            print(f"  {method:10s} left out: {error}")
            continue
        speed = pairs_a_second(gray, settings, device)
        own = "".join(f"  {file.stem} {e:.3f}" for file, e in zip(flo, errors[len(made) :], strict=True))
        print(f"  {method:10s} {np.exp(np.mean(np.log(errors))):.3f}  {speed:6.2f}/s{own}")


def field_of(gray: list[np.ndarray], settings: Flow, device: str) -> np.ndarray:
    """The field between two gray frames."""
    return next(load_algorithm(settings).fields(gray, False, settings, device))


def pairs_a_second(gray: list[np.ndarray], settings: Flow, device: str) -> float:
    """The speed of an algorithm on as many of some consecutive gray frames as it does in a few seconds."""
    # On one thread of a busy machine its CPU seconds tell more.
    now = time.process_time if device == "cpu" else time.perf_counter
    started = now()
    field_of(gray[:2], settings, device)
    pairs = int(np.clip(SECONDS / (now() - started), 2, len(gray) - 1))
    started = now()
    done = len(list(load_algorithm(settings).fields(gray[: 1 + pairs], False, settings, device)))
    return done / (now() - started)


def first_call() -> tuple[float, float]:
    """Seconds of a process's first flow: compiled anew, and loaded from the disk's cache."""
    code = (
        "import numpy as np, time; from twostream.config.flow import BroxSettings;"
        "from twostream.flow.brox_numba import brox_flow;"
        "a = np.zeros((32, 32), np.uint8); t = time.perf_counter(); brox_flow(a, a, BroxSettings());"
        "print(time.perf_counter() - t)"
    )
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        runs = [subprocess.check_output(command, env=environment, text=True) for _ in range(2)]
    return float(runs[0]), float(runs[1])


def generated_videos(folder: Path) -> None:
    """Draw two videos at 320 x 240, for who has no folder of real ones."""
    for group, motion in enumerate(("circle", "zigzag")):
        writer = cv2.VideoWriter(
            str(folder / f"{motion}.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (320, 240)
        )
        for frame in draw_clip(GeneratedClass(look="star", motion=motion), 240, 320, [group], 0):  # type: ignore[arg-type]
            writer.write(frame)
        writer.release()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=Path, help="a folder of videos (default: drawn ones)")
    parser.add_argument("--flo", type=Path, nargs="*", default=[], help="Middlebury .flo files")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--clips", type=int, default=4, help="how many of the videos to use")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as drawn:
        folder = args.videos or Path(drawn)
        if not args.videos:
            generated_videos(folder)
        files = find_videos(folder, "videos")
        files = files[:: max(1, len(files) // args.clips)][: args.clips]
        cv2.setNumThreads(1)
        print(f"Flow extraction, {len(files)} videos, device {args.device}: pairs a second")
        alone = 0.0
        # Two processes on one GPU would share it out between them, and tell nothing.
        for processes in (1, 2) if args.device == "cpu" else (1,):
            # A few frames of each video for the loop, which takes about a second a pair.
            usual = measure("loop", (folder, files, 6), processes)
            own = measure("ours", (folder, files, args.device), processes)
            alone = alone or own
            slower = 100 * (1 - own / processes / alone)
            print(
                f"  {processes} process(es): the loop {usual:.2f}, ours {own:.1f}: {own / usual:.0f} x;"
                f" each of ours {slower:.0f}% slower than alone"
            )
        print("\nWhere the time goes (ms a pair)")
        for step, milliseconds in where_the_time_goes(folder, files[0], args.device).items():
            print(f"  {step:17s} {milliseconds:.2f}")
        print("\nFirst call, 32 x 32: compiled anew {:.1f} s, from cache {:.1f} s".format(*first_call()))
        report_algorithms(args.flo, folder / files[0], args.device)


if __name__ == "__main__":
    main()

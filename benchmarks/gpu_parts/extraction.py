"""Extraction end to end: generated videos, decoded, their flow computed, encoded and written to a shard."""

import shutil
import tempfile
import time
from pathlib import Path

from bench_flow import SETTINGS, generated_videos, warm_up, where_the_time_goes

from gpu_parts.place import Place
from twostream.extraction.flow import write_flow
from twostream.videos.listing import find_videos


def measure(place: Place) -> None:
    """Measure videos and pairs a second of one job, and where its time goes."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = _videos(folder, place.sizes.clips)
        warm_up(place.device)
        started = time.perf_counter()
        shard = write_flow(folder, files, SETTINGS["brox"], "forward", folder / "0.zip", place.device)
        seconds = time.perf_counter() - started
        pairs = sum(len(video.members) for video in shard.videos)
        figures = {"videos/s": len(files) / seconds, "pairs/s": pairs / seconds}
        place.measured(f"Brox, {len(files)} videos of 240 x 320, one job", figures)
        parts = where_the_time_goes(folder, files[0], place.device)
        place.measured("milliseconds a pair", {f"to {step}": value for step, value in parts.items()})


def _videos(folder: Path, count: int) -> list[str]:
    """Draw two videos, and copy them until there are so many."""
    generated_videos(folder)
    drawn = find_videos(folder, "videos")
    for number in range(len(drawn), count):
        original = folder / drawn[number % len(drawn)]
        shutil.copy(original, original.with_stem(f"{original.stem}{number}"))
    return find_videos(folder, "videos")[:count]

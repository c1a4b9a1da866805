"""Damaged copies of ten small videos, given to what users call: indexing, extraction of flow, classifying.

Each copy is to be read whole, told to be damaged, or refused with its reason. A crash, a hang, memory without
end, a traceback, or frames that go missing without a word is a failure: the copy is kept with what happened.
Copy n of a seed is always the same: `--only N` has it once more. Ends with 1 if there was a failure.
"""

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from fuzzing.counting import count_frames
from fuzzing.judging import FAILURES, WELL, Judgement, judge
from fuzzing.mutations import mutated
from fuzzing.process import Ended, Make, Watched
from fuzzing.sources import write_sources
from twostream.videos.listing import find_videos

# Seconds of CPU time.
HANGS_AFTER = 20.0
# Between two lines of the log, in seconds.
TELL_EVERY = 60.0
Counts = dict[str, Counter[str]]


@dataclass(frozen=True)
class Copy:
    """A damaged copy: its number, of which video it is, what it holds, and what was done to it."""

    number: int
    source: Path
    content: bytes
    done: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=3, help="how long (default: 3)")
    parser.add_argument("--seed", type=int, default=17, help="of the videos and of the damage (default: 17)")
    parser.add_argument("--only", type=int, metavar="N", help="the copy of this number alone")
    parser.add_argument("--clips", type=Path, help="folder of videos to damage instead")
    parser.add_argument("--keep", type=Path, default=Path("fuzzed"), help="where failures are kept")
    args = parser.parse_args()
    with TemporaryDirectory() as scratch:
        place = Path(scratch)
        sources = clips(args.clips) if args.clips else write_sources(place / "sources", args.seed)
        numbers = [args.only] if args.only is not None else within(60 * args.minutes)
        counts = fuzz(sources, args.seed, numbers, place, args.keep)
    print("\n".join(report(counts)))
    sys.exit(any(counts[kind][failure] for kind in counts for failure in FAILURES))


def clips(folder: Path) -> list[Path]:
    """Return the smallest videos below a folder, at most 50."""
    files = [folder / file for file in find_videos(folder, "videos")]
    return sorted(files, key=lambda file: file.stat().st_size)[:50]


def within(seconds: float) -> Iterator[int]:
    """Count from 0 until the time is over."""
    end = time.monotonic() + seconds
    for number in count():
        if time.monotonic() > end:
            return
        yield number


def users(scratch: Path) -> Callable[[Path], Any]:
    """Return what is done with each copy; called in the process that does it."""
    from fuzzing.users import Users

    return Users(scratch).see


def fuzz(
    sources: list[Path],
    seed: int,
    numbers: Iterable[int],
    scratch: Path,
    keep: Path,
    make: Make = users,
    limit_s: float = HANGS_AFTER,
) -> Counts:
    """Handle the copies of these numbers; return how many had which outcome, by suffix."""
    whole = {source: count_frames(source).frames for source in sources}
    counts: Counts = defaultdict(Counter)
    watched = Watched(make, scratch, limit_s)
    told = time.monotonic()
    try:
        for number in numbers:
            copy = damaged_copy(sources, seed, number)
            video = scratch / f"copy{number}{copy.source.suffix}"
            video.write_bytes(copy.content)
            ended = watched.handle(video)
            judgement = judge(ended, video.name, whole[copy.source])
            counts[copy.source.suffix][judgement.outcome] += 1
            if judgement.outcome in FAILURES:
                save(keep, copy, ended, judgement)
            video.unlink()
            if time.monotonic() - told > TELL_EVERY:
                told = time.monotonic()
                print("\n".join(report(counts)), flush=True)
    finally:
        watched.close()
    return counts


def damaged_copy(sources: list[Path], seed: int, number: int) -> Copy:
    """Return a copy by its number; videos take turns."""
    source = sources[number % len(sources)]
    content, done = mutated(source.read_bytes(), np.random.default_rng([seed, number]))
    return Copy(number, source, content, done)


def save(keep: Path, copy: Copy, ended: Ended, judgement: Judgement) -> None:
    """Keep a copy that was not handled well, with all that is known of it."""
    place = keep / judgement.outcome.replace(" ", "-") / f"{copy.number:06d}{copy.source.suffix}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"copy{copy.source.suffix}").write_bytes(copy.content)
    known = {**asdict(judgement), "done": copy.done, "source": copy.source.name, **asdict(ended)}
    (place / "what.json").write_text(json.dumps(known, indent=1, default=str) + "\n")
    print(f"copy {copy.number} ({copy.source.name}: {', '.join(copy.done)}): {judgement}", flush=True)


def report(counts: Counts) -> Iterator[str]:
    """Yield a table: the outcomes of each container and of all."""
    outcomes = [*WELL, *FAILURES]
    yield f"| container | copies | {' | '.join(outcomes)} |"
    yield "| --- |" + " ---: |" * (1 + len(outcomes))
    total: Counter[str] = sum(counts.values(), Counter())
    for name, found in [*sorted(counts.items()), ("all", total)]:
        yield f"| {name} | {found.total():,} | {' | '.join(f'{found[outcome]:,}' for outcome in outcomes)} |"


if __name__ == "__main__":
    main()

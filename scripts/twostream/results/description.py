"""What is known of a dataset before anything is extracted: by its index, and what containers announce."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from twostream.config.sources import Media
from twostream.files import some
from twostream.progress import ProgressBar
from twostream.results.formatting import Rows
from twostream.videos.decoding import announced, frame_rate
from twostream.videos.excerpt import whole
from twostream.videos.index import recordings, splits_of
from twostream.videos.suspicions import repeated_across


def described(index: pd.DataFrame, folder: Path, media: Media) -> pd.DataFrame:
    """Return an index with columns for what containers announce: frames, rate (1/s), height and width (px).

    Frames are 0 where a container gives no count, and then what is likely by its duration; a rate is 0 where
    none is given, as for pictures. Nothing is decoded, so what a header says wrongly is wrong here.
    """
    rows = []
    for file in ProgressBar(index["file"], "headers"):
        if media == "images":
            rows.append((1, 0.0, 0, 0))
            continue
        found = announced(folder / file)
        rate = frame_rate(folder / file) if media == "videos" else 0.0
        rows.append((found.frames or round(found.likely_frames), rate, found.height, found.width))
    headers = pd.DataFrame(rows, columns=["frames", "rate", "height", "width"], index=index.index)
    return pd.concat([index, headers], axis=1)


def left_out(report: str | None) -> pd.DataFrame:
    """Return the videos that an index left out, as its report (CSV) has them: columns file and reason."""
    return pd.read_csv(report) if report else pd.DataFrame(columns=["file", "reason"])


def summary_rows(index: pd.DataFrame, skipped: pd.DataFrame, others: Sequence[str]) -> Rows:
    """Return what is known of a whole dataset, a row each; `index` is as `described` returns it."""
    sizes = _counted(f"{w} x {h}" for w, h in zip(index["width"], index["height"], strict=True))
    seconds = (index["frames"] / index["rate"])[index["rate"] > 0]
    rows: Rows = [
        ("", ""),
        ("videos", _videos(index)),
        ("classes", f"{index['class'].nunique():,}, of {_range(index['class'].value_counts())} videos"),
        ("groups", f"{len(set(recordings(index))):,}, of {_groups(index)} videos"),
        *((split, _parts(index[split])) for split in splits_of(index)),
        ("frames", f"{index['frames'].sum():,}, {_range(index['frames'])} a video, as headers have it"),
        ("seconds", f"{_range(seconds.round(1))} a video" if len(seconds) else "not told"),
        ("size (px)", sizes),
        ("frames a second", _counted(f"{rate:.4g}" if rate else "not told" for rate in index["rate"])),
        ("left out", f"{len(skipped):,}" + (f": {some(skipped['file'])}" if len(skipped) else "")),
        ("passed over", f"{len(others):,} other files" + (f": {some(others)}" if others else "")),
    ]
    if repeated := repeated_across(index):
        rows.append(("the same video on both sides of a split", "; ".join(repeated)))
    return rows


def class_rows(index: pd.DataFrame) -> Rows:
    """Return a row for each class, under their headings: videos, groups, parts of splits, frames."""
    splits = splits_of(index)
    heads = ("class", "label", "videos", "groups", *(f"{split}: train + test" for split in splits), "frames")
    rows = [heads]
    for name, videos in index.groupby("class", sort=True):
        parts = (f"{(videos[s] == 'train').sum()} + {(videos[s] == 'test').sum()}" for s in splits)
        counts = (str(videos["label"].iloc[0]), f"{len(videos):,}", f"{videos['group'].nunique():,}")
        rows.append((str(name), *counts, *parts, _range(videos["frames"])))
    return rows


def _videos(index: pd.DataFrame) -> str:
    """How many videos, in how many files if these are fewer, and their size."""
    files = index["size"].groupby(index["file"].map(whole)).first()
    of_files = f" from {len(files):,} files" if len(files) < len(index) else ""
    return f"{len(index):,}{of_files}, {files.sum() / 1e6:,.1f} MB"


def _range(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _groups(index: pd.DataFrame) -> str:
    return _range(pd.Series(recordings(index)).value_counts())


def _parts(split: pd.Series) -> str:
    counts = split.value_counts()
    return ", ".join(f"{counts[part]:,} {part}" for part in ("train", "test", "none") if part in counts)


def _counted(names: Iterable[str]) -> str:
    counts = pd.Series(list(names), dtype=str).value_counts()
    shown = [f"{name} ({count:,})" for name, count in counts.head(4).items()]
    more = [f"{len(counts) - 4:,} others"] if len(counts) > 4 else []
    return ", ".join([*shown, *more])

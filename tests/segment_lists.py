"""A list of segments of three videos of known frames, and its indexing by the script."""

import json
import sys
from pathlib import Path

import index_segments as script
import pandas as pd
from drawn_levels import levels, write_levels

from twostream.videos.index import read_index

HEAD = "file,class,start,end,split\n"
EVERY_40 = [40 * number for number in range(20)]
UNEVEN = [0, 10, 47, 50, 200, 201, 205, 900, 950]
SPLIT = "b.mkv,Run,0,0.4,test\nb.mkv,Walk,0.4,0.8,test\n"


def write_videos() -> None:
    """Write three videos of known frames below `videos`."""
    write_levels(Path("videos/a.mkv"), EVERY_40)
    write_levels(Path("videos/b.mkv"), [time + 1 for time in EVERY_40])
    write_levels(Path("videos/uneven.mkv"), UNEVEN)


def index(
    monkeypatch,
    rows: str,
    folder: str | None = "videos",
    on_bad: str = "stop",
    head: str = HEAD,
    **source: str,
) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Run the script on a list; return the index, the report on what was left out, and the record."""
    Path("list.csv").write_text(head + rows)
    source |= {"kind": "segments", "list": "list.csv"} | ({"folder": folder} if folder else {})
    options = ["--recipe", json.dumps({"media": "videos", "splits": 1, "listing": ""})]
    options += [
        "--dataset",
        "mine",
        "--source",
        json.dumps(source),
        "--folder",
        folder or "data/official/mine",
    ]
    options += ["--on-bad-video", on_bad, "--skipped", "mine.skipped.csv", "--out", "mine.csv"]
    monkeypatch.setattr(sys, "argv", ["index_segments.py", *options])
    script.main()
    record = json.loads(Path("mine.record.json").read_text())
    return read_index("mine.csv"), pd.read_csv("mine.skipped.csv"), record


def frames(found: pd.DataFrame, file: str, folder: str = "videos") -> list[list[int]]:
    return [levels(f"{folder}/{name}") for name in found["file"] if name.startswith(file)]

"""A page on a dataset as it was understood: numbers, classes with pictures, and what was left out."""

import base64
from collections.abc import Sequence
from html import escape
from itertools import islice
from pathlib import Path

import cv2
import pandas as pd

from twostream.config.sources import Media
from twostream.results.description import class_rows, summary_rows
from twostream.results.formatting import Rows
from twostream.results.pages import STYLE, table
from twostream.videos.decoding import read_frames, rescale
from twostream.videos.index import splits_of

# Of each class; the shorter side in pixels; the frame that is shown of a video, if it is that long.
PICTURES, SHORT_SIDE, SHOWN_FRAME = 4, 72, 20
NOTE = (
    "What was understood of these files, by the index. Look at it before anything is trained: classes that"
    " are one, pictures in the wrong class, clips of one recording in two groups, and splits that are not"
    " those you meant are seen here, and in no accuracy. Frames, seconds and sizes are what headers say."
)


def dataset_page(
    name: str, index: pd.DataFrame, folder: Path, media: Media, skipped: pd.DataFrame, others: Sequence[str]
) -> str:
    """Return a self-contained HTML page on a dataset; `index` is as `described` returns it.

    `skipped` has file and reason of what was left out, `others` are files that are no videos. Raises
    BadVideoError if a video that is shown cannot be read.
    """
    left_out: Rows = [("left out", "why"), *map(tuple, skipped[["file", "reason"]].astype(str).to_numpy())]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>',
            f"<style>{STYLE} figure {{ display: inline-block; margin: .3rem; }}"
            " figcaption { font-size: 11px; color: #555; max-width: 11rem; overflow-wrap: anywhere; }",
            "</style></head><body>",
            f"<h1>The dataset {escape(name)}</h1>",
            f'<p class="note">{escape(NOTE)}</p>',
            table(summary_rows(index, skipped, others)),
            "<h2>Classes</h2>",
            f'<div class="wide">{table(class_rows(index))}</div>',
            *([f"<h2>Left out</h2>{table(left_out)}"] if len(skipped) else []),
            *(
                _pictures(str(label), rows, folder, media)
                for label, rows in index.groupby("class", sort=True)
            ),
            "</body></html>",
        ]
    )


def _pictures(name: str, videos: pd.DataFrame, folder: Path, media: Media) -> str:
    """A frame of some videos of a class: of different groups, and first of what the first split tests."""
    first = splits_of(videos)[0]
    of_groups = videos.sort_values([first, "file"]).drop_duplicates([first, "group"])
    shown = pd.concat([of_groups[of_groups[first] == part].head(PICTURES // 2) for part in ("train", "test")])
    figures = (
        f"<figure>{_picture(folder / file, media)}"
        f"<figcaption>{escape(file)}<br>{escape(part)}, group {escape(group)}</figcaption></figure>"
        for file, part, group in shown[["file", first, "group"]].itertuples(index=False)
    )
    return f"<h2>{escape(name)}</h2>{''.join(figures)}"


def _picture(video: Path, media: Media) -> str:
    for frame in islice(read_frames(video, media), SHOWN_FRAME):
        shown = frame
    jpeg = cv2.imencode(".jpg", rescale(shown, SHORT_SIDE), [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}">'

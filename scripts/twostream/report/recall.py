"""The recall of each class as bars: the fusion's, its streams', and the paper's."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from twostream.report.markup import drawing, read_values, scrolled
from twostream.results.formatting import number

TEXTS = ("class", "confused_with", "spatial_confused_with", "temporal_confused_with")
# How each column is drawn, from its share of the width.
MARKS = {
    "recall": '<rect class="fused" x="0" y="4" width="{at}" height="14"/>',
    "paper": '<line class="paper" x1="{at}" x2="{at}" y1="1" y2="21"/>',
    "spatial_recall": '<circle class="spatial" cx="{at}" cy="11" r="4"/>',
    "temporal_recall": (
        '<svg x="{at}" y="11" class="over"><path class="temporal" d="M0-5l5 5l-5 5l-5-5z"/></svg>'
    ),
}
NAMES = {"recall": "fusion", "spatial_recall": "spatial", "temporal_recall": "temporal", "paper": "paper"}


def recall(file: str) -> str:
    """Return figures/recall.csv as a table with a bar in each row; recalls in %."""
    table = read_values(file, TEXTS)
    names = {column: name for column, name in NAMES.items() if column in table}
    headings = ("class", "videos", "", *names.values(), "fusion takes it for")
    numbers = {"videos", *names.values()}
    kinds = [' class="number"' if text in numbers else "" for text in headings]
    head = "".join(f'<th scope="col"{k}>{escape(text)}</th>' for text, k in zip(headings, kinds, strict=True))
    rows = "\n".join(_row(row, names) for row in table.to_dict("records"))
    caption = "Recall (%). Bar: both streams fused. Circle: spatial stream. Diamond: temporal stream."
    if "paper" in names:
        caption += " Upright line: the paper's final model on UCF-101, measured from its printed figure."
    html = (
        f'<table class="recall"><caption><span>{caption}</span></caption><thead><tr>{head}</tr></thead>'
        f"\n<tbody>\n{rows}\n</tbody></table>"
    )
    return scrolled(html, "recall of each class")


def _row(row: Mapping[Any, Any], names: Mapping[str, str]) -> str:
    marks = [
        mark.format(at=f"{row[column]:.2f}%")
        for column, mark in MARKS.items()
        if column in names and pd.notna(row[column])
    ]
    words = ", ".join(
        f"{name} {number(row[column])}%" for column, name in names.items() if pd.notna(row[column])
    )
    drawn = drawing(
        f"recall of {row['class']}", words, 'class="row" width="100%" height="22"', "".join(marks)
    )
    numbers = "".join(f'<td class="number">{number(row[column])}</td>' for column in names)
    return (
        f'<tr><th scope="row">{escape(row["class"])}</th><td class="number">{row["videos"]}</td>'
        f"<td>{drawn}</td>{numbers}<td>{escape(row['confused_with'])}</td></tr>"
    )

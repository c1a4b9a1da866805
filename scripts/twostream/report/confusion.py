"""What the fusion takes for what, as a matrix, and its most frequent confusions as a table."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from twostream.report.markup import data_table, drawing, read_values, scrolled
from twostream.results.formatting import Rows, number

# Up to so many classes a cell has room for its number.
FEW_CLASSES = 20
# The most frequent confusions that are listed.
LISTED = 15
# Pixels for each letter of a class's name.
LETTER = 6.5


def confusion(file: str, classes: Sequence[str]) -> str:
    """Return figures/confusion.csv as a matrix, rows true classes and columns predicted ones, and a table.

    `classes` are in the order of the labels.
    """
    videos = read_values(file, ("actual", "predicted"))
    counts = videos.value_counts(["actual", "predicted"]).rename("videos").reset_index()
    counts["share"] = 100 * counts["videos"] / counts.groupby("actual")["videos"].transform("sum")
    wrong = counts[counts["actual"] != counts["predicted"]]
    mistaken = f"{wrong['videos'].sum()} of them taken for another class"
    words = f"{len(classes)} classes; {len(videos)} videos, {mistaken}"
    matrix = _matrix(counts, list(classes), words)
    return scrolled(matrix, "confusion matrix") + _listed(wrong)


def _matrix(counts: pd.DataFrame, classes: list[str], words: str) -> str:
    few = len(classes) <= FEW_CLASSES
    cell = 34 if few else 12
    left = round(max(map(len, classes)) * LETTER) + 10
    side = cell * len(classes)
    place = {name: number for number, name in enumerate(classes)}
    parts = [f'<rect class="frame" x="{left}" y="{left}" width="{side}" height="{side}"/>']
    for name, number_of in place.items():
        middle = left + cell * (number_of + 0.5)
        parts.append(f'<text x="{left - 5}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>')
        parts.append(
            f'<text transform="translate({middle + 4} {left - 5}) rotate(-90)">{escape(name)}</text>'
        )
    for actual, predicted, videos, share in counts.itertuples(index=False):
        x, y = left + cell * place[predicted], left + cell * place[actual]
        kind = "right" if actual == predicted else "wrong"
        parts.append(
            # By the square root, or one wrong video in twenty would not be seen.
            f'<rect class="{kind}" x="{x}" y="{y}" width="{cell}" height="{cell}"'
            f' fill-opacity="{(share / 100) ** 0.5:.2f}">'
            f"<title>{escape(actual)} taken for {escape(predicted)}: {videos} videos, {share:.1f}%</title>"
            "</rect>"
        )
        if few:
            strong = " strong" if share > 45 else ""
            parts.append(
                f'<text class="count{strong}" x="{x + cell / 2}" y="{y + cell / 2 + 4}" text-anchor="middle">'
                f"{videos}</text>"
            )
    size = f'class="matrix" width="{left + side + 1}" height="{left + side + 1}"'
    return drawing("confusion matrix, rows true classes, columns predicted ones", words, size, "".join(parts))


def _listed(wrong: pd.DataFrame) -> str:
    if wrong.empty:
        return "<p>No test video is taken for another class.</p>"
    first = wrong.sort_values(["videos", "actual", "predicted"], ascending=[False, True, True]).head(LISTED)
    rows: Rows = [("true class", "taken for", "videos", "% of the class")]
    rows += [(a, p, str(videos), number(share)) for a, p, videos, share in first.itertuples(index=False)]
    shown = f"The {len(first)} most frequent of {len(wrong)}" if len(first) < len(wrong) else "All"
    return scrolled(data_table(rows, f"{shown} pairs of classes that are confused"), "confusions")

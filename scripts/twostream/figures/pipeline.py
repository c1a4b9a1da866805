"""The pipeline as a picture (SVG): a box for each rule, and arrows to what is made from what it makes.

It is read on light and on dark pages, and cannot be sure which, so it has a ground of its own. Fonts are the
reader's: widths are estimates, on the wide side.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from twostream.figures.pipeline_layout import (
    EDGE,
    FOOT,
    LINE,
    NAME,
    PADDING,
    WIDTH,
    Box,
    Place,
    arrows_of,
    in_rows,
    name_of,
    places_of,
)

STYLE = """
.ground { fill: #ffffff; stroke: #d1d9e0; }
.row { fill: #f4f6f9; }
.box { fill: #ffffff; stroke: #5b87b8; stroke-width: 1.5; }
.asked { stroke: #9aa4af; stroke-dasharray: 4 3; }
.arrow { fill: none; stroke: #8794a3; stroke-width: 1.5; marker-end: url(#head); }
#head path { fill: #8794a3; }
text { fill: #59636e; font: 12px -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; }
.title { fill: #1f2328; font-size: 14px; font-weight: 600; }
.name { fill: #0b4f8a; font: 600 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.middle { text-anchor: middle; }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117; stroke: #3d444d; }
.row { fill: #161b22; }
.box { fill: #0d1117; stroke: #4f7fb5; }
.asked { stroke: #656c76; }
.arrow { stroke: #7d8896; }
#head path { fill: #7d8896; }
text { fill: #9aa4af; }
.title { fill: #e6edf3; }
.name { fill: #79b8ff; }
}
"""


def draw_pipeline(boxes: Sequence[Box]) -> str:
    """Return the picture; raise UserError if what a rule makes lies in no row's folder."""
    rows = in_rows(boxes)
    places = places_of(rows)
    height = max(place.bottom for place in places.values()) + PADDING + FOOT
    body = [
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
        _text(EDGE + 4, 24, "From videos to the report: a box is a rule of Snakemake", "title"),
        *(_row(title, [places[box.name] for box in row]) for title, row in rows.items()),
        *(_arrow(places, *ends, *shift) for ends, shift in arrows_of(rows, places).items()),
        *(_box(box, places[box.name]) for box in boxes),
        _text(EDGE + 4, height - 13, NOTE),
    ]
    return "\n".join([*_head(boxes, rows, height), *body, "</svg>"]) + "\n"


NOTE = (
    "Arrows lead from row to row; a box with jobs names all that it reads. Jobs: at the default scale."
    " Dashed: at others, or if asked for."
)


def _head(boxes: Iterable[Box], rows: Mapping[str, Sequence[Box]], height: float) -> Iterator[str]:
    told = "; ".join(
        f"{title.lower()}: {', '.join(rule for box in row for rule in box.rules)}"
        for title, row in rows.items()
    )
    jobs = sum(box.jobs for box in boxes)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:g}"'
        f' viewBox="0 0 {WIDTH} {height:g}" role="img" aria-labelledby="title desc">'
    )
    yield '<title id="title">The pipeline, from videos to the report</title>'
    about = f"The rules from top to bottom, {jobs} jobs at the default scale. {told}."
    yield f'<desc id="desc">{escape(about)}</desc>'
    yield f"<style>{STYLE}</style>"
    yield (
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z"/></marker></defs>'
    )


def _row(title: str, places: Sequence[Place]) -> str:
    top, height = places[0].top - PADDING, places[0].height + 2 * PADDING
    ground = (
        f'<rect class="row" x="{EDGE}" y="{top:g}" width="{WIDTH - 2 * EDGE}" height="{height:g}" rx="6"/>'
    )
    lines = textwrap.wrap(title, 14)
    first = top + height / 2 + 5 - 9 * (len(lines) - 1)
    return ground + "".join(
        _text(EDGE + 12, first + 18 * number, line, "title") for number, line in enumerate(lines)
    )


def _box(box: Box, place: Place) -> str:
    kind = "box" if box.jobs else "box asked"
    # All boxes of a row have one height, and text stands in the middle of it.
    first = place.top + (place.height - NAME - LINE * len(place.lines)) / 2 + NAME - 7
    return "".join(
        [
            f'<rect class="{kind}" x="{place.left:g}" y="{place.top:g}" width="{place.width:g}"',
            f' height="{place.height:g}" rx="5"/>',
            _text(place.middle, first, name_of(box), "name middle"),
            *(
                _text(place.middle, first + 3 + LINE * number, line, "middle")
                for number, line in enumerate(place.lines, start=1)
            ),
        ]
    )


def _arrow(places: Mapping[str, Place], source: str, name: str, start: float, end: float) -> str:
    a, b = places[source], places[name]
    if a.top == b.top:
        level = a.top + a.height / 2
        ends = (a.left + a.width, b.left - 1) if a.left < b.left else (a.left, b.left + b.width + 1)
        return f'<path class="arrow" d="M{ends[0]:g} {level:g}H{ends[1]:g}"/>'
    x, y = a.middle + start, a.bottom
    to_x, to_y = b.middle + end, b.top - 1
    bend = (to_y - y) / 2
    return (
        f'<path class="arrow" d="M{x:g} {y:g}C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g}'
        f' {to_x:g} {to_y:g}"/>'
    )


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    kinds = f' class="{kind}"' if kind else ""
    return f'<text{kinds} x="{x:g}" y="{y:g}">{escape(text)}</text>'

"""What all sections of the report share: HTML of sections, tables and pictures, and how its CSVs are read."""

import base64
from collections.abc import Sequence
from html import escape

import pandas as pd

from twostream.files import UserError
from twostream.results.formatting import Rows


def read_values(file: str, texts: Sequence[str]) -> pd.DataFrame:
    """Return the CSV beside a figure; `texts` are columns of names, which stay as they are written.

    Raises UserError if it cannot be read, or lacks one of these.
    """
    try:
        # A class may be called `NA`, or `001`.
        values = pd.read_csv(
            file, dtype=dict.fromkeys(texts, "string"), keep_default_na=False, na_values=[""]
        )
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as the values of a figure: {error}") from None
    if missing := [name for name in texts if name not in values]:
        raise UserError(f"{file}: lacks the column {missing[0]}; make the figure again")
    return values


def section(name: str, title: str, *content: str) -> str:
    """Return a section with a heading that the page's navigation leads to by `name`."""
    body = "\n".join(filter(None, content))
    heading = f'<h2 id="{name}-h">{escape(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-h">\n{heading}\n{body}\n</section>'


def note(text: str) -> str:
    """Return a paragraph of small print; nothing for no text."""
    return f'<p class="note">{escape(text)}</p>' if text else ""


def scrolled(content: str, label: str) -> str:
    """Return what may be wider than the window in a box that scrolls, by the keyboard too."""
    return f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}">{content}</div>'


def data_table(rows: Rows, caption: str) -> str:
    """Return rows under their headings as a table, numbers to the right.

    A row of a single cell is a heading over those below it.
    """
    headings, *body = rows
    kinds = [_kind([cells[column] for cells in body if len(cells) > 1]) for column in range(len(headings))]
    head = "".join(
        f'<th scope="col"{kind}>{escape(text)}</th>' for text, kind in zip(headings, kinds, strict=True)
    )
    lines = "\n".join(_line(cells, kinds) for cells in body)
    return (
        f'<table class="data"><caption><span>{escape(caption)}</span></caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody></table>"
    )


def _kind(cells: list[str]) -> str:
    """The attribute of a column's cells: whether all are numbers, or none (`-`)."""
    numbers = all(text[:1].isdigit() or text[:1] in {"+", "-", "±", "<"} for text in cells)
    return ' class="number"' if numbers and any(cells) else ""


def _line(cells: tuple[str, ...], kinds: list[str]) -> str:
    if len(cells) == 1:
        return f'<tr><th colspan="{len(kinds)}" scope="colgroup">{escape(cells[0])}</th></tr>'
    others = zip(cells[1:], kinds[1:], strict=True)
    numbers = "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in others)
    return f'<tr><th scope="row">{escape(cells[0])}</th>{numbers}</tr>'


def picture(content: bytes, kind: str, alternative: str) -> str:
    """Return an image (`kind`: png or jpeg) that the page holds itself."""
    encoded = base64.b64encode(content).decode()
    return f'<img alt="{escape(alternative)}" src="data:image/{kind};base64,{encoded}">'


def drawing(title: str, description: str, size: str, content: str) -> str:
    """Return an SVG that a reader of screens takes for one picture; `size` are its attributes of size."""
    return (
        f'<svg role="img" aria-label="{escape(title)}: {escape(description)}" {size}>'
        f"<title>{escape(title)}</title>{content}</svg>"
    )

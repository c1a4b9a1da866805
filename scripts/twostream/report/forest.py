"""The paper's claims as a forest plot: each comparison's difference, ours and the paper's, and verdicts."""

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from twostream.report.lines import Axis, ticks
from twostream.report.markup import drawing, note, scrolled
from twostream.results.claims import UNDECIDED, WORDS
from twostream.results.formatting import SIGNS, interval, sampling_note, signed

# The outcomes that the page tells apart, and what it calls them.
OUTCOMES = {"holds": "hold", "fails": "do not hold", "undecided": "undecided"}
# What the page says of verdicts that do not explain themselves.
MEANS = {
    UNDECIDED["undecided"]: "the interval leaves both open: more test videos or splits would tell",
    UNDECIDED["one seed"]: (
        "the paper's difference is no larger than two trainings of one and the same method may differ by, so"
        " that it takes several seeds to tell the methods apart"
    ),
}
HEADINGS = (
    "comparison",
    "difference in points",
    "ours (95% interval)",
    "paper",
    "verdict, if not the claim's",
)


def outcome(verdict: str) -> str:
    """Return the outcome (a key of OUTCOMES) that a verdict is the word for."""
    if verdict in UNDECIDED.values():
        return "undecided"
    return "holds" if verdict in {words["holds"] for words in WORDS.values()} else "fails"


def forest(claims: pd.DataFrame) -> str:
    """Return results/claims.csv as a table with a drawing in each row, all on one scale."""
    axis = _axis(claims)
    titles = ["number", "claim", "claim_verdict"]
    bodies = [
        _claim(f"{place}. {claim}", str(verdict), compared, axis)
        for (place, claim, verdict), compared in claims.groupby(titles, sort=False)
    ]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in HEADINGS)
    caption = (
        "Dot and line: our difference and its interval. Diamond and thin line: the paper's difference and"
        " the sampling error of its test set. Upright line: no difference."
    )
    table = (
        f'<table class="forest"><caption><span>{caption}</span></caption><thead><tr>{head}</tr>'
        f'<tr aria-hidden="true" class="axis"><td></td><td>{_scale(axis)}</td><td colspan="3"></td></tr>'
        f"</thead>{''.join(bodies)}</table>"
    )
    return _explained(claims) + scrolled(table, "claims") + note(sampling_note(claims))


def _explained(claims: pd.DataFrame) -> str:
    found = set(claims["verdict"]) | set(claims["claim_verdict"])
    return note(
        " ".join(f"{words.capitalize()}: {means}." for words, means in MEANS.items() if words in found)
    )


def _axis(claims: pd.DataFrame) -> Axis:
    """From the lowest end of all lines to the highest, no difference included."""
    paper, error = claims["paper_difference"], claims["paper_error"]
    low = min(0.0, claims["difference_low"].min(), (paper - error).min())
    high = max(0.0, claims["difference_high"].max(), (paper + error).max())
    room = 0.03 * ((high - low) or 1)
    return Axis(low - room, high + room, "", ticks(low, high, 10))


def _claim(title: str, verdict: str, compared: pd.DataFrame, axis: Axis) -> str:
    rows = "\n".join(_comparison(row, axis) for row in compared.to_dict("records"))
    return (
        f'<tbody><tr class="claim"><th colspan="5" scope="rowgroup">{escape(title)}: {_verdict(verdict)}'
        f"</th></tr>\n{rows}\n</tbody>"
    )


def _verdict(words: str) -> str:
    return f'<span class="verdict {outcome(words)}">{escape(words)}</span>'


def _comparison(row: Mapping[Any, Any], axis: Axis) -> str:
    pooled = "mean of " if "," in row["run"] else ""
    name = f"{pooled}{row['run']} {SIGNS[row['expected']]} {row['than']}"
    ours = (
        f"{signed(row['difference'])} ({interval(row['difference_low'], row['difference_high'], sign='+')})"
    )
    paper = f"{signed(row['paper_difference'])} ± {row['paper_error']:.1f}"
    where = f"{row['our_dataset']} for {row['paper_dataset']}, {_splits(row['splits'])}"
    verdict = "" if row["verdict"] == row["claim_verdict"] else _verdict(row["verdict"])
    others = f" ({_splits(row['paper_splits'])})" if row["paper_splits"] != row["splits"] else ""
    return (
        f'<tr><th scope="row">{escape(name)} <small>{escape(where)}</small></th>'
        f"<td>{_drawn(row, axis, f'ours {ours}, paper {paper}')}</td>"
        f'<td class="number">{escape(ours)}</td><td class="number">{escape(paper + others)}</td>'
        f"<td>{verdict}</td></tr>"
    )


def _splits(splits: str) -> str:
    return f"split{'s' if ' ' in splits else ''} {splits.replace(' ', ', ')}"


def _drawn(row: Mapping[Any, Any], axis: Axis, words: str) -> str:
    def at(value: float) -> str:
        return f"{100 * axis.share(value):.2f}%"

    paper, error = row["paper_difference"], row["paper_error"]
    parts = [
        f'<line class="zero" x1="{at(0)}" x2="{at(0)}" y1="0" y2="24"/>',
        f'<line class="paper" x1="{at(paper - error)}" x2="{at(paper + error)}" y1="18" y2="18"/>',
        f'<svg x="{at(paper)}" y="18" class="over"><path class="paper" d="M0-4l4 4l-4 4l-4-4z"/></svg>',
    ]
    if pd.notna(row["difference_low"]):
        low, high = at(row["difference_low"]), at(row["difference_high"])
        parts.append(f'<line class="ours" x1="{low}" x2="{high}" y1="8" y2="8"/>')
    parts.append(f'<circle class="ours" cx="{at(row["difference"])}" cy="8" r="4.5"/>')
    return drawing("differences in points", words, 'class="row" width="100%" height="24"', "".join(parts))


def _scale(axis: Axis) -> str:
    numbers = "".join(
        f'<text x="{100 * axis.share(value):.2f}%" y="12" text-anchor="middle">{value:g}</text>'
        for value in axis.ticks
    )
    return f'<svg class="row" width="100%" height="16">{numbers}</svg>'

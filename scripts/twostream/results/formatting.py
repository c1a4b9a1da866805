"""How the tables of results/ are shown, in a terminal, the report and documents: as rows of texts.

The first row holds the headings; a row of a single cell is a heading over those below it.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat, zip_longest
from textwrap import fill, wrap
from typing import Any

import pandas as pd

from twostream.config.trials import TRIALS
from twostream.files import UserError
from twostream.results.accuracy import OF_PART

Rows = list[tuple[str, ...]]

SIGNS = {
    "better": ">",
    "far_better": ">>",
    "marginally_better": "> a little",
    "no_better": "not >",
}

# Below it a test's p is counted as passing, where many are told of together.
SIGNIFICANT = 0.05

# In short, a claim with more comparisons has a range of differences.
NAMED = 4


def read_table(file: str) -> pd.DataFrame:
    """Return a CSV of results/; raise UserError if it cannot be read."""
    texts = ("row", "setting", "run", "claim", "splits", "paper_splits", "method", "system")
    types = {**dict.fromkeys(texts, "string"), "test_videos": "Int64", "seeds": "Int64"}
    try:
        # Whatever else reads like a missing value may be a title.
        table = pd.read_csv(file, dtype=types, keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as a table: {error}") from None
    if "setting" in table:
        table["setting"] = table["setting"].fillna("")
    return table


def as_text(rows: Rows, width: int | None = None) -> str:
    """Return rows in columns for a terminal: the first and the last to the left, others to the right.

    With a `width` in characters, the widest columns are wrapped until a line is no longer, if words allow.
    """
    full = [cells for cells in rows if len(cells) > 1]
    indented = "   " if len(full) < len(rows) else ""
    widths = _widths(full, width and width - len(indented))
    lines = []
    for cells in rows:
        if len(cells) == 1:
            lines.append("\n" + (fill(cells[0], width) if width else cells[0]))
            continue
        wrapped = [
            wrap(cell, size, break_long_words=False, subsequent_indent="  " if i == 0 else "")
            for i, (cell, size) in enumerate(zip(cells, widths, strict=True))
        ]
        for parts in zip_longest(*wrapped, fillvalue=""):
            padded = [
                part.ljust(size) if i in (0, len(cells) - 1) else part.rjust(size)
                for i, (part, size) in enumerate(zip(parts, widths, strict=True))
            ]
            lines.append((indented + "  ".join(padded)).rstrip())
        lines += [] if any(wrapped) else [""]
    return "\n".join(lines)


def _widths(rows: Rows, width: int | None) -> list[int]:
    """The widths of columns with two blanks between them, `width` in all if their longest words let them."""
    columns = list(zip(*rows, strict=True))
    widths = [max([1, *map(len, column)]) for column in columns]
    least = [max([1, *(len(word) for cell in column for word in cell.split())]) for column in columns]
    while width and sum(widths) + 2 * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=lambda i: (widths[i] > least[i], widths[i]))
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= 1
    return widths


def as_markdown(rows: Rows) -> str:
    """Return rows as a table of Markdown: columns to the left and right as in a terminal."""
    headings, *body = rows
    between = ["---:"] * (len(headings) - 2)
    lines = [[_escaped(text) for text in headings], ["---", *between, "---"]]
    for cells in body:
        shown = [_escaped(text) for text in cells]
        lines.append(shown if len(cells) > 1 else [f"**{shown[0]}**", *[""] * (len(headings) - 1)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_rst(rows: Rows) -> str:
    """Return rows as a table of reStructuredText."""
    shown = io.StringIO()
    writer = csv.writer(shown, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for cells in rows:
        # The first character too, as `-` and `1.` begin lists.
        texts = [re.sub(r"^[^\\]|[\\`*_|]", r"\\\g<0>", " ".join(cell.split())) for cell in cells]
        writer.writerow(texts if len(cells) > 1 else [f"**{texts[0]}**", *[""] * (len(rows[0]) - 1)])
    lines = [".. csv-table::", "   :header-rows: 1", "", *shown.getvalue().splitlines()]
    return "\n".join(f"   {line}" if i > 2 else line for i, line in enumerate(lines))


def _escaped(text: str) -> str:
    """A text that Markdown shows as it is, in a line."""
    return re.sub(r"[\\`*|<\[\]]", r"\\\g<0>", " ".join(text.split()))


def arithmetic_note(arithmetic: Sequence[str]) -> str:
    """Return the line below a table that was not all computed portably, by its record; else nothing."""
    if list(arithmetic) == ["portable"]:
        return ""
    return (
        f"Computed in: {', '.join(arithmetic)}. Bytes are comparable with the published ones where all is"
        " portable."
    )


def table_rows(table: pd.DataFrame) -> Rows:
    """Return a table of the paper as it is shown."""
    rows = table.to_dict("records")
    return [tuple(TABLE), *(tuple(cell(row) for cell in TABLE.values()) for row in rows)]


def brief_rows(table: pd.DataFrame) -> Rows:
    """Return a table of the paper in few columns."""
    return [(tuple(BRIEF)), *(tuple(TABLE[name](row) for name in BRIEF) for row in table.to_dict("records"))]


def _measured(column: str, digits: int) -> Callable[[Mapping[Any, Any]], str]:
    return lambda row: number(row[column], digits)


# The columns of a table as it is shown: each heading, and what stands below it.
TABLE: dict[str, Callable[[Mapping[Any, Any]], str]] = {
    "": lambda row: ", ".join(filter(None, (row["row"], row["setting"], row["paper_dataset"]))),
    "paper": lambda row: number(row["paper"]),
    "ours": lambda row: with_deviation(row["ours"], row["sd"]),
    "95% interval": lambda row: interval(row["interval_low"], row["interval_high"]),
    **{measure.heading: _measured(column, measure.digits) for column, measure in OF_PART.items()},
    "videos": lambda row: text(row["test_videos"]),
    "our data": lambda row: text(row["our_dataset"]),
    "run": lambda row: row["run"],
}


BRIEF = ("", "paper", "ours", "95% interval", "our data", "run")


def method_rows(table: pd.DataFrame) -> Rows:
    """Return methods that were not trained here as they are shown, each under its title."""
    tests = ("difference", "95% interval", "sd", "p (groups)", "p (McNemar)", "p (seeds)")
    rows: Rows = [("", "accuracy", "95% interval", *tests, "")]
    for (method, dataset, splits), of_method in table.groupby(["method", "dataset", "splits"], sort=False):
        videos = of_method["test_videos"].iloc[0]
        rows.append((f"{method}: {dataset}, {_splits(str(splits))} ({videos} test videos)",))
        rows += map(_method_cells, of_method.to_dict("records"))
    return rows


def _method_cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    return (
        row["system"],
        with_deviation(row["accuracy"], row["sd"]),
        interval(row["interval_low"], row["interval_high"]),
        signed(row["difference"]),
        interval(row["difference_low"], row["difference_high"], sign="+"),
        number(row["difference_sd"]),
        *(p_value(row[test]) for test in ("p_groups", "p_mcnemar", "p_seeds")),
        "",
    )


def trial_rows(table: pd.DataFrame) -> Rows:
    """Return models tested in several ways as they are shown, those of each model under its name."""
    columns = table.columns.to_list()
    ways = columns[columns.index("split") + 1 : columns.index("accuracy")]
    tests = {column: heading for column, heading in TESTS.items() if column in table}
    rows: Rows = [("", "accuracy", "95% interval", "difference", "95% interval", *tests.values(), "")]
    for (run, dataset, split), of_run in table.groupby(["run", "dataset", "split"], sort=False):
        videos = of_run["test_videos"].iloc[0]
        rows.append((f"{run}: {dataset}, {_splits(str(split))} ({videos} test videos)",))
        rows += [_trial_cells(row, ways, tests) for row in of_run.to_dict("records")]
    return rows


# The tests of a difference that trials may have, with their headings.
TESTS = {"p_groups": "p (groups)", "p_mcnemar": "p (McNemar)"}


def _trial_cells(row: Mapping[Any, Any], ways: Sequence[str], tests: Iterable[str]) -> tuple[str, ...]:
    return (
        _protocol(row) if "counted" in ways else ", ".join(str(row[way]) for way in ways),
        number(row["accuracy"]),
        interval(row["accuracy_low"], row["accuracy_high"]),
        signed(row["difference"]),
        interval(row["difference_low"], row["difference_high"], sign="+"),
        *(p_value(row[test]) for test in tests),
        "",
    )


def _protocol(row: Mapping[Any, Any]) -> str:
    counted = "each frame by itself" if row["counted"] == "clip" else "mean over the video"
    frames = f"{row['frames']} frame{'s' if row['frames'] > 1 else ''}"
    crops = f"{row['crops']} crop{'s' if row['crops'] > 1 else ''}"
    return f"{frames} x {crops}, {counted}"


def claim_rows(claims: pd.DataFrame) -> Rows:
    """Return the claims as they are shown: each with its verdict over its comparisons."""
    differences = ("paper", "sampling error", "our data", "ours", "95% interval", "sd")
    tests = ("p (groups)", "p (margin)", "p (McNemar)", "p (seeds)")
    rows: Rows = [("", *differences, *tests, "verdict")]
    titles = ["number", "claim", "claim_verdict"]
    for (place, claim, verdict), compared in claims.groupby(titles, sort=False):
        rows.append((f"{place}. {claim}: {str(verdict).upper()}",))
        rows += map(_claim_cells, compared.to_dict("records"))
    return rows


# How each kind of table in results/ is shown.
SHOWN: dict[str, Callable[[pd.DataFrame], Rows]] = {
    "table": table_rows,
    "claims": claim_rows,
    "methods": method_rows,
    **dict.fromkeys(TRIALS, trial_rows),
}


def claim_overview(claims: pd.DataFrame) -> Rows:
    """Return the claims in short: a row for each, with the differences of its comparisons and its verdict."""
    rows: Rows = [("", "paper", "ours", "verdict")]
    for (place, claim, verdict), compared in claims.groupby(["number", "claim", "claim_verdict"], sort=False):
        paper = _several(compared["paper_difference"], map(_of_others, compared.to_dict("records")))
        rows.append((f"{place}. {claim}", paper, _several(compared["difference"]), str(verdict)))
    return rows


def _several(differences: pd.Series, notes: Iterable[str] = repeat("")) -> str:
    """Differences one after the other, each with its note; many of them by the least and the greatest."""
    if len(differences) > NAMED:
        return f"{signed(differences.min())} to {signed(differences.max())}"
    return "; ".join(f"{signed(value)}{note}" for value, note in zip(differences, notes, strict=False))


def _of_others(row: Mapping[Any, Any]) -> str:
    """Which splits the paper's numbers are of, where ours are of others."""
    others = row["paper_splits"] != row["splits"]
    return f" ({_splits(row['paper_splits'])})" if others else ""


def _claim_cells(row: Mapping[Any, Any]) -> tuple[str, ...]:
    pooled = "mean of " if "," in row["run"] else ""
    compared = f"{pooled}{row['run']} {SIGNS[row['expected']]} {row['than']}"
    return (
        f"{compared}; {row['paper_dataset']}, {_splits(row['splits'])}",
        f"{signed(row['paper_difference'])}{_of_others(row)}",
        f"± {row['paper_error']:.1f}",
        row["our_dataset"],
        signed(row["difference"]),
        interval(row["difference_low"], row["difference_high"], sign="+"),
        number(row["difference_sd"]),
        *(p_value(row[test]) for test in ("p_groups", "p_margin", "p_mcnemar", "p_seeds")),
        row["verdict"],
    )


def sampling_note(claims: pd.DataFrame) -> str:
    """Return a sentence on which of the paper's own differences its test set is too small for."""
    within = claims[claims["paper_within_error"]].groupby("number").size()
    named = ", ".join(f"{place} ({count})" for place, count in within.items())
    return (
        f"Of the paper's own {len(claims)} differences {within.sum()} are within the sampling error of its"
        f" test set{f', by claim: {named}' if named else ''}."
    )


def trial_note(table: pd.DataFrame) -> str:
    """Return a sentence on each way in which models were tested: what it changed, over all models.

    Nothing for a table without tests, whose last row of each model is no reference for the others.
    """
    if "p_groups" not in table:
        return ""
    columns = table.columns.to_list()
    ways = columns[columns.index("accuracy") - 1]
    sentences = []
    for way, rows in table.groupby(ways, sort=False):
        if rows["difference"].any():
            passing = (rows["p_groups"] < SIGNIFICANT).sum()
            sentences.append(
                f"{way!s}: {signed(rows['difference'].min())} to {signed(rows['difference'].max())} points,"
                f" {passing} of {len(rows)} with p (groups) < {SIGNIFICANT}"
            )
    return f"In short: {'; '.join(sentences)}." if sentences else ""


def _splits(splits: str) -> str:
    return f"split{'s' if ' ' in splits else ''} {splits.replace(' ', ', ')}"


def text(value: Any) -> str:
    """Return a value as it is; `-` for none."""
    return str(value) if pd.notna(value) else "-"


def number(value: Any, digits: int = 1) -> str:
    """Return a number as it is shown; `-` for none."""
    return f"{value:.{digits}f}" if pd.notna(value) else "-"


def signed(value: Any) -> str:
    """Return a difference as it is shown; `-` for none."""
    return f"{value:+.1f}" if pd.notna(value) else "-"


def interval(low: Any, high: Any, sign: str = "") -> str:
    """Return an interval as it is shown; `-` for none."""
    return f"{low:{sign}.1f} to {high:{sign}.1f}" if pd.notna(low) else "-"


def with_deviation(mean: Any, deviation: Any) -> str:
    """Return a mean over seeds with its standard deviation, where there are several."""
    return f"{mean:.1f} ± {deviation:.1f}" if pd.notna(deviation) else number(mean)


def p_value(value: Any) -> str:
    """Return a p-value as it is shown; `-` for none."""
    if pd.isna(value):
        return "-"
    return f"{value:.4f}" if value >= 0.0001 else "<0.0001"

"""The check's table, as it is printed: a line for each row, as it comes."""

from typing import Any

WIDTHS = (12, 56)


def line(part: str, row: dict[str, Any]) -> str:
    """Return a row of a part as a line."""
    return f"{part:{WIDTHS[0]}} {row['what']:{WIDTHS[1]}} {_found(row)}"


def header() -> str:
    """Return the table's first line."""
    return line("part", {"what": "what", "says": "found"})


def status_line(part: dict[str, Any]) -> str:
    """Return how a part ended as a line."""
    why = f": {part['why']}" if part["why"] else ""
    return line(part["name"], {"what": f"-- {part['status']}", "says": f"{part['seconds']:.0f} s{why}"})


def number(value: float | None) -> str:
    """Return a number to four digits, as people read it; None is what was measured and is no number."""
    if value is None:
        return "not a number of"
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _found(row: dict[str, Any]) -> str:
    if "skipped" in row:
        return f"skipped: {row['skipped']}"
    figures = ", ".join(f"{number(value)} {name}" for name, value in row.get("figures", {}).items())
    wrong = f"  WRONG: {row['wrong']}" if "wrong" in row else ""
    return row.get("says", "") + figures + wrong

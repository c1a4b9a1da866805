"""Pages of the report: a table, and where each of its numbers comes from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from twostream.files import UserError
from twostream.records import read_record

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; }
th { text-align: left; vertical-align: bottom; background: #f4f4f4; } td.number { white-space: nowrap; }
tr:hover td { background: #f8f8f0; } .wide { overflow-x: auto; } .note { color: #555; max-width: 60rem; }
details { margin: .15rem 0; } details details { margin-left: 1.2rem; } summary { cursor: pointer; } pre { background: #f4f4f4; padding: .6rem; }
"""


def page(title: str, note: str, rows: Sequence[Sequence[str]], artefact: str) -> str:
    """Return a self-contained HTML page: title, note, the rows under their headings, and their provenance.

    `artefact` is the table's file; its record leads to the score files, and theirs to the models. Raises
    UserError if a record is missing.
    """
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            f"<style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="note">{escape(note)}</p>',
            f'<div class="wide">{_table(rows)}</div>',
            "<h2>Where these numbers come from</h2>",
            '<p class="note">Each score file with its test accuracy, duration and start (UTC); open it for'
            " run, recipe, seed and versions, and for what it was made from.</p>",
            *_provenance(artefact),
            "</body></html>",
        ]
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    headings, *body = rows
    head = "".join(f"<th>{escape(text)}</th>" for text in headings)
    lines = "".join(f"<tr>{_row(row, len(headings))}</tr>" for row in body)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _row(row: Sequence[str], columns: int) -> str:
    if len(row) == 1:
        return f'<th colspan="{columns}">{escape(row[0])}</th>'
    return "".join(map(_cell, row))


def _cell(text: str) -> str:
    kind = ' class="number"' if text[:1].isdigit() or text[:1] in {"+", "-", "±", "<"} else ""
    return f"<td{kind}>{escape(text)}</td>"


def _provenance(artefact: str) -> Iterable[str]:
    record = _record(artefact)
    yield _details(f"<b>{escape(artefact)}</b>: {_duration(record)}", record)
    for file in record["made_from"]:
        yield _of(file)


def _of(file: str) -> str:
    """A score file or a model, and in it those that it was made from."""
    # Scores may have been pulled without the models that made them.
    record = read_record(file)
    if record is None:
        return f"<p>{escape(file)}: is not here, nor is its record</p>"
    facts = [f"seed {record['recipe']['seed']}"] if "seed" in record["recipe"] else []
    if "test" in record.get("accuracy", {}):
        facts.append(f"{record['accuracy']['test']:g}% of the test videos")
    makers = [made for made in record["made_from"] if made.startswith(("models/", "scores/"))]
    summary = f"{escape(file)}: {', '.join([*facts, _duration(record)])}"
    return _details(summary, record, "".join(map(_of, makers)))


def _details(summary: str, record: Mapping[str, Any], inside: str = "") -> str:
    shown = {key: value for key, value in record.items() if key != "files"}
    text = escape(json.dumps(shown, indent=1, ensure_ascii=False))
    return f"<details><summary>{summary}</summary>{inside}<pre>{text}</pre></details>"


def _duration(record: Mapping[str, Any]) -> str:
    device = f" on {record['device']}" if "device" in record else ""
    return f"{record['seconds']:g} s{device}, {record['started']}"


def _record(file: str) -> Mapping[str, Any]:
    record = read_record(file)
    if record is None:
        raise UserError(
            f"{file}: has no record beside it, so where it comes from is not known; make it again"
        )
    return record

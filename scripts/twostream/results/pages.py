"""Pages of the report: a table, and where each of its numbers comes from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from twostream.files import UserError
from twostream.provenance.records import arithmetic_of, read_record, run_of
from twostream.results.formatting import arithmetic_note
from twostream.results.trainings import guessing_note, made_from, videos_note

STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.25rem; }
h2 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left; }
th { vertical-align: bottom; background: #f4f4f4; }
td.number { white-space: nowrap; }
.wide { overflow-x: auto; }
.note { color: #555; max-width: 60rem; }
details { margin: .15rem 0; }
summary { cursor: pointer; }
pre { background: #f4f4f4; padding: .6rem; }
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
            f'<div class="wide">{table(rows)}</div>',
            f'<p class="note">{escape(arithmetic_note(arithmetic_of(artefact)))}</p>',
            f'<p class="note">{escape(guessing_note([artefact]))}</p>',
            f'<p class="note">{escape(videos_note([artefact]))}</p>',
            "<h2>Where these numbers come from</h2>",
            '<p class="note">The table, the score files and the models that it was made from, with test'
            " accuracy, duration and start (UTC); open one for recipe, seed, versions and what it was made"
            " from.</p>",
            *_provenance(artefact),
            "</body></html>",
        ]
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows under their headings as an HTML table."""
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
    """The artefact, its score files and their models, each once: what is made from others before these."""
    if read_record(artefact) is None:
        raise UserError(
            f"{artefact}: has no record beside it, so where it comes from is not known; make it again"
        )
    for file, record in made_from(artefact):
        yield _details(file, record) if record else f"<p>{escape(file)}: is not here</p>"


# What the page tells of the run that made an artefact, if that was here.
OF_RUN = ("versions", "processor", "started", "seconds", "training_seconds")


def _details(file: str, record: Mapping[str, Any]) -> str:
    facts = [f"seed {record['recipe']['seed']}"] if "seed" in record["recipe"] else []
    if "test" in record.get("accuracy", {}):
        facts.append(f"{record['accuracy']['test']:g}% of the test videos")
    made_from = [
        f'<a href="#{escape(f)}">{escape(f)}</a>' for f in record["made_from"] if not f.startswith("data/")
    ]
    links = f"<p>made from {', '.join(made_from)}</p>" if made_from else ""
    shown = {key: value for key, value in record.items() if key != "files"}
    shown |= {key: value for key, value in run_of(file, record).items() if key in OF_RUN}
    text = escape(json.dumps(shown, indent=1, ensure_ascii=False))
    return (
        f"<details><summary>{escape(file)}: {', '.join([*facts, _duration(file, record)])}</summary>"
        f'<div id="{escape(file)}">{links}<pre>{text}</pre></div></details>'
    )


def _duration(file: str, record: Mapping[str, Any]) -> str:
    device = f" on {record['device']}" if "device" in record else ""
    run = run_of(file, record)
    return f"{run['seconds']:g} s{device}, {run['started']}" if run else f"made elsewhere{device}"

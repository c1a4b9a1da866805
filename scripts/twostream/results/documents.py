"""The tables of results in documents, written between markers from the CSVs that are committed.

A line `<!-- results: SCALE/NAME -->` begins one and a line `<!-- end -->` ends it; between them stands what
`docs/results/SCALE/NAME.csv` holds. In the report's front page, which is reStructuredText, these lines are
`.. results: SCALE/NAME` and `.. end`. Each scale has a folder, so one overwrites nothing of another.
What `config.manual` writes into its document, between markers of its own, is left as it is.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from twostream.config import manual
from twostream.config.trials import TRIALS
from twostream.files import UserError
from twostream.markers import rewritten
from twostream.results.formatting import (
    SHOWN,
    Rows,
    arithmetic_note,
    as_markdown,
    as_rst,
    brief_rows,
    claim_overview,
    read_table,
    sampling_note,
    trial_note,
)

# Where the results of each scale lie that are committed.
PUBLISHED = Path("docs/results")
# Beside them, in which arithmetic they were computed.
COMPUTED = "computed.json"


@dataclass(frozen=True)
class Markup:
    """How a kind of document is written: its markers, how all lines begin that may be one, its tables."""

    results: str
    end: str
    begins: str
    table: Callable[[Rows], str]


MARKUP = {
    ".md": Markup("<!-- results: {} -->", "<!-- end -->", "<!--", as_markdown),
    ".rst": Markup(".. results: {}", ".. end", ".. result", as_rst),
}


def documents() -> list[Path]:
    """Return the documents in which results may stand."""
    given = [Path("README.md"), Path("config/README.md"), Path("workflow/report/workflow.rst")]
    return [*given, *sorted(Path("docs").glob("*.md"))]


def with_results(text: str, document: str) -> str:
    """Return a document with the tables between its markers written anew.

    Raises UserError, which names the document and the line, if a marker is none that is known or has no
    end, or if its table is not there or cannot be shown.
    """
    markup = MARKUP[Path(document).suffix]

    def block(marker: str, where: str) -> Iterable[str] | None:
        of_keys = marker.startswith(manual.MARKER) and document == str(manual.MANUAL)
        return None if of_keys else _block(marker, where, markup)

    return rewritten(text, document, markup.begins, markup.end, block)


def _block(marker: str, where: str, markup: Markup) -> Iterator[str]:
    """What stands between a marker and its end."""
    found = re.fullmatch(re.escape(markup.results).replace(r"\{\}", r"([\w-]+)/([\w-]+)"), marker)
    if not found:
        likely = markup.results.format("demo/table3")
        raise UserError(f"{where}: {marker}: is no marker; they are like `{likely}`")
    scale, name = found.groups()
    file = PUBLISHED / scale / f"{name}.csv"
    if not file.exists():
        raise UserError(
            f"{where}: {file}: is missing; after a run, `python scripts/publish_results.py --scale {scale}`"
            " copies it"
        )
    try:
        yield from _shown(name, file, markup)
        if note := arithmetic_note(json.loads((file.parent / COMPUTED).read_text())["arithmetic"]):
            yield from ("", note)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{where}: {file}: cannot be shown ({error!r}); publish it again") from None


def _shown(name: str, file: Path, markup: Markup) -> list[str]:
    table = read_table(str(file))
    if table.empty:
        raise UserError(f"{file}: has no rows")
    if name == "claims":
        return [*markup.table(claim_overview(table)).split("\n"), "", sampling_note(table)]
    rows = SHOWN[name](table) if name in SHOWN else brief_rows(table)
    told = trial_note(table) if name in TRIALS else ""
    return [*markup.table(rows).split("\n"), *(["", told] if told else [])]

"""The last section of docs/gpu.md, written from the JSON files in docs/results/gpu, one a machine."""

import json
from pathlib import Path
from typing import Any

from gpu_parts.runner import ROOT
from gpu_parts.table import number

DOCUMENT, MEASURED = ROOT / "docs/gpu.md", ROOT / "docs/results/gpu"

HEADING = "## What was measured\n"
NOTHING = "**Not yet measured on any GPU.** No figure of ours in this project's documents is of one.\n"


def document(text: str, files: list[Path]) -> str:
    """Return the document's text with what is in these files in place of what its last section says."""
    before, heading, _ = text.partition(HEADING)
    return before + heading + ("\n".join(_machine(file) for file in files) or NOTHING)


def measured() -> list[Path]:
    """Return the files of all machines that were measured."""
    return sorted(MEASURED.glob("*.json"))


def write_document() -> None:
    """Write the document from all that was measured."""
    DOCUMENT.write_text(document(DOCUMENT.read_text(), measured()))


def _machine(file: Path) -> str:
    """A machine's section. Raises ValueError for what was not measured on a GPU."""
    content = json.loads(file.read_text())
    if content["device"] != "cuda":
        raise ValueError(f"{file}: was measured on a CPU, at small sizes, which tells nothing of a GPU")
    took = f"Measured {content['started'][:10]}, in {content['seconds']:.0f} s."
    return "\n".join([f"### {file.stem}", took, "", *(_part(part) for part in content["parts"])])


def _part(part: dict[str, Any]) -> str:
    """A part's heading, its table, what was said and what was skipped."""
    why = f": {part['why']}" if part["why"] else ""
    status = "cut from outside" if part["status"] == "running" else part["status"]
    lines = [f"**{part['name']}** ({status}, {part['seconds']:.0f} s{why})", ""]
    measured = [row for row in part["rows"] if "figures" in row]
    if measured:
        lines += [*_table(measured), ""]
    others = [row for row in part["rows"] if "figures" not in row]
    lines += [f"- {row['what']}: {row.get('says') or 'not measured, ' + row['skipped']}" for row in others]
    lines += [f"- **wrong**: {row['what']}: {row['wrong']}" for row in measured if "wrong" in row]
    return "\n".join(lines).rstrip() + "\n"


def _table(rows: list[dict[str, Any]]) -> list[str]:
    units = list(dict.fromkeys(unit for row in rows for unit in row["figures"]))
    lines = [["", *units], ["---", *("---:" for _ in units)]]
    for row in rows:
        values = [number(row["figures"][unit]) if unit in row["figures"] else "" for unit in units]
        lines.append([row["what"], *values])
    return ["|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|" for cells in lines]

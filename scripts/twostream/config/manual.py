"""The tables of keys in the configuration's manual, written between markers from the models' schemas.

A line `<!-- keys: Training -->` begins one, and a line `<!-- end -->` ends it. A marker may name several
models, each with what comes before its keys: `<!-- keys: frames.Frames, flow.brox.BroxSettings -->`.
"""

from collections.abc import Iterator
from pathlib import Path

from twostream.config.schemas import MODELS, Schema, models_of
from twostream.config.values import values
from twostream.files import UserError
from twostream.markers import rewritten

MANUAL = Path("config/README.md")
MARKER, END = "<!-- keys: ", "<!-- end -->"


def with_keys(text: str) -> str:
    """Return the manual with its tables of keys written anew.

    Raises UserError, which names the line, if a marker names no model or has no end.
    """
    known = {title: model for name in MODELS for title, model in models_of(name).items()}

    def block(marker: str, where: str) -> list[str] | None:
        if not marker.startswith(MARKER):
            return None
        rows = [row for named in models_named(marker) for row in _rows(*named, known, where)]
        return ["| key | values | meaning |", "| --- | --- | --- |", *rows]

    return rewritten(text, str(MANUAL), "<!--", END, block)


def models_named(marker: str) -> list[tuple[str, str]]:
    """Return what a marker names: of each table's part what comes before its keys, and the model."""
    names = marker.removeprefix(MARKER).removesuffix("-->").split(",")
    parts = [name.strip().rpartition(".") for name in names]
    return [(before + dot, model) for before, dot, model in parts]


def _rows(before: str, name: str, known: dict[str, Schema], where: str) -> Iterator[str]:
    if name not in known:
        raise UserError(f"{where}: there is no model {name!r}; models: {', '.join(sorted(known))}")
    model = known[name]
    for key, content in model["properties"].items():
        allowed = values(content, required=key in model.get("required", []))
        cells = (f"`{before}{key}`", allowed, content["description"])
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

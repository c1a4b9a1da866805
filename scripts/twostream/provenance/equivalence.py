"""Code that was changed and gives the same bytes: certified by whoever compared them.

`equivalences.json` has an entry for each time that was done: from which code (git's hash of the folder
`scripts`), how it was checked, and the digest of each step's code as it was then. Whoever has results of
that earlier code may keep them, as long as the step's code is still the one that was certified.
"""

import json
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from twostream.files import UserError, write_json

FILE = Path(__file__).with_name("equivalences.json")


class Equivalence(BaseModel):
    """Code (by its digests, with the script of each) that gives the same bytes as that of a commit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: str
    """The commit, for people."""
    scripts_hash: str
    checked: str
    code: dict[str, str]
    """The script of each code that was certified, by the code's digest."""
    parts: dict[str, str]
    """The files of that code, each with the digest of its own."""


@cache
def equivalences(file: Path = FILE) -> tuple[Equivalence, ...]:
    """Return what was certified; raise UserError if the file is damaged."""
    try:
        return tuple(Equivalence.model_validate(entry) for entry in json.loads(file.read_text()))
    except (OSError, ValueError, ValidationError) as error:
        raise UserError(f"{file}: cannot be read: {error}; get it again from git") from None


def certified(scripts_hash: str, file: Path = FILE) -> Equivalence | None:
    """Return which code was found to give the bytes of the code that has this hash."""
    return next((entry for entry in equivalences(file) if entry.scripts_hash == scripts_hash), None)


def certify(entry: Equivalence, file: Path = FILE) -> None:
    """Add an entry, in place of one for the same commit."""
    others = [e for e in equivalences(file) if e.scripts_hash != entry.scripts_hash] if file.exists() else []
    write_json(file, [e.model_dump() for e in (*others, entry)])
    equivalences.cache_clear()

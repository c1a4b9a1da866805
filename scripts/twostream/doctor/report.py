"""A report in short sections, each of which tells its own failure, so that the others are told too."""

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

# The module beside this one that has a section's `lines`: found by its name, as what it imports may be what
# is wrong.
SECTIONS = {
    "Project": "project",
    "Python and packages": "packages",
    "Machine": "machine",
    "GPU": "gpu",
    "Configuration": "configuration",
    "Artefacts": "artefacts",
}


def report() -> Iterator[str]:
    """Yield the lines of all sections, without the paths of the project and of its user's home."""
    for title, module in SECTIONS.items():
        yield title
        for line in told(module):
            yield "\n".join(f"  {part}" for part in without_places(line).splitlines())
        yield ""


def told(module: str) -> Iterator[str]:
    """Yield the lines of a section, and in one more what kept it from telling the rest."""
    try:
        yield from import_module(f"twostream.doctor.{module}").lines()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is part of the report)
        yield f"cannot be told: {type(error).__name__}: {error}"


def without_places(line: str) -> str:
    """Return a line with `.` for this folder and `~` for the user's home."""
    shorter = {str(Path.cwd()): "."}
    with suppress(RuntimeError):
        shorter[str(Path.home())] = "~"  # In a container a user may have none.
    for place, short in shorter.items():
        if place != "/":
            line = line.replace(place, short)
    return line

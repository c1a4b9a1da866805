"""Specs: digests that say what an artefact is made by and made from.

A spec covers the step's own recipe, the code of its script and of every library module that the
script imports, and the specs of what it is made from. So a change anywhere upstream changes it. The
plan works it out before any job starts; an artefact's record keeps the one that it was made by.

What cannot matter does not count, so that a spec lasts:

- comments, formatting, docstrings, and the version of Python, as code is digested as a syntax tree;
- where a module lies and what it is called: an import stands for the code of the module that it names;
- a key of a recipe that has its default. Hence the rule: **a default is never changed**; whoever wants
  another value adds a new key (`tests/defaults.json` lists them all).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from twostream.files import UserError
from twostream.provenance.digest import digest
from twostream.provenance.sources import SCRIPTS, Written, keep_sources, read_source

# What no artefact depends on, packages or modules: the configuration and the recipes (the recipe itself is
# digested, and so are the entries of streams that a step uses), the arithmetic (the record says which),
# provenance, command lines, progress, where files lie, extraction without the workflow; and how archives are
# fetched and unpacked, since lists and checksums say what must come out.
WITHOUT_CODE = (
    "twostream.arithmetic",
    "twostream.config",
    "twostream.provenance",
    "twostream.cli",
    "twostream.paths",
    "twostream.progress",
    "twostream.downloads",
    "twostream.videos.archives",
    "twostream.extraction.folder",
    "twostream.extraction.raw_frames",
)


class Spec(BaseModel):
    """What an artefact is to be: its step's spec, and what goes into that but the recipe."""

    digest: str
    script: str
    modules: list[str] = []
    """What the script imports by a name in its recipe."""
    code: str
    """The digest of the script's code."""
    settled: dict[str, Any] = {}
    """What names in the recipe stand for, where a table in the library says it."""
    made_from: dict[str, str]
    """Each file that it is made from, with its spec."""
    replaces: str | None = None
    """The SHA-256 of the record that was beside the artefact when the job was planned, if one was."""
    recipe: dict[str, Any] | None = None
    """The recipe without its defaults, where a job is handed one."""


def code_digest(script: str, modules: Iterable[str] = (), root: Path = SCRIPTS) -> str:
    """Return the digest of the code of `{script}.py` in `root`, and of what it imports by name.

    `modules` are those that it imports by a name in its recipe, such as a flow algorithm's. Raises
    FileNotFoundError if there is no such script, UserError if modules import each other in a circle.
    """
    _reached((script, *modules), root)
    return digest([_code_of(name, root) for name in (script, *modules)])


def code_parts(script: str, modules: Iterable[str] = (), root: Path = SCRIPTS) -> dict[str, str]:
    """Return each file whose code `code_digest` covers, relative to `root`, with a digest of its own code."""
    reached = _reached((script, *modules), root)
    return {_file(name): _module(name, root).body for name in sorted(reached)}


@cache
def _reached(names: tuple[str, ...], root: Path) -> list[str]:
    """The modules that some reach by imports, themselves included; UserError if these go round."""
    graph: dict[str, set[str]] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in graph:
            graph[name] = {imported.module for imported in _module(name, root).imports}
            waiting += graph[name]
    keep_sources()
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise UserError(f"modules import each other in a circle: {' - '.join(error.args[1])}") from None


@dataclass(frozen=True)
class _Import:
    """What is imported from a module of the library: a name in it, or (name None) itself; and as what."""

    module: str
    name: str | None
    alias: str


@dataclass(frozen=True)
class _Module:
    """A module's own code, and what it imports from the library.

    `top` is what it imports to begin with, in any order; `inner` what parts of it import, in their order.
    """

    body: str
    top: tuple[_Import, ...]
    inner: tuple[_Import, ...]

    @property
    def imports(self) -> tuple[_Import, ...]:
        """All of them."""
        return (*self.top, *self.inner)


@cache
def _code_of(name: str, root: Path) -> str:
    """The digest of a module's code, in which an import is the code of what is imported."""
    module = _module(name, root)

    def codes(imports: Iterable[_Import]) -> list[tuple[str, str, str]]:
        return [(_code_of(i.module, root), i.name or "", i.alias) for i in imports]

    return digest([module.body, sorted(set(codes(module.top))), codes(module.inner)])


@cache
def _module(name: str, root: Path) -> _Module:
    file = root / _file(name)
    source = read_source(file)
    if source.twice:
        raise UserError(f"{file}: {source.twice} is imported, and is the name of something else too")
    top, inner = ([_resolved(found, root) for found in imports] for imports in (source.top, source.inner))
    return _Module(source.body, _counted(top), _counted(inner))


def _counted(imports: Iterable[_Import]) -> tuple[_Import, ...]:
    return tuple(found for found in imports if not _is_left_out(found.module))


def _is_left_out(module: str) -> bool:
    return any(module == left_out or module.startswith(f"{left_out}.") for left_out in WITHOUT_CODE)


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _resolved(found: Written, root: Path) -> _Import:
    """What is imported, as a module and a name in it. Raises UserError for what is no module."""
    if found.name is None:
        return _Import(found.module, None, found.alias)
    inner = f"{found.module}.{found.name}"
    if not found.level and (root / _file(inner)).exists():
        return _Import(inner, None, found.alias)
    if not found.level and (root / _file(found.module)).exists():
        return _Import(found.module, found.name, found.alias)
    raise UserError(
        f"{'.' * found.level}{found.module}: {found.name}: import modules of the library by their whole"
        " names, and nothing from a package itself, so that specs see it"
    )

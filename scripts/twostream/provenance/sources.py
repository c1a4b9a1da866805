"""What a module's source says, for specs: the digest of its own code, and what it imports of the library.

To parse all modules takes each call 0.2 s of a processor. So what was read is kept in one scratch file
beside the code, by the SHA-256 of the source, of this file and of `digest`, which say how sources are read.
"""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from twostream.files import UserError, write_json
from twostream.provenance.digest import digest

SCRIPTS = Path(__file__).resolve().parents[2]
# What all calls have read, of sources as they are and as they were.
FILE = SCRIPTS.parent / "scratch/sources.json"
# With more than so many it is begun anew; the project has some 250 modules.
MOST = 2000
_new: set[str] = set()


class Written(NamedTuple):
    """An import from the library as it is written; of `import module`, the name is None."""

    module: str
    level: int
    name: str | None
    alias: str


class Source(NamedTuple):
    """The digest of a module's own code, what it imports, and a name that it gives to two things, if any.

    `top` is what it imports to begin with, `inner` what parts of it import, each in its order.
    """

    body: str
    top: list[Written]
    inner: list[Written]
    twice: str | None


def read_source(file: Path) -> Source:
    """Read a module; raise UserError if it is not Python, FileNotFoundError if there is none."""
    content = file.read_bytes()
    key = hashlib.sha256(_reading() + content).hexdigest()
    kept = _kept()
    if key not in kept:
        try:
            kept[key] = _parse(ast.parse(content.decode()))
        except (SyntaxError, ValueError) as error:
            raise UserError(f"{file}: is not Python: {error}") from None
        _new.add(key)
    return kept[key]


def keep_sources() -> None:
    """Keep for later calls what was read, if this project has run and its folder can be written to."""
    if _new and FILE.parent.exists():
        _new.clear()
        with suppress(OSError):  # It only saves time.
            write_json(FILE, _kept())


@cache
def _kept() -> dict[str, Source]:
    try:
        content = json.loads(FILE.read_text())
        found = {
            key: Source(body, _all(top), _all(inner), twice)
            for key, (body, top, inner, twice) in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return found if len(found) < MOST else {}


def _all(imports: Iterable[Iterable[Any]]) -> list[Written]:
    return [Written(*found) for found in imports]


@cache
def _reading() -> bytes:
    modules = (Path(__file__), Path(__file__).with_name("digest.py"))
    return hashlib.sha256(b"".join(module.read_bytes() for module in modules)).digest()


def _parse(tree: ast.Module) -> Source:
    top = [found for node in tree.body for found in _imports(node)]
    names = Counter(found.alias for found in top)
    # Only their order would tell which counts.
    names.update(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    inner = [
        found
        for statement in tree.body
        if not isinstance(statement, ast.Import | ast.ImportFrom)
        for node in ast.walk(statement)
        for found in _imports(node)
    ]
    twice = next((found.alias for found in top if names[found.alias] > 1), None)
    return Source(digest(canonical(tree)), top, inner, twice)


def _imports(node: ast.AST) -> Iterator[Written]:
    """What a statement imports from the library."""
    if isinstance(node, ast.Import):
        for name in node.names:
            if _is_ours(name.name):
                yield Written(name.name, 0, None, name.asname or name.name)
    elif isinstance(node, ast.ImportFrom) and (node.level or _is_ours(node.module or "")):
        for name in node.names:
            yield Written(node.module or "", node.level, name.name, name.asname or name.name)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "twostream"


def canonical(node: Any) -> Any:
    """Return a syntax tree as JSON-able lists that are the same in each version of Python.

    Left out are docstrings, and fields that are empty, as versions add such. Of imports from the library only
    the place stays, and of those that a module begins with not even that.
    """
    if _is_library_import(node):
        return ["Import"]
    if isinstance(node, ast.Constant):
        return ["Constant", ascii(node.value)]
    if isinstance(node, list):
        return [canonical(item) for item in node]
    if not isinstance(node, ast.AST):
        return node
    fields = {name: getattr(node, name, None) for name in node._fields if name != "ctx"}
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = _without_docstring(node.body)
    if isinstance(node, ast.Module):
        own = _without_docstring(node.body)
        fields["body"] = [statement for statement in own if not _is_library_import(statement)]
    if isinstance(node, ast.JoinedStr):
        # Some versions add an empty text here and there.
        fields["values"] = [v for v in node.values if not (isinstance(v, ast.Constant) and v.value == "")]
    return [
        type(node).__name__,
        *([name, canonical(value)] for name, value in fields.items() if value is not None and value != []),
    ]


def _is_library_import(node: Any) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module is not None and _is_ours(node.module)
    return isinstance(node, ast.Import) and all(_is_ours(name.name) for name in node.names)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return body[1:]
    return body

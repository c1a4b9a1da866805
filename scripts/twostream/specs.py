"""Specs: digests that say what an artefact is made by and made from.

A spec covers the step's own recipe, the code of its script and of every library module that the
script imports, and the specs of what it is made from. So a change anywhere upstream changes it. The
plan works it out before any job starts; an artefact's record keeps the one that it was made by.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

SCRIPTS = Path(__file__).resolve().parent.parent

# What no artefact depends on: the models of the recipes (the recipe itself is digested) and how they
# are read, these digests, command lines, locks, records, where files lie, extraction without the
# workflow; and how archives are fetched and unpacked, since lists and checksums say what must come out.
WITHOUT_CODE = {
    "twostream.strict",
    "twostream.scale",
    "twostream.benchmark",
    "twostream.config",
    "twostream.loading",
    "twostream.recipes",
    "twostream.cli",
    "twostream.locking",
    "twostream.paths",
    "twostream.records",
    "twostream.specs",
    "twostream.downloads",
    "twostream.archives",
    "twostream.folder_extraction",
}


class Spec(BaseModel):
    """What an artefact is to be: its step's spec, and what goes into that but the recipe."""

    digest: str
    script: str
    code: str
    """The digest of the script's code."""
    made_from: dict[str, str]
    """Each file that it is made from, with its spec."""


def digest(content: Any) -> str:
    """Return a digest (16 hexadecimal digits) of JSON-able `content`; key order does not count."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_digest(script: str, root: Path = SCRIPTS) -> str:
    """Return the digest of `{script}.py` in `root` and of all `twostream` modules it reaches.

    Comments, formatting and docstrings do not count: the digest is taken of syntax trees.
    """
    return digest({module: ast.dump(_without_docstrings(tree)) for module, tree in _trees(script, root)})


def code_files(script: str, root: Path = SCRIPTS) -> list[str]:
    """Return the files whose code the digest covers, relative to `root`, sorted."""
    return sorted(_file(module) for module, _ in _trees(script, root))


def _trees(script: str, root: Path) -> list[tuple[str, ast.Module]]:
    trees: dict[str, ast.Module] = {}
    waiting = [script]
    while waiting:
        module = waiting.pop()
        if module in trees or module in WITHOUT_CODE:
            continue
        trees[module] = ast.parse((root / _file(module)).read_text())
        waiting += _library_imports(trees[module], root)
    return list(trees.items())


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"


def _library_imports(tree: ast.AST, root: Path) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module] + [f"{node.module}.{name.name}" for name in node.names]
    return [name for name in found if name.startswith("twostream.") and (root / _file(name)).exists()]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return tree

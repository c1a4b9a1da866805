"""The JSON schemas of the configuration's files, with what each model says of its keys.

A key is described by the docstring below it. These are read here, from the source, and not by pydantic
(`use_attribute_docstrings`) as the models are made: that would take each job some 70 ms of a processor.
"""

import ast
import inspect
from typing import Any

from pydantic import BaseModel

from twostream.config.benchmark import Benchmark
from twostream.config.scale import Scale
from twostream.config.settings import UserSettings
from twostream.config.types import Strict
from twostream.files import UserError

# JSON, as pydantic gives it.
Schema = dict[str, Any]
MODELS: dict[str, type[Strict]] = {"config": UserSettings, "scale": Scale, "benchmark": Benchmark}


def schema(name: str) -> Schema:
    """Return the schema of a kind of file, with a description of each key."""
    whole = MODELS[name].model_json_schema()
    known = {model.__name__: model for model in _below(Strict)}
    for title, definition in _definitions(whole).items():
        words = _descriptions(known[title])
        for key, content in definition["properties"].items():
            if key not in words:
                raise UserError(
                    f"{known[title].__module__}: {title}.{key}: nothing is said of this key; put a"
                    " docstring below it, which the schema and the manual then have"
                )
            definition["properties"][key] = {"description": words[key], **content}
    return whole


def models_of(name: str) -> dict[str, Schema]:
    """Return the schemas of all models that a kind of file is made of, by their names."""
    return _definitions(schema(name))


def _definitions(whole: Schema) -> dict[str, Schema]:
    return {whole["title"]: whole, **whole.get("$defs", {})}


def _below(base: type[Strict]) -> set[type[Strict]]:
    return {base}.union(*(_below(model) for model in base.__subclasses__()))


def _descriptions(model: type[BaseModel]) -> dict[str, str]:
    """What is said of each key of a model, also of those that it inherits."""
    words: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Strict):
            words |= _docstrings(base)
    return words


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings below the keys of a model's own, each in a line."""
    (node,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(node, ast.ClassDef)
    found: dict[str, str] = {}
    for key, words in zip(node.body, node.body[1:], strict=False):
        match key, words:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found

"""A default is never changed, as specs leave out what has its default: whoever wants another adds a key."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from twostream.config import benchmark, recipes, scale, settings, streams  # noqa: F401  (all models)
from twostream.config.types import Strict

# Each key of the configuration and of recipes that may be left out, with what it then is.
# A new one gets a line; a line that is there stays as it is.
DEFAULTS = json.loads(Path(__file__).with_name("defaults.json").read_text())


def models(base: type[Strict]) -> set[type[Strict]]:
    return {base}.union(*(models(model) for model in base.__subclasses__()))


def defaults() -> dict[str, Any]:
    return {
        f"{model.__name__}.{name}": json.loads(
            json.dumps(field.get_default(call_default_factory=True), default=vars)
        )
        for model in models(Strict)
        if model.__module__.startswith("twostream.")
        for name, field in model.model_fields.items()
        if not field.is_required()
    }


def fields_of_streams() -> dict[str, Any]:
    return {
        f"{entry.__name__}.{field.name}": json.loads(json.dumps(field.default))
        for entry in (streams.Kind, streams.Stream)
        for field in fields(entry)
        if field.default is not MISSING
    }


def test_defaults_are_as_they_have_always_been():
    assert defaults() | fields_of_streams() == DEFAULTS

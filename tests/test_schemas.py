"""Schemas and manual of the configuration say what its models say, of each key; its files fit the schemas."""

from typing import Annotated, Literal

import jsonschema
import pytest
import yaml
from conftest import ROOT
from pydantic import Field
from write_schemas import written

from twostream.config import manual, schemas
from twostream.config.manual import MANUAL, MARKER, models_named, with_keys
from twostream.config.schemas import MODELS, models_of, schema
from twostream.config.types import Count, Fraction, Strict, UserPath, given_as
from twostream.files import UserError
from twostream.results.documents import with_results

FILES = [ROOT / "config/config.yaml", ROOT / "config/benchmark.yaml", *(ROOT / "config/scale").glob("*.yaml")]
TEXT = (ROOT / MANUAL).read_text()


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_that_of_its_model(name):
    text = (ROOT / f"config/schema/{name}.json").read_text()
    assert text == written(name), "call `python scripts/write_schemas.py`"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_names_the_schema_that_it_fits(file):
    head, content = file.read_text().split("\n", 1)
    named = file.parent / head.removeprefix("# yaml-language-server: $schema=")
    validator = jsonschema.Draft202012Validator(yaml.safe_load(named.read_text()))
    settings = yaml.safe_load(content)
    assert not list(validator.iter_errors(settings))
    assert list(validator.iter_errors(settings | {"no_such_key": 1}))


def test_the_manual_has_the_keys_of_the_models():
    assert with_keys(TEXT) == TEXT, "call `python scripts/write_schemas.py`"


def test_the_manual_has_all_models_and_the_schema_words_for_each_key():
    named = {m for line in TEXT.split("\n") if line.startswith(MARKER) for _, m in models_named(line)}
    models = {title: model for name in MODELS for title, model in models_of(name).items()}
    assert named == models.keys()
    for title, model in models.items():
        for key, content in model["properties"].items():
            assert content["description"], f"{title}.{key}"


class Part(Strict):
    """A part of an example."""

    path: UserPath | None = None
    """Where it is,
    in `a|b`."""


class Example(Strict):
    """All kinds of keys."""

    method: Literal["one", "two"] = "two"
    """How."""
    share: Fraction
    """How much."""
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    """How good."""
    sides: Annotated[list[Count], given_as("a list of sides")] = Field(default_factory=list)
    """How large."""
    part: Part
    """Of what."""
    seen: bool = False
    """Whether."""


SHOWN = """\
<!-- keys: Example, part.Part -->

| key | values | meaning |
| --- | --- | --- |
| `method` | `one`, `two` (default) | How. |
| `share` | at least 0, below 1 | How much. |
| `quality` | 1 to 100 (default 90) | How good. |
| `sides` | a list of sides, or left out | How large. |
| `part` | keys | Of what. |
| `seen` | false (default), true | Whether. |
| `part.path` | a path, or nothing | Where it is, in `a\\|b`. |

<!-- end -->
"""


def test_a_table_says_of_each_key_what_it_may_be_and_means(monkeypatch):
    for module in (schemas, manual):
        monkeypatch.setattr(module, "MODELS", {"example": Example})
    assert with_keys("<!-- keys: Example, part.Part -->\nold\n<!-- end -->\n") == SHOWN
    assert with_keys(SHOWN) == SHOWN


class Silent(Strict):
    """A model that says nothing of its key."""

    key: int


def test_a_key_without_words_is_refused(monkeypatch):
    monkeypatch.setattr(schemas, "MODELS", {"silent": Silent})
    with pytest.raises(
        UserError, match=r"Silent\.key: nothing is said of this key; put a docstring below it"
    ):
        schema("silent")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\n<!-- keys: Trainings -->\n<!-- end -->", ":2: there is no model 'Trainings'; models: Backbone, "),
        ("<!-- keys: SVM -->\n", ":1: lacks its `<!-- end -->`"),
    ],
)
def test_a_marker_that_leads_nowhere_is_named_with_its_line(text, message):
    with pytest.raises(UserError) as raised:
        with_keys(text)
    assert str(raised.value).startswith(f"{MANUAL}{message}")


def test_keys_and_results_leave_each_other_as_they_are():
    keys, results = (f"<!-- {what} -->\nold\n<!-- end -->\n" for what in ("keys: SVM", "results: demo/gone"))
    assert with_results(keys, str(MANUAL)) == keys
    assert with_keys(results) == results
    with pytest.raises(UserError, match=r"docs/a\.md:1: <!-- keys: SVM -->: is no marker"):
        with_results(keys, "docs/a.md")

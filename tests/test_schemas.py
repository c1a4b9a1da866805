"""The schemas that editors check the configuration by are those of its models, and its files fit them."""

import jsonschema
import pytest
import yaml
from conftest import ROOT
from write_schemas import MODELS, schema

FILES = [ROOT / "config/config.yaml", ROOT / "config/benchmark.yaml", *(ROOT / "config/scale").glob("*.yaml")]


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_that_of_its_model(name):
    written = (ROOT / f"config/schema/{name}.json").read_text()
    assert written == schema(name), "call `python scripts/write_schemas.py`"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_names_the_schema_that_it_fits(file):
    head, content = file.read_text().split("\n", 1)
    named = file.parent / head.removeprefix("# yaml-language-server: $schema=")
    validator = jsonschema.Draft202012Validator(yaml.safe_load(named.read_text()))
    settings = yaml.safe_load(content)
    assert not list(validator.iter_errors(settings))
    assert list(validator.iter_errors(settings | {"no_such_key": 1}))

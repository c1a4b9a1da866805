"""What scripts share: where a recipe comes from."""

import argparse
import json

import pytest

from twostream import cli
from twostream.config.benchmark import Interval
from twostream.files import UserError
from twostream.provenance.specs import Spec


def parsed(*arguments: str) -> argparse.Namespace:
    return cli.arguments(None).parse_args([*arguments, "--out", "x"])


@pytest.fixture
def file(tmp_path):
    """A file of the plan's, with a recipe or without."""

    def write(recipe: dict[str, int] | None) -> str:
        spec = Spec(digest="d", script="s", code="c", made_from={}, recipe=recipe)
        (tmp_path / "spec.json").write_text(spec.model_dump_json())
        return str(tmp_path / "spec.json")

    return write


def test_a_recipe_is_the_plans_or_given_by_hand(file):
    recipe = {"resamples": 7, "seed": 3}
    by_hand = cli.recipe(Interval, parsed("--recipe", json.dumps(recipe)))
    assert by_hand == cli.recipe(Interval, parsed("--spec", file(recipe)))
    assert by_hand == cli.recipe(Interval, parsed("--spec", file(None), "--recipe", json.dumps(recipe)))
    assert (by_hand.resamples, by_hand.seed) == (7, 3)


def test_there_is_one_recipe(file):
    neither = parsed(), parsed("--spec", file(None))
    both = parsed("--spec", file({"resamples": 7, "seed": 3}), "--recipe", "{}")
    for arguments in (*neither, both):
        with pytest.raises(UserError, match="--recipe: give either it or --spec"):
            cli.recipe(Interval, arguments)


def test_what_is_wrong_with_a_recipe_is_said_with_its_key(file):
    with pytest.raises(UserError, match=r"^--spec: its recipe: resample: unknown key"):
        cli.recipe(Interval, parsed("--spec", file({"resamples": 7, "resample": 7, "seed": 3})))
    with pytest.raises(UserError, match=r"^--recipe: is not JSON"):
        cli.recipe(Interval, parsed("--recipe", "{"))

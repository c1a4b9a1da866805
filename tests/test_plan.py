"""The plan has a step for each rule by its name, and none for what the configuration does not name."""

import re
import subprocess
import sys
from types import SimpleNamespace
from typing import get_args

import pytest
from conftest import ENVIRONMENT, ROOT
from test_house import DERIVED, RULES

from twostream import paths
from twostream.config.loading import load_config
from twostream.config.sources import DataSource
from twostream.files import UserError
from twostream.plan.datasets import BY_SOURCE
from twostream.plan.memo import NoSuchStepError
from twostream.plan.plan import Plan
from twostream.provenance.equivalence import equivalences
from twostream.provenance.steps import with_upstream

SCORES = {"folder": "temporal", "run": "flow-10", "dataset": "demo_a", "split": "1", "seed": "0"}


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(load_config(ROOT / "config"))


def test_rules_ask_for_steps_by_their_names():
    of_index = {kind.rule for kind in BY_SOURCE.values()}
    assert RULES.keys() | DERIVED.keys() == paths.ARTEFACTS.keys() - {"index"} | of_index
    for rule, body in (RULES | DERIVED).items():
        asked = re.findall(r"(?:remade_if_stale|spec_file|named|needs|plan\.step)\(\"(\w+)\"", body)
        assert set(asked) == {"index" if rule in of_index else rule}


def test_a_rule_like_another_asks_for_all_that_it_asks_for():
    asks = re.compile(r"(\w+)=.*(?:remade_if_stale|spec_file|named|needs|plan\.step)\(\"")
    assert {rule: asks.findall(body) for rule, body in DERIVED.items()} == {
        "extract_other_flow": asks.findall(RULES["extract_flow"])
    }


def test_each_kind_of_source_is_planned_by_a_rule_of_its_own():
    assert BY_SOURCE.keys() == set(get_args(get_args(DataSource)[0]))
    assert len({kind.rule for kind in BY_SOURCE.values()}) == len(BY_SOURCE)


def test_a_rules_datasets_are_those_of_its_kind():
    videos = Plan(load_config(ROOT / "config", {"scale": "paper"})).videos
    assert videos.indexed_by("download_videos") == ["ucf101", "hmdb51"]
    assert videos.indexed_by("index_folder") == ["imagenet"]
    assert videos.indexed_by("generate_videos") == videos.indexed_by("no_rule") == []


def test_a_step_is_made_once(plan):
    step = plan.step("score_videos", SimpleNamespace(**SCORES))
    assert step is plan.step_of(step.outputs[0]) is plan.scores.of("flow-10", "demo_a", 1, 0)
    assert plan.networks.train_stream("flow-10", "demo_a", 1, seed=0).outputs != (
        plan.networks.train_stream("flow-10", "demo_a", 1, seed=1).outputs
    )


def test_a_rule_that_there_is_not_has_no_step(plan):
    with pytest.raises(KeyError, match="no_rule"):
        plan.step("no_rule", SimpleNamespace())


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"folder": "spatial"}, "lies in the folder temporal"), ({"split": "9"}, "3 splits, and no split 9")],
)
def test_a_path_that_no_run_writes_has_no_step_and_says_why(plan, changed, message):
    with pytest.raises(NoSuchStepError, match=message):
        plan.step("score_videos", SimpleNamespace(**SCORES | changed))
    assert plan.step_of(paths.SCORES.format(**SCORES | changed)) is None


@pytest.mark.parametrize(
    "artefact",
    [
        "data/videos/gone.csv",
        "data/flow/gone/forward/0.zip",
        "data/frames/demo_a/999.zip",
        "models/pretrained/gone.safetensors",
        "scores/fused/gone/demo_a-split1-seed0.npz",
        "results/gone.csv",
        "report/gone.html",
        "README.md",
    ],
)
def test_what_the_configuration_does_not_name_has_no_step(plan, artefact):
    assert plan.step_of(artefact) is None


def test_what_it_names_and_cannot_make_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config(ROOT / "config", {"scale": "paper"})
    with pytest.raises(UserError, match="there is no folder data/imagenet/train"):
        Plan(config).step_of("data/videos/imagenet.csv")


def test_code_is_as_it_was_certified_to_give_the_same_bytes():
    """Else results of that commit are lost: compare bytes again (certify_code.py), or take the entry out."""
    plan = Plan(load_config(ROOT / "config"))
    steps = list(with_upstream([*plan.results(), *plan.figures()]))
    for entry in equivalences():
        # Of a script whose bytes came out otherwise nothing was certified.
        claimed = [step for step in steps if step.script in entry.code.values()]
        changed = {step.script for step in claimed if step.code not in entry.code}
        assert not changed, f"{changed}: changed since it was certified for {entry.since}"


def test_planning_loads_nothing_that_computes_or_decodes():
    """Each call of Snakemake plans; these would take it longer to load than all that it does."""
    program = """
import sys
from twostream.plan.plan import Plan
from twostream.config.loading import load_config
plan = Plan(load_config())
plan.check()
for step in plan.results():
    plan.videos.are_replaced(step.outputs[0], step), step.spec
print(sorted({"numpy", "pandas", "cv2", "av", "torch", "matplotlib", "numba"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", program]
    environment = {**ENVIRONMENT, "PYTHONPATH": "scripts"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr

"""A run is compared with what is published, and what differs is said in words."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, call

from twostream import arithmetic, paths
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.digests import Digest, read_digests, steps_in_order, write_digests
from twostream.plan.plan import Plan
from twostream.plan.publishing import publish
from twostream.plan.reproduction import check_possible, differences, lock_differences
from twostream.results.documents import PUBLISHED

DIGESTS = str(PUBLISHED / "demo/digests.csv")


@pytest.fixture(scope="module")
def published(built, tmp_path_factory) -> Path:
    """A run beside its published digests; tests leave it as it was."""
    folder = tmp_path_factory.mktemp("published") / "run"
    # With its times, by which what was made here is known.
    shutil.copytree(built, folder, copy_function=shutil.copy2)
    before = Path.cwd()
    os.chdir(folder)
    try:
        publish(Plan(load_config()), PUBLISHED / "demo")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def here(published, monkeypatch) -> Path:
    monkeypatch.chdir(published)
    return published


def test_a_run_with_the_published_bytes_is_told_so(published):
    rows = (published / DIGESTS).read_text().splitlines()
    done = call(published, "python", "scripts/reproduce.py")
    assert done.returncode == 0, done.stdout[-3000:]
    assert f"All {len(rows) - 1} files of " in done.stdout and "have the published bytes" in done.stdout
    assert "dvc.lock: is not here" in done.stdout


def test_dvc_lock_is_of_what_a_fresh_clone_makes():
    """And of no table that was asked for besides: `dvc repro` would record another there."""
    published = read_digests(ROOT / DIGESTS)
    files = [file for digest in published.values() for file in digest.files]
    files += map(paths.record, published)
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    outs = {out["path"]: out["nfiles"] for stage in lock.values() for out in stage["outs"] if "nfiles" in out}
    # Videos are drawn beside their index.
    folders = [folder for folder in outs if not folder.startswith("data/")]
    assert {folder: outs[folder] for folder in folders} == {
        folder: sum(file.startswith(f"{folder}/") for file in files) for folder in folders
    }


def test_the_first_that_differs_is_named(published):
    digests = read_digests(published / DIGESTS)
    flow = paths.FLOW.format(dataset="demo_a", direction="forward", shard=0)
    model = next(a for a in digests if a.startswith("models/temporal/flow-10/demo_a"))
    for artefact in (model, flow, "results/table3.csv"):
        files = dict.fromkeys(digests[artefact].files, "0" * 64)
        digests[artefact] = Digest(digests[artefact].spec, files)
    kept = (published / DIGESTS).read_bytes()
    try:
        write_digests(digests, published / DIGESTS)
        done = call(published, "python", "scripts/reproduce.py")
    finally:
        (published / DIGESTS).write_bytes(kept)
    assert done.returncode == 1
    said = done.stdout[done.stdout.index(flow) :]
    assert said.startswith(f"{flow}: is the first that differs; all that it is made from is as published")
    assert " here, 000000000000 published" in said and "Recipe and code are the published ones" in said
    assert f"In all 3 of {len(digests)} artefacts differ: {flow}, {model}, results/table3.csv" in said


def test_digests_cover_every_file_and_come_in_the_order_of_the_dag(here):
    plan, digests = Plan(load_config()), read_digests(DIGESTS)
    steps = steps_in_order(plan)
    assert list(digests) == list(steps)
    place = {artefact: number for number, artefact in enumerate(digests)}
    assert all(place[file] < place[artefact] for artefact, step in steps.items() for file in step.inputs)
    listed = {file for digest in digests.values() for file in digest.files}
    records = {str(file) for file in Path().rglob("*.record.json")}
    assert records == {paths.record(artefact) for artefact in digests}
    for top in ("data/frames", "data/flow", "models", "scores", "results", "figures"):
        assert {str(f) for f in Path(top).rglob("*.*") if f.is_file()} <= listed | records | {
            "figures/confusion.csv"
        }


def test_another_configuration_is_told(here):
    plan, published = Plan(load_config()), read_digests(DIGESTS)
    theirs = dict(published)
    theirs["models/other.safetensors"] = theirs.pop("results/table3.csv")
    assert list(differences(published, theirs, plan)) == [
        "results/table3.csv: not among what is published; is the configuration the published one?",
        "models/other.safetensors: published, and not made here; is the configuration the published one?",
    ]
    edited = published | {"results/table3.csv": Digest("another", {"results/table3.csv": "0" * 64})}
    assert "Recipe or code are not the published ones" in "\n".join(differences(edited, published, plan))


@pytest.mark.parametrize("choice", [{"arithmetic": "native"}, {"device": "cuda"}])
def test_what_cannot_have_the_published_bytes_is_refused(choice, here):
    with pytest.raises(UserError, match="give bytes of one machine's own; to reproduce"):
        check_possible(Plan(load_config(overrides=choice)))


def test_a_processor_of_another_kind_is_refused(here, monkeypatch):
    plan = Plan(load_config())
    check_possible(plan)
    monkeypatch.setattr(arithmetic, "computed_in", lambda: "native: aarch64")
    with pytest.raises(UserError, match=r"native: aarch64.*make tables"):
        check_possible(plan)


def test_an_artefact_computed_otherwise_is_refused(here):
    record = Path(paths.record("results/table2.csv"))
    kept = record.read_bytes()
    try:
        record.write_text(json.dumps(json.loads(kept) | {"arithmetic": ["cuda", "portable"]}))
        with pytest.raises(UserError, match=r"results/table2\.csv: was computed in .*cuda, portable"):
            check_possible(Plan(load_config()))
    finally:
        record.write_bytes(kept)


def test_a_lock_of_another_run_is_of_this_one_too(built, origin, tmp_path, monkeypatch):
    """DVC, in another folder and at another time, recorded the very outputs that are here."""
    folder = tmp_path / "run"
    shutil.copytree(built, folder, copy_function=shutil.copy2)
    for name in (".git", "dvc.lock"):
        (shutil.copytree if name == ".git" else shutil.copy)(origin / name, folder / name)
    monkeypatch.chdir(folder)
    assert lock_differences(["probes"]) == ["dvc.lock: all outputs are as it says."]
    Path("results/table3.csv").write_text("other\n")
    assert lock_differences() == [
        "dvc.lock: results: not as it says; `dvc repro` has it say what is here",
    ]
    assert (
        "results: not as it says; they also hold what was asked for besides (probes, streams)"
        in (lock_differences(["probes", "streams"])[0])
    )
    Path("dvc.lock").write_text("<<<<<<< ours\n")
    with pytest.raises(UserError, match=r"^dvc\.lock: .*get it again from git"):
        lock_differences()


def test_no_digests_are_named(tmp_path):
    with pytest.raises(UserError, match=r"digests\.csv: cannot be read"):
        read_digests(tmp_path / "digests.csv")

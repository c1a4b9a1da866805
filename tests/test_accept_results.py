"""Provenance that can evolve: what cannot matter costs nothing, and what is finished is kept on record."""

import json
import re
import shutil
from pathlib import Path

import pytest
from clones import ITS_JOBS, MODEL, RUN, TABLES, all_is_done, replace, set_dropout, tables
from conftest import ROOT, call, commit, jobs_in, planned, run, said

from twostream.provenance.old_plan import old_plan


def accept(folder: Path, *arguments: str) -> str:
    return said(folder, "python", "scripts/accept_results.py", "--reason", "a log line", *arguments)


TRAINER = "scripts/twostream/training/trainer.py"
LOG_LINE = (TRAINER, "            bar.update()", "            bar.update()\n            print('trained')")


def move(folder: Path, old: str, new: str) -> None:
    """Move a module, and mend all imports of it."""
    (folder / new).parent.mkdir(exist_ok=True)
    (folder / old).rename(folder / new)
    names = [file.removeprefix("scripts/").removesuffix(".py").replace("/", ".") for file in (old, new)]
    for file in (folder / "scripts").rglob("*.py"):
        text = file.read_text()
        if names[0] in text:
            file.write_text(text.replace(names[0], names[1]))


def test_what_cannot_matter_makes_nothing_stale(clone):
    replace(
        clone,
        "scripts/twostream/config/scale.py",
        "    crop: Count\n",
        "    crop: Count\n    added: Count = 3\n",
    )
    move(clone, "scripts/twostream/training/checkpoints.py", "scripts/twostream/elsewhere/resuming.py")
    replace(clone, "scripts/twostream/config/flow.py", '"farneback", "dis", ', '"farneback", "dis", "mine", ')
    (clone / "scripts/twostream/flow/algorithms/mine.py").write_text("def fields():\n    pass\n")
    assert planned(clone) == {}
    assert not jobs_in(said(clone, "dvc", "repro"))
    assert all_is_done(clone)


def test_another_formula_of_the_digest_is_taken_over_with_a_reason(clone):
    before = tables(clone)
    replace(clone, "scripts/twostream/provenance/digest.py", ".hexdigest()[:16]", ".hexdigest()[:20]")
    assert planned(clone)["train_stream"] > 3
    text = accept(clone, "-n")
    assert "really changed since HEAD: nothing" in text and "not accepted" not in text
    assert planned(clone)["train_stream"] > 3
    assert "not accepted" not in accept(clone)
    assert planned(clone) == {} and not jobs_in(said(clone, "dvc", "repro"))
    assert all_is_done(clone) and tables(clone) == before
    record = json.loads((clone / MODEL).with_suffix(".record.json").read_text())
    (accepted,) = record["accepted"]
    assert accepted["reason"] == "a log line" and len(accepted["spec"]) == 16 < len(record["spec"])


def test_code_that_really_changed_is_named_and_taken_on_an_explicit_word_only(clone):
    replace(clone, *LOG_LINE)
    set_dropout(clone, 0.8)
    stale = planned(clone)
    text = accept(clone)
    assert "really changed since HEAD: twostream/training/trainer.py" in text
    assert f"{MODEL}: its recipe is another: run.dropout 0.9 -> 0.8" in text
    assert "its code really changed (--changed-code takes it): twostream/training/trainer.py" in text
    assert planned(clone) == stale
    assert "not accepted" in accept(clone, "--changed-code")
    assert planned(clone) == ITS_JOBS
    said(clone, "dvc", "repro")
    assert all_is_done(clone)


def test_code_that_was_certified_by_equal_bytes_is_taken_over_and_no_other(clone, tmp_path):
    before, user = (shutil.copytree(clone, tmp_path / name, symlinks=True) for name in ("before", "user"))
    replace(clone, "scripts/twostream/scores/svm.py", "from ", "extra = 1\nfrom ")
    replace(clone, "scripts/make_table.py", "index=False", 'index=False, lineterminator="\\r\\n"')
    certify = ("python", "scripts/certify_code.py", str(before), "--checked", "in a test")
    assert jobs_in(run(clone, "--", *TABLES)) == {"fuse_streams": 2, "make_table": 2}
    # It is not known of which code that one is.
    (before / "scores/fused/bidirectional-average/demo_a-split1-seed0.record.json").unlink()
    text = said(clone, *certify)
    assert re.findall(r"fuse_streams \(\w+\): certified by (\d+) artefacts", text) == ["1"]
    assert "make_table (" not in text and all(f"{table}: is not the same" in text for table in TABLES)
    for file in ("scripts/twostream/scores/svm.py", "scripts/make_table.py", EQUIVALENCES):
        shutil.copy(clone / file, user / file)
    text = accept(user)
    assert "its code really changed (--changed-code takes it): make_table.py" in text
    assert "fuse_streams" not in planned(user) and planned(user)["make_table"] == 2


EQUIVALENCES = "scripts/twostream/provenance/equivalences.json"


def test_what_was_stale_before_stays_so(clone):
    """For all fusions a real change that was committed and not redone."""
    replace(clone, "scripts/twostream/scores/fusion.py", "/ len(streams)", "* (1 / len(streams))")
    commit(clone, "other fusion")
    replace(clone, *LOG_LINE)
    text = accept(clone, "--changed-code")
    assert "it was not current at " in text and "scores/fused/" in text
    assert planned(clone) == {
        "fuse_streams": 2,
        "make_table": 1,
        "check_claims": 1,
        "compare_trial": 1,
    }


def test_artefacts_can_be_named_and_none_is_written_that_is_not_understood(clone):
    replace(clone, *LOG_LINE)
    accept(clone, "--changed-code", "--", MODEL)
    assert planned(clone, MODEL) == {} != planned(clone)
    broken = clone / "scores/temporal" / RUN / "demo_a-split1-seed0.record.json"
    for content, message in (
        ('{"spec"', "cannot be read as a record"),
        (json.dumps(json.loads(broken.read_text()) | {"form": 99}), "written by a newer version"),
    ):
        broken.unlink()  # DVC protects what it links.
        broken.write_text(content)
        done = call(clone, "python", "scripts/accept_results.py", "--reason", "x", "--changed-code")
        assert message in done.stdout and "Traceback" not in done.stdout
        assert broken.read_text() == content
        assert message in call(clone, "snakemake", "-n", TABLES[1]).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--reason", " "), "say why the change cannot matter"),
        (("--reason", "x", "--since", "v99"), "v99: git knows no such commit in this folder"),
        (("--reason", "x", "--since", "HEAD:config"), "HEAD:config: git knows no such commit"),
        (("--reason", "x", "--", "results/table9.csv"), "the configuration names no such artefact"),
    ],
)
def test_what_cannot_be_asked_for_is_said(clone_unpulled, arguments, message):
    done = call(clone_unpulled, "python", "scripts/accept_results.py", *arguments)
    assert done.returncode != 0
    assert message in done.stdout and "Traceback" not in done.stdout


def test_a_commit_without_a_plan_is_said(clone_unpulled):
    said(clone_unpulled, "git", "rm", "-rq", "scripts", "config")
    commit(clone_unpulled, "nothing")
    said(clone_unpulled, "git", "checkout", "-q", "HEAD~", "--", "scripts", "config")
    done = call(clone_unpulled, "python", "scripts/accept_results.py", "--reason", "x")
    assert done.returncode != 0 and "HEAD: cannot be checked out" in done.stdout
    commit(clone_unpulled, "again")
    replace(clone_unpulled, "config/config.yaml", "seed: 0", "sed: 0")
    commit(clone_unpulled, "broken")
    replace(clone_unpulled, "config/config.yaml", "sed: 0", "seed: 0")
    # By the configuration that is here it can.
    assert "to be accepted: 0" in said(clone_unpulled, "python", "scripts/accept_results.py", "--reason", "x")


def test_commit_4cb32ef_is_asked_though_it_has_no_planner_to_call(monkeypatch):
    monkeypatch.chdir(ROOT)
    if call(ROOT, "git", "cat-file", "-e", "4cb32ef^{commit}").returncode:
        pytest.skip("this clone does not have its history")
    model = "models/temporal/flow-10/demo_a-split1-seed0.safetensors"
    with old_plan("4cb32ef", [model]) as old:
        (spec,) = {plan[model].spec for plan in old.plans}
        planned_then = old.planned(model, spec)
    assert planned_then is not None and planned_then.recipe["run"]["dropout"] == 0.9
    assert old.planned(model, "another") is None

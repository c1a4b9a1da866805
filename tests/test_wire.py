"""What Snakemake is told: what is stale and why, and what must not be taken, overwritten or lost."""

import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from clones import MODEL, RUN, set_dropout
from conftest import call, planned, snakemake

from twostream.plan.wire import TRIED_WITH

SCORES = f"scores/temporal/{RUN}/demo_a-split1-seed0.npz"
FUSED = "scores/fused/bidirectional-average/demo_a-split1-seed0.npz"
TABLE = "results/table3.csv"
SHARD = "data/flow/demo_a/forward/0.zip"
PLACES = ("config", "data", "models", "requirements", "scores", "results", "scratch")


@pytest.fixture(scope="module")
def copied(built, tmp_path_factory) -> Path:
    return shutil.copytree(built, tmp_path_factory.mktemp("wire") / "project", symlinks=True)


@pytest.fixture
def project(copied, built) -> Iterator[Path]:
    """A finished project; what a test does to it is taken back."""
    yield copied
    for name in PLACES:
        shutil.rmtree(copied / name)
        shutil.copytree(built / name, copied / name)


def refused(folder: Path, *arguments: str) -> str:
    """What is said where a call is refused; nothing may be lost by it."""
    before = {path: path.read_bytes() for path in (folder / "scores").rglob("*.npz")}
    done = snakemake(folder, *arguments)
    assert done.returncode != 0 and "Traceback" not in done.stdout, done.stdout[-3000:]
    assert before == {path: path.read_bytes() for path in (folder / "scores").rglob("*.npz")}
    return done.stdout


def test_it_was_tried_with_the_version_of_snakemake_that_is_pinned():
    assert version("snakemake") == TRIED_WITH


def test_a_plan_says_what_is_stale_and_why_and_what_is_redone_though_current(project):
    set_dropout(project, 0.8)
    text = snakemake(project, "-n", "--quiet", "rules").stdout
    told = [line for line in text.splitlines() if ": stale: " in line or "though" in line]
    assert told == [f"{MODEL}: stale: run.dropout 0.9 -> 0.8"]
    said = call(project, "python", "scripts/explain_stale.py", MODEL, SCORES, SHARD).stdout.splitlines()
    assert said == [
        f"{MODEL}: run.dropout 0.9 -> 0.8",
        f"{SCORES}: made from what is stale {MODEL}",
        f"{SHARD}: current",
    ]
    (project / SHARD).unlink()
    text = snakemake(project, "-n", "--quiet", "rules").stdout
    assert ": current, but made again: what it is made from is" in text


def test_jobs_are_handed_their_recipes_by_file(project):
    set_dropout(project, 0.8)
    commands = [line for line in snakemake(project, "-n", "-p").stdout.splitlines() if "scripts/" in line]
    assert any("python scripts/train_stream.py" in line for line in commands)
    assert all("--spec scratch/specs/" in line and '{"' not in line for line in commands)


def test_a_library_of_another_version_than_the_locks_is_told_once(project):
    assert "is installed, and" not in snakemake(project, "-n").stdout
    lock = project / "requirements/tables.txt"
    lock.write_text(lock.read_text().replace("numpy==", "numpy==0."))
    text = snakemake(project, "-n").stdout
    assert text.count(f"numpy {version('numpy')} is installed, and requirements/tables.txt has 0.") == 1


def without_record(file: Path) -> None:
    file.with_suffix(".record.json").unlink()


def edited(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b"by hand")


def with_odd_record(file: Path) -> None:
    record = json.loads(file.with_suffix(".record.json").read_text())
    file.with_suffix(".record.json").write_text(json.dumps(record | {"files": []}))


@pytest.mark.parametrize(
    ("change", "message", "dropout", "target"),
    [
        (without_record, "is here without its record", 0.9, TABLE),
        (edited, "is not what the record says", 0.8, "tables"),
        (with_odd_record, "cannot be read as a record: files", 0.9, "report_pages"),
    ],
)
def test_what_is_not_what_its_record_says_is_refused_and_kept(project, change, message, dropout, target):
    set_dropout(project, dropout)
    shutil.rmtree(project / "scratch/specs")
    change(project / SCORES)
    assert message in refused(project, "--", target)


def test_a_job_reads_nothing_that_is_stale_or_edited_where_others_may_not_run(project):
    only = ("--allowed-rules", "fuse_streams", "--forcerun", "fuse_streams", "--")
    set_dropout(project, 0.8)
    assert f"{SCORES}: is stale, and this call does not make it anew" in refused(project, *only, FUSED)
    set_dropout(project, 0.9)
    edited(project / SCORES)
    assert f"{SCORES}: is not what the record says" in refused(project, *only, FUSED)


def test_a_file_that_a_killed_job_left_is_made_anew(project):
    (project / SCORES).with_suffix(".record.json").unlink()
    assert planned(project, SCORES) == {"score_videos": 1}

"""What records tell of artefacts, and Snakemake by times of files."""

import json
import os
from pathlib import Path

import pytest
from pydantic import BaseModel

from twostream import paths
from twostream.files import UserError
from twostream.provenance import LONG_AGO, spec_file
from twostream.records import read_record, recorded
from twostream.steps import Step


class Recipe(BaseModel):
    """What a step is made by, for tests."""

    value: int


def step(output: str, value: int = 0, made_from: tuple[Step, ...] = ()) -> Step:
    return Step("make_table", Recipe(value=value), [output], list(made_from))


def make(of: Step) -> None:
    """Write a step's artefact and its record, as its job would."""
    with recorded(of.outputs[0], of.recipe.model_dump(), of.whole_spec):
        Path(of.outputs[0]).write_text("content")


def is_stale(of: Step) -> bool:
    """Whether Snakemake finds the spec file newer than the artefact."""
    return time_of(spec_file(of.outputs[0], of)) > time_of(of.outputs[0])


def time_of(file: str) -> float:
    return Path(file).stat().st_mtime


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_artefact_is_current_while_its_spec_is_its_records():
    make(step("a.bin"))
    assert not is_stale(step("a.bin"))
    assert is_stale(step("a.bin", value=1))
    assert is_stale(step("a.bin", made_from=(step("b.bin"),)))


def test_an_artefact_without_a_record_is_stale():
    make(step("a.bin"))
    Path("a.record.json").unlink()
    assert is_stale(step("a.bin"))


def test_an_artefact_from_a_clock_that_is_ahead_can_be_stale():
    make(step("a.bin"))
    os.utime("a.bin", (2e9, 2e9))
    assert is_stale(step("a.bin", value=1))


def test_a_stale_artefacts_spec_file_never_has_the_same_content_and_a_job_can_read_it():
    make(step("a.bin"))
    stale = step("a.bin", 1, (step("b.bin"),))
    contents = [Path(spec_file("a.bin", stale)).read_text() for _ in range(3)]
    assert len(set(contents)) == 3
    assert json.loads(contents[0])["made_from"] == {"b.bin": step("b.bin").spec}


def test_records_and_spec_files_of_what_is_current_are_older_than_all_and_artefacts_left_alone():
    made = step("a.bin")
    make(made)
    os.utime("a.bin", (300, 300))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twostream.provenance.sha256", lambda file: read_record(file)["files"][file]["sha256"])
        file = spec_file("a.bin", made)
    assert time_of(file) == time_of(paths.record("a.bin")) == LONG_AGO
    assert time_of("a.bin") == 300


def test_a_record_that_is_a_link_into_a_cache_is_replaced_and_the_cache_left_alone():
    make(step("a.bin"))
    cached = Path("cached")
    Path("a.record.json").rename(cached)
    os.utime(cached, (300, 300))
    for link in (os.link, os.symlink):
        Path("a.record.json").unlink(missing_ok=True)
        link(cached, "a.record.json")
        assert not is_stale(step("a.bin"))
        assert cached.stat().st_mtime == 300
        assert Path("a.record.json").read_text() == cached.read_text()


def test_an_artefact_is_stale_that_was_made_from_other_bytes():
    first, second = step("a.bin"), step("b.bin", made_from=(step("a.bin"),))
    make(first)
    make(second)
    assert not is_stale(second)
    with recorded("a.bin", first.recipe.model_dump(), first.whole_spec):
        Path("a.bin").write_text("as another GPU makes it")
    assert is_stale(second)
    # What is not here tells nothing.
    Path("a.record.json").unlink()
    assert not is_stale(second)


def test_an_artefact_is_stale_without_what_was_written_with_it():
    made = step("a.bin")
    with recorded("a.bin", made.recipe.model_dump(), made.whole_spec):
        Path("a.bin").write_text("content")
        Path("a.csv").write_text("curve")
    assert not is_stale(made)
    Path("a.csv").write_text("another")
    with pytest.raises(UserError, match=r"^a\.csv: is not what the record says"):
        is_stale(made)
    Path("a.csv").unlink()
    assert is_stale(made)


def test_a_file_that_only_lies_beside_is_none_of_an_artefacts():
    Path("a.txt").write_text("notes")
    made = step("a.bin")
    make(made)
    Path("a.txt").unlink()
    assert not is_stale(made)


def test_what_is_missing_is_not_told_to_be_needed():
    made = step("a.bin")
    make(made)
    Path("a.bin").unlink()
    assert time_of(spec_file("a.bin", made)) == time_of("a.record.json") == LONG_AGO


def test_a_touched_artefact_is_current_and_a_changed_one_refused(monkeypatch):
    made = step("a.bin")
    make(made)
    os.utime("a.bin", (200, 200))
    assert not is_stale(made)
    monkeypatch.setattr("twostream.provenance.sha256", lambda file: pytest.fail("it was hashed before"))
    assert not is_stale(made)


def test_a_changed_artefact_is_refused():
    made = step("a.bin")
    make(made)
    Path("a.bin").write_text("changed")
    with pytest.raises(UserError, match=r"^a\.bin: is not what the record says"):
        is_stale(made)


def test_a_record_that_cannot_be_read_is_named():
    make(step("a.bin"))
    Path("a.record.json").write_text("{")
    with pytest.raises(UserError, match=r"^a\.record\.json: cannot be read"):
        is_stale(step("a.bin"))


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("data/videos/ucf101.csv", [("videos", {"dataset": "ucf101"})]),
        ("data/videos/ucf101.skipped.csv", []),
        (
            "scores/fused/flow-average/one-split2-seed10.npz",
            [("fuse_streams", {"fusion": "flow-average", "dataset": "one", "split": "2", "seed": "10"})],
        ),
        ("models/temporal/flow-10/one-split1-seed0.csv", []),
    ],
)
def test_an_artefact_is_told_by_its_path(file, read):
    assert list(paths.read(file)) == read

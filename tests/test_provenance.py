"""What records say of artefacts, told in times of files."""

import json
import os
from pathlib import Path

import pytest
from conftest import ROOT
from pydantic import BaseModel

from twostream import paths
from twostream.files import UserError, sha256
from twostream.plan import Step
from twostream.provenance import Provenance


class Recipe(BaseModel):
    """What a step is made by, for tests."""

    value: int


def step(output: str, value: int = 0, made_from: tuple[Step, ...] = ()) -> Step:
    return Step("make_table", Recipe(value=value), [output], list(made_from))


def make(of: Step, time: float) -> None:
    """Write a step's artefact, a companion, and its record, as its job would at that time."""
    file = Path(of.outputs[0])
    file.write_text("content")
    Path(paths.record(file)).write_text(json.dumps({"spec": of.spec, "sha256": sha256(file)}))
    file.with_suffix(".csv").write_text("companion")
    for path in Path().glob(f"{file.stem}.*"):
        os.utime(path, (time, time))


def is_stale(of: Step) -> bool:
    marker = Path(Provenance().marker(of.outputs[0], of))
    return marker.stat().st_mtime > Path(of.outputs[0]).stat().st_mtime


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert (ROOT / "scripts/make_table.py").exists()  # whose code the specs cover
    return tmp_path


def test_an_artefact_is_current_while_its_spec_is_its_records():
    make(step("a.bin"), 100)
    assert not is_stale(step("a.bin"))
    assert is_stale(step("a.bin", value=1))
    assert is_stale(step("a.bin", made_from=(step("b.bin"),)))


def test_an_artefact_without_a_record_is_stale():
    make(step("a.bin"), 100)
    Path("a.record.json").unlink()
    assert is_stale(step("a.bin"))


def test_the_marker_of_a_stale_artefact_never_has_the_same_content():
    make(step("a.bin"), 100)
    contents = {Path(Provenance().marker("a.bin", step("a.bin", 1))).read_text() for _ in range(3)}
    assert len(contents) == 3


def test_a_current_artefact_is_made_no_older_than_what_it_is_made_from():
    first = step("a.bin")
    second = step("b.bin", made_from=(first,))
    third = step("c.bin", made_from=(second,))
    for made, time in ((first, 300), (second, 200), (third, 100)):
        make(made, time)
    assert not is_stale(third)
    times = [min(f.stat().st_mtime for f in Path().glob(f"{name}.*")) for name in "abc"]
    assert times == sorted(times) and times[0] == 300
    before = [Path(f"{name}.bin").stat().st_mtime for name in "abc"]
    assert not is_stale(third)
    assert before == [Path(f"{name}.bin").stat().st_mtime for name in "abc"]


def test_a_touched_artefact_is_current_and_a_changed_one_refused():
    made = step("a.bin")
    make(made, 100)
    os.utime("a.bin", (200, 200))
    assert not is_stale(made)
    assert Path("a.bin").stat().st_mtime == 100
    Path("a.bin").write_text("changed")
    with pytest.raises(UserError, match=r"^a\.bin: is not what its record says"):
        is_stale(made)


def test_a_record_that_cannot_be_read_is_named():
    make(step("a.bin"), 100)
    Path("a.record.json").write_text("{")
    with pytest.raises(UserError, match=r"^a\.record\.json: cannot be read"):
        is_stale(step("a.bin"))

"""What records tell of artefacts."""

import json
import os
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from pydantic import BaseModel

from twostream import paths
from twostream.files import UserError, write_json
from twostream.provenance.explanation import why_stale
from twostream.provenance.records import read_record, recorded, run_of
from twostream.provenance.staleness import Seen, check_unchanged, is_current
from twostream.provenance.steps import Step


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
    """Whether a step's artefact is stale; if not, it must be what its record says."""
    artefact = of.outputs[0]
    current = is_current(artefact, of.spec)
    if current:
        check_unchanged(artefact)
    assert current == (not why_stale(artefact, of))
    return not current


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


def test_a_touched_artefact_is_current_and_hashed_once(monkeypatch):
    made = step("a.bin")
    make(made)
    os.utime("a.bin", (200, 200))
    seen = Seen()
    seen.check("a.bin")
    seen.save()
    monkeypatch.setattr(
        "twostream.provenance.staleness.sha256", lambda file: pytest.fail("it was hashed before")
    )
    Seen().check("a.bin")


def test_a_changed_artefact_is_refused():
    made = step("a.bin")
    make(made)
    Path("a.bin").write_text("changed")
    with pytest.raises(UserError, match=r"^a\.bin: is not what the record says"):
        is_stale(made)


WHOLE = {"spec": "x", "recipe": {}, "made_from": {}, "files": {}}
ODD_RECORDS = [
    "{",
    "[]",
    '{"spec": "x"}',
    *(
        json.dumps(WHOLE | part)
        for part in (
            {"form": "2"},
            {"files": []},
            {"files": {"a.bin": {}}},
            {"made_from": {"b.bin": "x"}},
            {"files": {"../other": {"sha256": "", "size": 1, "mtime_ns": 1}}},
        )
    ),
]


def test_a_record_that_cannot_be_read_is_named():
    make(step("a.bin"))
    for content in ODD_RECORDS:
        Path("a.record.json").write_text(content)
        with pytest.raises(
            UserError, match=r"^a\.record\.json: cannot be read .*delete both to have a\.bin made"
        ):
            is_stale(step("a.bin"))
        assert Path("a.record.json").read_text() == content


def test_a_record_from_a_newer_version_is_named_and_kept():
    make(step("a.bin"))
    record = json.loads(Path("a.record.json").read_text())
    Path("a.record.json").write_text(json.dumps(record | {"form": 99}))
    with pytest.raises(UserError, match=r"written by a newer version .*form 99.*update the code"):
        is_stale(step("a.bin"))


def test_what_a_record_needs_is_found_out_before_the_work_begins(monkeypatch):
    """Whatever distribution OpenCV came in, and whatever is not installed."""

    def version(name: str) -> str:
        if name != "opencv-contrib-python":
            raise PackageNotFoundError(name)
        return "4.14"

    monkeypatch.setattr("twostream.provenance.environment.version", version)
    make(step("a.bin"))
    found = run_of("a.bin", read_record("a.bin"))["versions"]
    assert found.keys() == {"python", "opencv-contrib-python"}
    Path("no folder").write_text("a file")
    with pytest.raises(UserError, match="cannot be made"), recorded("no folder/a.bin", {}):
        pytest.fail("the work has begun")


def test_reasons_are_said_in_words():
    first, second = step("a.bin"), step("b.bin", made_from=(step("a.bin"),))
    make(first)
    make(second)
    assert why_stale("a.bin", first) == why_stale("b.bin", second) == []
    assert why_stale("a.bin", step("a.bin", 1)) == ["value 0 -> 1"]
    downstream = step("b.bin", made_from=(step("a.bin", 1),))
    assert why_stale("b.bin", downstream) == ["made from what is stale a.bin"]
    assert why_stale("c.bin", step("c.bin")) == ["is missing"]
    Path("d.bin").touch()
    assert why_stale("d.bin", step("d.bin")) == ["has no record"]
    with recorded("a.bin", first.recipe.model_dump(), first.whole_spec):
        Path("a.bin").write_text("as another GPU makes it")
    assert why_stale("b.bin", second) == ["made from another a.bin"]


def test_a_changed_module_is_named_and_a_moved_one_is_not():
    make(step("a.bin"))
    record = json.loads(Path("a.record.json").read_text())
    code = dict(record["code"])
    code["twostream/elsewhere.py"] = code.pop("twostream/results/tables.py")
    write_json("a.record.json", record | {"code": code})
    assert why_stale("a.bin", step("a.bin")) == []
    write_json(
        "a.record.json", record | {"spec": "x", "code": code | {"twostream/scores/score_file.py": "other"}}
    )
    assert why_stale("a.bin", step("a.bin")) == ["code of twostream/scores/score_file.py"]


def test_another_entry_of_a_table_is_told_by_its_key():
    make(Step("make_table", Recipe(value=0), ["a.bin"], settled={"kind": {"scale": 2.0, "signs": (1, 1)}}))
    other = Step("make_table", Recipe(value=0), ["a.bin"], settled={"kind": {"scale": 3.0, "signs": (1, 1)}})
    assert is_stale(other) and why_stale("a.bin", other) == ["kind.scale 2.0 -> 3.0"]


def test_a_new_key_with_its_default_changes_nothing():
    class Later(Recipe):
        added: int = 3

    make(step("a.bin"))
    later = Step("make_table", Later(value=0), ["a.bin"])
    assert not is_stale(later)
    other = Step("make_table", Later(value=0, added=4), ["a.bin"])
    assert is_stale(other) and why_stale("a.bin", other) == ["added (none) -> 4"]


def test_an_item_that_is_put_into_a_list_is_told_alone():
    class Row(BaseModel):
        row: str
        paper: float | None
        note: str = ""

    class Rows(BaseModel):
        rows: list[Row]

    def rows_of(*rows: Row) -> Step:
        return Step("make_table", Rows(rows=list(rows)), ["a.bin"])

    one, two, three = (
        Row(row=f"L = {length}", paper=paper) for length, paper in ((1, 73.9), (5, 80.4), (3, None))
    )
    make(rows_of(one, two))
    record = json.loads(Path("a.record.json").read_text())
    # As it was before there was a note.
    record["recipe"] = {
        "rows": [{key: row[key] for key in ("row", "paper")} for row in record["recipe"]["rows"]]
    }
    write_json("a.record.json", record)
    assert why_stale("a.bin", rows_of(one, two)) == []
    assert why_stale("a.bin", rows_of(one, three, two)) == ["rows: also row L = 3"]
    assert why_stale("a.bin", rows_of(two)) == ["rows: no longer paper 73.9, row L = 1"]
    changed = two.model_copy(update={"paper": 80.5, "note": "a"})
    assert why_stale("a.bin", rows_of(one, changed)) == [
        "rows.1.paper 80.4 -> 80.5",
        "rows.1.note (none) -> a",
    ]


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("data/videos/ucf101.csv", [("index", {"dataset": "ucf101"})]),
        ("data/videos/ucf101.skipped.csv", []),
        (
            "scores/fused/flow-average/one-split2-seed10.npz",
            [("fuse_streams", {"fusion": "flow-average", "dataset": "one", "split": "2", "seed": "10"})],
        ),
        ("models/temporal/flow-10/one-split1-seed0.csv", []),
    ],
)
def test_an_artefact_is_told_by_its_path(file, read):
    assert list(paths.parse_path(file)) == read

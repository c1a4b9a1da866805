"""Numbers in documents: published from results/ by scale, and written into documents from there."""

import json
import re
import shutil
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import print_tables
import pytest
import write_documents
from conftest import ROOT
from docutils.core import publish_parts

from twostream import paths
from twostream.config.loading import load_config
from twostream.files import UserError, sha256, write_json
from twostream.plan.plan import Plan
from twostream.plan.publishing import publish
from twostream.results.documents import COMPUTED, PUBLISHED, documents, with_results
from twostream.results.formatting import arithmetic_note, as_markdown
from twostream.results.pages import page
from twostream.results.trainings import guessing_note, videos_note

TABLE = """\
row,setting,paper_dataset,paper,our_dataset,ours,sd,mean_class,top5,nll,ece,interval_low,interval_high,test_videos,seeds,run
Both,averaging,UCF-101,85.6,demo_a,80.46,,79.9,99.1,0.71,4.2,74.74,85.61,312,1,flow-average
Both,SVM,UCF-101,87,demo_a,89.06,1.25,88.8,99.5,0.5,3.1,84.9,93.02,312,3,multitask-svm
IDT,,UCF-101,85.9,,,,,,,,,,,,cited: Wang & Schmid 2013
"""
SHOWN = """\
|  | paper | ours | 95% interval | our data | run |
| --- | ---: | ---: | ---: | ---: | --- |
| Both, averaging, UCF-101 | 85.6 | 80.5 | 74.7 to 85.6 | demo_a | flow-average |
| Both, SVM, UCF-101 | 87.0 | 89.1 ± 1.2 | 84.9 to 93.0 | demo_a | multitask-svm |
| IDT, UCF-101 | 85.9 | - | - | - | cited: Wang & Schmid 2013 |
"""
CLAIMS = """\
number,claim,claim_verdict,paper_splits,splits,paper_difference,paper_within_error,difference
1,Pre-training helps,holds in the model,1,1,28.3,False,36.2
1,Pre-training helps,holds in the model,1,1,20.5,False,-1.04
2,Both beat each,undecided at this sample size,1,1,0.5,True,4
2,Both beat each,undecided at this sample size,1,1,3.2,False,5
2,Both beat each,undecided at this sample size,1,1,7,False,45.1
2,Both beat each,undecided at this sample size,1,1,18.9,False,12.5
2,Both beat each,undecided at this sample size,1,1,9,False,3
"""
CLAIMS_SHOWN = """\
|  | paper | ours | verdict |
| --- | ---: | ---: | --- |
| 1. Pre-training helps | +28.3; +20.5 | +36.2; -1.0 | holds in the model |
| 2. Both beat each | +0.5 to +18.9 | +3.0 to +45.1 | undecided at this sample size |

Of the paper's own 7 differences 1 are within the sampling error of its test set, by claim: 2 (1).
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder that a test works in: a configuration, and published tables of three scales."""
    monkeypatch.chdir(tmp_path)
    for given in ("config", "workflow/report"):
        shutil.copytree(ROOT / given, given)
    shown = {"demo": TABLE, "small": TABLE, "paper": TABLE.replace("demo_a", "ucf101")}
    for scale, text in shown.items():
        (PUBLISHED / scale).mkdir(parents=True)
        (PUBLISHED / scale / "table3.csv").write_text(text)
        (PUBLISHED / scale / "claims.csv").write_text(CLAIMS)
        write_json(PUBLISHED / scale / COMPUTED, {"arithmetic": ["portable"]})
    return tmp_path


def document(marker: str, between: str = "") -> str:
    return f"Before.\n\n<!-- results: {marker} -->\n{between}<!-- end -->\n\nAfter.\n"


def test_documents_hold_what_is_published(monkeypatch):
    """Else call `python scripts/write_documents.py`; it names what is not published yet."""
    monkeypatch.chdir(ROOT)
    differ = [file for file in documents() if with_results(file.read_text(), str(file)) != file.read_text()]
    assert differ == []


@pytest.mark.parametrize(
    ("marker", "shown"),
    [
        ("demo/table3", SHOWN),
        ("paper/table3", SHOWN.replace("demo_a", "ucf101")),
        ("demo/claims", CLAIMS_SHOWN),
    ],
)
def test_what_is_published_is_written_between_markers_once(folder, marker, shown):
    written = with_results(document(marker, "| old | 99.9 |\n"), "README.md")
    assert written == document(marker, f"\n{shown}\n")
    assert with_results(written, "README.md") == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\n<!-- results: demo/table9 -->\n<!-- end -->\n",
            "A.md:2: docs/results/demo/table9.csv: is missing",
        ),
        ("<!-- results: mine/table3 -->\n<!-- end -->\n", "A.md:1: docs/results/mine/table3.csv: is missing"),
        (
            "<!-- result: demo/table3 -->\n<!-- end -->\n",
            "A.md:1: <!-- result: demo/table3 -->: is no marker",
        ),
        ("<!-- results: demo/table3 -->\n\n", "A.md:1: lacks its `<!-- end -->`"),
        (
            "<!-- results: demo/table3 -->\n<!-- results: demo/claims -->\n<!-- end -->\n",
            "A.md:1: lacks its `<!-- end -->` before line 2",
        ),
        ("a\n\n<!-- end -->\n", "A.md:3: nothing begins before this end"),
        ("<!-- results: demo/empty -->\n<!-- end -->\n", "A.md:1: docs/results/demo/empty.csv: has no rows"),
        (
            "<!-- results: demo/other -->\n<!-- end -->\n",
            "A.md:1: docs/results/demo/other.csv: cannot be shown",
        ),
    ],
)
def test_what_cannot_be_written_is_named_with_file_and_line(folder, text, message):
    (PUBLISHED / "demo/empty.csv").write_text(TABLE.partition("\n")[0] + "\n")
    (PUBLISHED / "demo/other.csv").write_text("row,ours\nBoth,80\n")
    with pytest.raises(UserError) as raised:
        with_results(text, "A.md")
    assert str(raised.value).startswith(message)


def test_the_reports_front_page_shows_a_table_as_it_is(folder):
    written = with_results("Before.\n\n.. results: demo/table3\n.. end\n\nAfter.\n", "front.rst")
    assert with_results(written, "front.rst") == written
    shown = publish_parts(written, writer="html5")["body"]
    cells = [cell.findtext("p") for cell in ElementTree.fromstring(f"<a>{shown}</a>").iter("td")]
    assert cells[:6] == ["Both, averaging, UCF-101", "85.6", "80.5", "74.7 to 85.6", "demo_a", "flow-average"]
    assert cells[-3:] == ["-", "-", "cited: Wang & Schmid 2013"]
    assert "<p>Before.</p>" in shown and "<p>After.</p>" in shown


def test_documents_are_written_all_or_none(folder, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["write_documents.py"])
    readme, other = Path("README.md"), Path("docs/more.md")
    readme.write_text(document("demo/table3"))
    other.write_text(document("demo/gone"))
    with pytest.raises(UserError, match=r"docs/more.md:3: docs/results/demo/gone.csv: is missing"):
        write_documents.main()
    assert readme.read_text() == document("demo/table3")
    other.write_text("Nothing here.\n")
    write_documents.main()
    assert readme.read_text() == document("demo/table3", f"\n{SHOWN}\n")


def test_markdown_shows_a_text_as_it_is_and_headings_within_a_table():
    rows = [("", "a", "b"), ("A heading",), ("x|y *z* <b>", "+1.0", "> a\nlittle")]
    assert as_markdown(rows).split("\n") == [
        "|  | a | b |",
        "| --- | ---: | --- |",
        "| **A heading** |  |  |",
        r"| x\|y \*z\* \<b> | +1.0 | > a little |",
    ]


def made(scale: str, mark: str, more: Sequence[str] = (), **changes: object) -> Plan:
    """The plan of a scale, with results made by hand in results/, and records of its specs beside them.

    They are of a GPU's, as there is nothing here that they could have been made from.
    """
    plan = Plan(load_config(overrides={"scale": scale}))
    for step in [*plan.results(), *filter(None, map(plan.step_of, more))]:
        (file,) = step.outputs
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(f"row,ours\n{mark},1\n")
        state = {"sha256": sha256(file), "size": Path(file).stat().st_size}
        content = {"form": 3, "spec": step.spec, "made_from": {}, "files": {file: state}, "device": "cpu"}
        recipe = step.recipe.model_dump(mode="json")
        how = {"recipe": recipe, "settled": {}, "code": {}, "arithmetic": ["cuda"]}
        record = content | how | changes
        write_json(paths.record(file), {key: value for key, value in record.items() if value is not None})
    return plan


def published(scale: str) -> dict[str, str]:
    return {file.name: file.read_text() for file in (PUBLISHED / scale).iterdir()}


def test_a_scale_is_published_whole_and_another_left_as_it_is(folder):
    before = published("demo")
    (PUBLISHED / "paper/gone.csv").write_text("of a table that is no more")
    publish(made("paper", "full"), PUBLISHED / "paper")
    tables = [f"table{number}.csv" for number in ("1a", "1b", "2", "3", "4")]
    said = published("paper")
    assert json.loads(said.pop(COMPUTED)) == {"arithmetic": ["cuda"]}
    assert said == dict.fromkeys([*tables, "claims.csv", "protocols.csv"], "row,ours\nfull,1\n")
    assert published("demo") == before
    paper = published("paper")
    publish(made("demo", "model"), PUBLISHED / "demo")
    assert published("paper") == paper and published("demo")["table3.csv"] == "row,ours\nmodel,1\n"
    assert {file.name for file in PUBLISHED.iterdir()} == {"demo", "paper", "small"}


def test_a_table_that_was_asked_for_is_published_and_shown_as_long_as_it_is_here(folder):
    asked_for = "results/streams.csv"
    plan = made("demo", "model", more=[asked_for])
    assert "streams" in plan.pages_shown() and "probes" not in plan.pages_shown()
    publish(plan, PUBLISHED / "demo")
    assert published("demo")["streams.csv"] == "row,ours\nmodel,1\n"
    Path(asked_for).write_text("row,ours\nmodel,99\n")
    assert refused(plan).startswith(f"{asked_for}: is not what the record says")
    Path(asked_for).unlink()
    publish(plan, PUBLISHED / "demo")
    assert "streams.csv" not in published("demo") and "streams" not in plan.pages_shown()


def refused(plan: Plan) -> str:
    before = published("demo")
    with pytest.raises(UserError) as raised:
        publish(plan, PUBLISHED / "demo")
    assert published("demo") == before
    return str(raised.value)


def test_what_is_missing_stale_or_edited_is_refused_by_name(folder):
    plan = made("demo", "model")
    Path("results/table2.csv").unlink()
    record = Path(paths.record("results/claims.csv"))
    content = json.loads(record.read_text())
    content["recipe"]["verdicts"]["marginal"] = 3.0
    write_json(record, content | {"spec": "other"})
    said = refused(plan)
    assert "results/table2.csv: is missing" in said
    assert "results/claims.csv: is not current: verdicts.marginal 3.0 -> 2.0" in said
    assert "table3" not in said

    plan = made("demo", "model")
    Path("results/table3.csv").write_text("row,ours\nmodel,99\n")
    assert refused(plan).startswith("results/table3.csv: is not what the record says")


def test_results_of_another_scale_are_refused_with_its_name(folder):
    made("paper", "full")
    said = refused(Plan(load_config(overrides={"scale": "demo"})))
    assert "results/table3.csv: is of the scale paper, not of demo" in said


def test_what_is_portable_is_published_with_all_that_it_was_made_from_or_not_at_all(folder):
    assert "is not here whole" in refused(made("demo", "model", arithmetic=["portable"]))


def test_documents_label_what_was_computed_otherwise(folder):
    publish(made("demo", "model", arithmetic=["native", "portable"]), PUBLISHED / "demo")
    (PUBLISHED / "demo/table3.csv").write_text(TABLE)
    written = with_results(document("demo/table3"), "README.md")
    assert written == document("demo/table3", f"\n{SHOWN}\n{NOTE}\n\n")


def made_of(file: str, *origins: str, **facts: object) -> None:
    """The record of a file that was made from others."""
    state = {"sha256": "0" * 64, "size": 0}
    content = {
        "form": 3,
        "spec": "a",
        "recipe": {"schedule": {"iterations": 2000}},
        "made_from": {origin: {"spec": "a", "sha256": "0" * 64} for origin in origins},
        "files": {file: state},
    }
    write_json(paths.record(file), content | facts)


def test_models_that_did_not_learn_are_named_where_their_numbers_are_shown(folder):
    made_of("results/table3.csv", "scores/a.npz")
    made_of("scores/a.npz", "models/a.safetensors")
    made_of("models/a.safetensors", "models/b.safetensors")
    made_of("models/b.safetensors")
    assert guessing_note(["results/table3.csv"]) == ""
    made_of("models/b.safetensors", no_better_than_guessing=1500)
    named = " 1. The latest got better than guessing by iteration 1,500 of 2,000: models/b.safetensors."
    assert guessing_note(["results/table3.csv", "results/table3.csv"]).endswith(named)
    assert named in page("Table 3", "A note.", [("", "ours"), ("Both", "80.5")], "results/table3.csv")


def test_odd_videos_are_named_where_their_numbers_are_shown(folder):
    made_of("results/table3.csv", "scores/a.npz")
    made_of("scores/a.npz", "data/frames/a/0.zip", "data/flow/a/forward/0.zip")
    made_of("data/frames/a/0.zip", all_frames_equal=[], damaged={})
    assert videos_note(["results/table3.csv"]) == ""
    made_of("data/frames/a/0.zip", all_frames_equal=["b.avi", "a.avi"], damaged={"c.avi": "packets"})
    made_of("data/flow/a/forward/0.zip", at_the_bound_percent=1.5)
    said = videos_note(["results/table3.csv"])
    assert "all their frames are equal: a.avi, b.avi." in said and "is damaged" in said and ": c.avi." in said
    assert "up to 1.5% of a shard" in said
    made_of("scores/a.npz", "data/videos/a.csv", "data/frames/a/0.zip", "data/flow/a/forward/0.zip")
    made_of("data/videos/a.csv", videos=1188, skipped=12)
    said = videos_note(["results/table3.csv"])
    assert said.startswith("Left out of a: 12 of 1,200 listed videos.")
    made_of("data/videos/a.csv", videos=1188, skipped=12, not_had=10)
    said = videos_note(["results/table3.csv"])
    assert said.startswith("Left out of a: 12 of 1,200 listed videos (10 could not be had).")
    assert escape(said) in page("Table 3", "A note.", [("", "ours"), ("Both", "80.5")], "results/table3.csv")


NOTE = "Computed in: native, portable. Bytes are comparable with the published ones where all is portable."


def test_tables_that_mix_arithmetics_are_labelled_and_others_are_not(folder, capsys):
    assert arithmetic_note(["portable"]) == ""
    assert arithmetic_note(["native", "portable"]) == NOTE
    for arithmetic, labelled in ((["portable"], False), (["native", "portable"], True)):
        made("demo", "model", arithmetic=arithmetic)
        rows = [("", "ours", ""), ("Both", "80.5", "")]
        print_tables.show(
            print_tables.Shown("Table 3", "results/table3.csv", lambda _, rows=rows: rows), None
        )
        assert (NOTE in capsys.readouterr().out.split("\n")) == labelled
        shown = page("Table 3", "A note.", [("", "ours"), ("Both", "80.5")], "results/table3.csv")
        assert (f"<p>{NOTE}</p>" in shown.replace(' class="note"', "")) == labelled


DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "config/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / ".github/pull_request_template.md",
]


def anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            file = document.parent / path if path else document
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target

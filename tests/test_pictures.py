"""The pictures of the documents: the pipeline is that of the present rules, bars have the scores' widths."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import write_pictures
from conftest import ROOT

from twostream import paths
from twostream.figures.pipeline import draw_pipeline
from twostream.figures.pipeline_layout import Box
from twostream.figures.said import KINDS, Shot, answers, draw_said
from twostream.figures.sheet import BLUE
from twostream.files import UserError, sha256
from twostream.plan.demo_picture import shown
from twostream.plan.pipeline import boxes
from twostream.scores.score_file import Scores

PICTURES = ROOT / "docs/pictures"
# Rules with a script, and those that are another's but for what they read and write.
RULES = {
    rule
    for file in (ROOT / "workflow/rules").glob("*.smk")
    for rule in re.findall(r"^(?:rule|use rule \w+ as) (\w+)(?: with)?:", file.read_text(), re.M)
}
SVG = "{http://www.w3.org/2000/svg}"


def test_the_pipeline_in_the_documents_is_that_of_the_rules(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert (PICTURES / "pipeline.svg").read_text() == draw_pipeline(boxes()), (
        "call python scripts/write_pictures.py"
    )


def test_each_rule_that_makes_an_artefact_is_in_the_picture(monkeypatch):
    monkeypatch.chdir(ROOT)
    drawn = boxes()
    assert {rule for box in drawn for rule in box.rules} == RULES - {"report_pages"} > {"extract_other_flow"}
    picture = ElementTree.fromstring(draw_pipeline(drawn))
    (told,) = (element.text for element in picture.iter(f"{SVG}desc"))
    assert all(re.search(rf"\b{rule}\b", told) for box in drawn for rule in box.rules)
    names = [text.text for text in picture.iter(f"{SVG}text") if "name" in text.get("class", "")]
    assert {*paths.ARTEFACTS} - {"index"} - {*names} == {rule for rule in RULES if "plot_" in rule}
    assert len(names) == len(drawn) == len(set(names))


def test_arrows_and_jobs_are_those_of_the_plan(monkeypatch):
    monkeypatch.chdir(ROOT)
    by_name = {box.name: box for box in boxes()}
    assert by_name["fuse_streams"].made_from == ("score_videos",)
    assert {"pretrain", "import_weights", "extract_flow"} < set(by_name["train_stream"].made_from)
    assert by_name["write_report"].jobs == 1 and not by_name["import_weights"].jobs
    assert {box.jobs for box in by_name.values() if box.name.startswith("plot_")} == {6}


def two(**changes) -> list[Box]:
    source = Box("extract_flow", ("extract_flow",), "data/flow", 2, ())
    return [source, replace(Box("pretrain", ("pretrain",), "models", 1, ("extract_flow",)), **changes)]


def test_boxes_are_drawn_with_what_they_read_and_an_arrow_from_it():
    picture = draw_pipeline(two())
    said = re.findall(r"<text.*?>(.*?)</text>", picture)
    for line in ("extract_flow", "2 jobs", "pretrain", "1 job", "reads flow", "Networks"):
        assert line in said
    assert "Report" not in said and picture.count('class="arrow"') == 1
    assert "asked for" in "".join(re.findall(r"<text.*?>(.*?)</text>", draw_pipeline(two(jobs=0))))
    assert draw_pipeline(two(made_from=())).count('class="arrow"') == 0


def test_a_way_that_leads_through_others_is_drawn_once():
    table = Box("make_table", ("make_table",), "results", 1, ("extract_flow", "pretrain"))
    assert draw_pipeline([*two(), table]).count('class="arrow"') == 2
    alone = replace(table, made_from=("extract_flow",))
    assert draw_pipeline([*two(), alone]).count('class="arrow"') == 2


def test_a_rule_with_a_folder_of_its_own_is_told():
    with pytest.raises(UserError, match="films: no row"):
        draw_pipeline(two(folder="films"))


def scores_of(rows: list[list[float]]) -> Scores:
    videos = np.array(["v0", "v1", "v2", "v3"])
    of_four = {"parts": np.array(["test"] * 4), "groups": np.array(["g"] * 4)}
    labels = np.array([0, 0, 1, 2])
    return Scores(videos, labels, **of_four, scores=np.array(rows), classes=np.array(["a", "b", "c", "d"]))


# v0 and v1 are of class a, v2 of b, v3 of c.
SPATIAL = scores_of([[0.38, 0.4, 0.12, 0.1], [0.38, 0.4, 0.12, 0.1], [0.5, 0.3, 0.2, 0], [0, 0.1, 0.8, 0.1]])
TEMPORAL = scores_of([[0.4, 0, 0.5, 0.1], [0.4, 0, 0.5, 0.1], [0, 0.7, 0.2, 0.1], [0, 0.5, 0.4, 0.1]])
FUSION = replace(SPATIAL, scores=(SPATIAL.scores + TEMPORAL.scores) / 2)
SAID = {"spatial": SPATIAL, "temporal": TEMPORAL, "fusion": FUSION}


def test_a_video_of_each_kind_is_shown():
    found = answers(SAID)
    assert [(a.kind, a.alike, a.tested, a.video, a.actual) for a in found] == [
        (kind, alike, 4, video, name)
        for kind, (alike, video, name) in zip(
            KINDS, [(2, "v0", "a"), (1, "v2", "b"), (1, "v3", "c")], strict=True
        )
    ]
    assert found[0].top["spatial"] == [("b", 0.4), ("a", 0.38), ("c", 0.12)]
    only = answers({"spatial": SPATIAL, "temporal": SPATIAL, "fusion": SPATIAL})
    assert only == []


def test_bars_have_the_scores_widths_and_the_right_class_is_marked():
    found = answers(SAID)
    pictures = [Shot(np.zeros((6, 8, 3), np.uint8), np.zeros((6, 8, 3), np.uint8))] * len(found)
    figure = draw_said("Title", ["A note."], found, pictures)
    # A row's axes: frame, flow, and a system each.
    first = figure.axes[2:5]
    shown = [[label.get_text() for label in axes.get_yticklabels()] for axes in first]
    assert shown == [["b", "a", "c"], ["c", "a", "d"], ["a", "c", "b"]]
    widths = [[bar.get_width() for bar in axes.patches] for axes in first]
    assert np.allclose(widths, [[0.4, 0.38, 0.12], [0.5, 0.4, 0.1], [0.39, 0.31, 0.2]])
    assert [label.get_color() == BLUE for label in first[0].get_yticklabels()] == [False, True, False]
    assert [[text.get_text() for text in axes.texts] for axes in first] == [
        ["40%", "38%", "12%"],
        ["50%", "40%", "10%"],
        ["39% ✓", "31%", "20%"],
    ]
    assert len({axes.get_xlim() for axes in figure.axes if axes.texts}) == 1


def test_the_picture_in_the_documents_is_the_one_that_is_described(monkeypatch):
    monkeypatch.chdir(ROOT)
    origin = json.loads((PICTURES / "demo.json").read_text())
    assert origin["sha256"] == sha256(PICTURES / "demo.png")
    assert {*origin["scores"]} == {step.outputs[0] for step in shown().scores.values()}


def test_without_a_run_the_pipeline_alone_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("config", "workflow"):
        (tmp_path / name).symlink_to(ROOT / name)
    # What was asked for by itself is no part of the picture.
    (tmp_path / "results").mkdir()
    (tmp_path / "results/probes.csv").touch()
    monkeypatch.setattr("sys.argv", ["write_pictures.py"])
    write_pictures.main()
    (written,) = (tmp_path / "docs/pictures").iterdir()
    assert written.read_bytes() == (PICTURES / "pipeline.svg").read_bytes()
    assert "is not here, or stale" in capsys.readouterr().out

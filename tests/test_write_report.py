"""The report: every number on it against the files it is made from, and the page in a browser."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT

from twostream import paths
from twostream.config.benchmark import Interval
from twostream.config.loading import load_config
from twostream.config.recipes import (
    FusionWeightFigureRecipe,
    PageRecipe,
    ReportRecipe,
    WeighedFusion,
)
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter, Store
from twostream.figures.confusion import predictions
from twostream.figures.curves import all_curves
from twostream.figures.fusion_weight import weight_table
from twostream.figures.recall import recall_table, written_columns
from twostream.files import UserError
from twostream.plan import report as plan_report
from twostream.plan.plan import Plan
from twostream.plan.results import Results
from twostream.report import videos
from twostream.report.lines import ticks
from twostream.report.page import Given, report
from twostream.results.accuracy import bootstrap_interval
from twostream.scores.score_file import Scores

PUBLISHED = ROOT / "docs/results/demo"
# Names that a page must not take for its own, nor a reader of CSVs for a missing value or a number.
CLASSES = ["</script><b>x", "NA", "001", 'a "quoted" one']
OF_CLASS = 10
INTERVAL = Interval(resamples=50, seed=0)
TITLES = {
    "table1a": "table",
    "table1b": "table",
    "table2": "table",
    "table3": "table",
    "table4": "table",
    "claims": "claims",
    "protocols": "protocols",
}
PAPER_RECALL = {"NA": 61.5}


def scores_of(seed: int, right: float) -> Scores:
    """Scores of training and test videos, of which about a share is right."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CLASSES)), 2 * OF_CLASS)
    values = rng.dirichlet(np.ones(len(CLASSES)), len(labels)).astype(np.float32)
    favoured = np.where(rng.random(len(labels)) < right, labels, rng.integers(len(CLASSES), size=len(labels)))
    values[np.arange(len(labels)), favoured] += 1
    return Scores(
        videos=np.array([f"{label}/v{number:03}.avi" for number, label in enumerate(labels)]),
        labels=labels,
        parts=np.where(np.arange(len(labels)) % 2, "test", "train"),
        groups=np.array([str(number // 4) for number in range(len(labels))]),
        scores=values / values.sum(axis=1, keepdims=True),
        classes=np.array(CLASSES),
    )


RECIPE = ReportRecipe(
    scale="demo",
    tables=[PageRecipe(kind=kind, title=f"Title of {name}", note="A note.") for name, kind in TITLES.items()],
    left_out=["Left out at this scale: a table."],
    data={"demo_a": "generated", "demo_b": "generated"},
    names={"demo_a": "UCF-101", "demo_b": "HMDB-51"},
    fused="multitask-svm",
    spatial="spatial-last-d05",
    temporal="flow-10-multitask",
    method="svm",
    published={"multitask-svm": 87.0},
    dataset="demo_a",
    shards=1,
    split=1,
    interval=INTERVAL,
    assets="0",
)


@dataclass(frozen=True)
class Made:
    """A page, and what it was made from."""

    given: Given
    scores: dict[str, Scores]
    shards: tuple[Path, Path]
    page: str


def write_shards(folder: Path, scores: Scores) -> tuple[Path, Path]:
    """A frame whose brightness tells the class, and a field to the right, of each video."""
    with ShardWriter(folder / "frames.zip", 95) as frames, ShardWriter(folder / "flow.zip", 95) as flow:
        for video, label in zip(scores.videos.tolist(), scores.labels.tolist(), strict=True):
            frames.add_frames(video, [np.full((40, 48, 3), 40 + 50 * label, np.uint8)] * 4)
            right = np.zeros((40, 48, 2), np.float32)
            right[..., 0] = 3
            flow.add_flow(video, [encode(right, "range")] * 3)
    return folder / "frames.zip", folder / "flow.zip"


def curve(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rate = [0.1] * 30 + [0.01] * 10
    return pd.DataFrame(
        {"iteration": range(1, 41), "rate": rate, "loss": rng.random(40), "accuracy": 100 * rng.random(40)}
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp("report")
    whole = {"spatial": scores_of(1, 0.5), "temporal": scores_of(2, 0.5), "fused": scores_of(3, 0.8)}
    tested = {system: scores.part("test") for system, scores in whole.items()}
    streams = {system: tested[system] for system in ("spatial", "temporal")}
    predictions(tested["fused"]).to_csv(folder / "confusion.csv", index=False)
    recalls = written_columns(recall_table(tested["fused"], streams, PAPER_RECALL))
    recalls.to_csv(folder / "recall.csv", index=False)
    fusion = WeighedFusion(name="average", spatial=("s", "spatial"), temporal=("t", "temporal"))
    weighed = FusionWeightFigureRecipe(fusions=[fusion], dataset="demo_a", split=1, interval=INTERVAL)
    weight_table(weighed, whole.__getitem__).to_csv(folder / "fusion_weight.csv", index=False)
    all_curves({"one": curve(1), "two": curve(2)}).to_csv(folder / "curves.csv", index=False)
    for name in ("flow", "filters"):
        cv2.imwrite(str(folder / f"{name}.png"), np.zeros((4, 4, 3), np.uint8))
    given = Given(
        results=[str(PUBLISHED / f"{name}.csv") for name in TITLES],
        **{name: str(folder / f"{name}.csv") for name in ("confusion", "recall", "fusion_weight", "curves")},
        flow_figure=str(folder / "flow.png"),
        filters=str(folder / "filters.png"),
    )
    shards = write_shards(folder, whole["fused"])
    return Made(given, tested, shards, page_of(given, tested, shards))


def page_of(given: Given, scores: dict[str, Scores], shards: tuple[Path, Path], **changes: object) -> str:
    frames, flow = (Store([shard]) for shard in shards)
    return report(RECIPE.model_copy(update=changes), given, scores, frames, flow)


@dataclass
class Element:
    """An element of a page, with its children and texts."""

    tag: str
    attributes: dict[str, str | None]
    content: list["Element | str"] = field(default_factory=list)

    def text(self) -> str:
        parts = [part if isinstance(part, str) else part.text() for part in self.content]
        return " ".join("".join(parts).split())

    def all(self, tag: str) -> Iterator["Element"]:
        for part in self.content:
            if isinstance(part, Element):
                if part.tag == tag:
                    yield part
                yield from part.all(tag)

    def named(self, name: str) -> "Element":
        return next(e for e in self.every() if e.attributes.get("id") == name)

    def every(self) -> Iterator["Element"]:
        for part in self.content:
            if isinstance(part, Element):
                yield part
                yield from part.every()


VOID = {"meta", "img", "br", "link", "input"}


class Reader(HTMLParser):
    """Reads a page into elements; one that is not closed as it was opened is an error."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].content.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)


def read(page: str) -> Element:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert len(reader.open) == 1
    return reader.open[0]


@pytest.fixture(scope="module")
def page(made) -> Element:
    return read(made.page)


def rows_of(table: Element) -> list[list[str]]:
    """The texts of a table's rows, headings left out."""
    rows = [[cell.text() for cell in row.content if isinstance(cell, Element)] for row in table.all("tr")]
    return rows[1:]


def table_called(page: Element, title: str) -> Element:
    return next(t for t in page.all("table") if any(title == c.text() for c in t.all("caption")))


def csv(file: Path | str, **options: object) -> list[dict]:
    return pd.read_csv(file, **options).to_dict("records")


def shown(value: float, sign: str = "") -> str:
    return f"{value:{sign}.1f}" if pd.notna(value) else "-"


@pytest.mark.parametrize("name", [name for name, kind in TITLES.items() if kind == "table"])
def test_tables_have_the_numbers_of_their_csvs(page, name):
    rows = rows_of(table_called(page, f"Title of {name}"))
    expected = csv(PUBLISHED / f"{name}.csv")
    assert len(rows) == len(expected)
    for cells, row in zip(rows, expected, strict=True):
        name, paper, ours, interval, per_class, top5, nll, ece, count, data, run = cells
        assert name.startswith(row["row"]) and run == row["run"]
        assert [paper, ours] == [shown(row["paper"]), shown(row["ours"])]
        assert [per_class, top5, ece] == [shown(row[key]) for key in ("mean_class", "top5", "ece")]
        if pd.notna(row["ours"]):
            assert interval == f"{row['interval_low']:.1f} to {row['interval_high']:.1f}"
            assert (nll, count, data) == (
                f"{row['nll']:.2f}",
                f"{row['test_videos']:.0f}",
                row["our_dataset"],
            )


def test_other_tables_have_them_too(page):
    rows = [cells for cells in rows_of(table_called(page, "Title of protocols")) if len(cells) > 1]
    for cells, row in zip(rows, csv(PUBLISHED / "protocols.csv"), strict=True):
        keys = (row["accuracy"], row["accuracy_low"], row["accuracy_high"])
        assert cells[1:3] == [shown(keys[0]), f"{keys[1]:.1f} to {keys[2]:.1f}"]
        assert cells[3] == shown(row["difference"], "+")


def test_claims_are_drawn_where_their_numbers_are(page):
    section = page.named("claims")
    claims = csv(PUBLISHED / "claims.csv", dtype={"splits": str, "paper_splits": str})
    drawn = [row for row in section.all("tr") if any(True for _ in row.all("circle"))]
    assert len(drawn) == len(claims)
    # What lies where fixes the scale, by two points; all others must be on it.
    places = [(row["difference"], dot_of(element)) for row, element in zip(claims, drawn, strict=True)]
    (low, at_low), (high, at_high) = min(places), max(places)

    def place(value: float) -> float:
        return at_low + (value - low) / (high - low) * (at_high - at_low)

    for element, row in zip(drawn, claims, strict=True):
        ours = f"{row['difference']:+.1f} ({row['difference_low']:+.1f} to {row['difference_high']:+.1f})"
        texts = [cell.text() for cell in element.all("td")]
        assert texts[1] == ours
        assert texts[3] == (row["verdict"] if row["verdict"] != row["claim_verdict"] else "")
        assert texts[2].startswith(f"{row['paper_difference']:+.1f} ± {row['paper_error']:.1f}")
        assert dot_of(element) == pytest.approx(place(row["difference"]), abs=0.02)
        line = next(e for e in element.all("line") if e.attributes["class"] == "ours")
        ends = [share(line.attributes[end]) for end in ("x1", "x2")]
        low_end, high_end = place(row["difference_low"]), place(row["difference_high"])
        assert ends == pytest.approx([low_end, high_end], abs=0.02)
        assert all(0 <= end <= 100 for end in ends)
    told = section.text()
    for verdict in {row["verdict"] for row in claims}:
        assert (f"{verdict.capitalize()}: " in told) == verdict.startswith("undecided")
    headings = [e.text() for e in section.all("th") if e.attributes.get("scope") == "rowgroup"]
    assert headings == [
        f"{row['number']}. {row['claim']}: {row['claim_verdict']}"
        for row in {row["number"]: row for row in claims}.values()
    ]


def share(text: str | None) -> float:
    assert text and text.endswith("%")
    return float(text[:-1])


def dot_of(row: Element) -> float:
    return share(next(row.all("circle")).attributes["cx"])


def test_recalls_are_bars_of_that_length_with_the_papers_and_the_streams_on_them(page, made):
    table = next(page.named("recall").all("table"))
    expected = csv(made.given.recall, dtype={"class": str, "confused_with": str}, keep_default_na=False)
    assert len(rows_of(table)) == len(expected) == len(CLASSES)
    for element, row in zip(list(table.all("tr"))[1:], expected, strict=True):
        cells = [cell.text() for cell in element.content if isinstance(cell, Element)]
        paper = row["paper"] if row["paper"] == "" else float(row["paper"])
        numbers = [row["recall"], row["spatial_recall"], row["temporal_recall"]]
        assert cells[:2] == [row["class"], str(row["videos"])]
        assert cells[3:6] == [shown(number) for number in numbers]
        assert cells[6:] == ["-" if paper == "" else shown(paper), row["confused_with"]]
        assert share(next(element.all("rect")).attributes["width"]) == pytest.approx(row["recall"])
        marks = [share(line.attributes["x1"]) for line in element.all("line")]
        assert marks == ([] if paper == "" else [pytest.approx(paper)])
        words = next(element.all("svg")).attributes["aria-label"] or ""
        assert f"fusion {row['recall']:.1f}%" in words and ("paper" in words) == (paper != "")
    assert "61.5" in page.named("recall").text()


def test_the_confusion_matrix_counts_the_videos(page, made):
    fused = made.scores["fused"]
    told = re.findall(r"taken for another class|(\d+) videos, ([\d.]+)%", page.named("confusion").text())
    counts = np.zeros((len(CLASSES), len(CLASSES)), int)
    np.add.at(counts, (fused.labels, fused.scores.argmax(axis=1)), 1)
    assert sum(int(count) for count, _ in told if count) == counts.sum()
    titles = [title.text() for title in page.named("confusion").all("title")]
    for (actual, predicted), count in np.ndenumerate(counts):
        words = f"{CLASSES[actual]} taken for {CLASSES[predicted]}: {count} videos"
        assert any(title.startswith(words) for title in titles) == (count > 0)
    listed = rows_of(next(page.named("confusion").all("table")))
    wrong = counts - np.diag(np.diag(counts))
    assert sum(int(cells[2]) for cells in listed) == wrong.sum()
    assert int(listed[0][2]) == wrong.max()


def test_weights_and_curves_have_their_values(page, made):
    expected = csv(made.given.fusion_weight)
    for cells, row in zip(rows_of(next(page.named("weight").all("table"))), expected, strict=True):
        assert cells[:2] == [f"{row['weight']:.2f}", shown(row["accuracy"])]
        assert cells[2] == f"{row['interval_low']:.1f} to {row['interval_high']:.1f}"
    best = max(expected, key=lambda row: row["accuracy"])
    assert f"in hindsight, weight {best['weight']:g}: {best['accuracy']:.1f}%" in page.named("weight").text()
    lines = [line.attributes["points"] for line in page.named("weight").all("polyline")]
    assert [len((points or "").split()) for points in lines] == [len(expected)]
    curves = pd.read_csv(made.given.curves)
    for figure, (name, of_one) in zip(
        page.named("curves").all("figure"), curves.groupby("model"), strict=True
    ):
        last = of_one.iloc[-1]
        assert f"{name}" in figure.text()
        assert f"last loss {last['loss']:.2f} nats, last accuracy {last['accuracy']:.1f}%" in figure.text()
        points = [len((line.attributes["points"] or "").split()) for line in figure.all("polyline")]
        assert points == [len(of_one)] * 2


def test_it_opens_with_the_streams_and_what_the_numbers_show(page, made):
    section = page.named("results")
    assert next(page.all("main")).content[1] is section
    tiles = list(section.all("li"))
    for tile, scores in zip(tiles, made.scores.values(), strict=False):
        low, high = bootstrap_interval([scores], INTERVAL.resamples, INTERVAL.seed)
        assert f"{scores.accuracy():.1f}%" in tile.text()
        assert f"{low:.1f} to {high:.1f}" in tile.text()
    assert "the paper on UCF-101: 87.0" in tiles[2].text()
    spatial, temporal, fused = (scores.right().astype(bool) for scores in made.scores.values())
    only_flow = temporal & ~spatial
    assert f"{only_flow.sum()}: only the flow is (fused: {(only_flow & fused).sum()})" in tiles[3].text()
    verdicts = pd.read_csv(PUBLISHED / "claims.csv").drop_duplicates("number")["claim_verdict"]
    assert f"{verdicts.eq('holds in the model').sum()} hold" in tiles[4].text()
    assert f"{verdicts.eq('does not hold in the model').sum()} do not hold" in tiles[4].text()
    assert f"{verdicts.str.startswith('undecided').sum()} undecided" in tiles[4].text()
    assert "say nothing about the paper's" in section.text() and "Left out at this scale" in section.text()


@pytest.mark.parametrize(
    ("data", "said"), [("other", "never the values"), ("paper", "The paper's own videos")]
)
def test_real_videos_are_told_apart_and_not_to_be_passed_on(made, data, said):
    text = read(page_of(made.given, made.scores, made.shards, data={"demo_a": data})).named("results").text()
    assert said in text and "pass it on only if you may" in text and "Drawn" not in text


def test_without_claims_it_says_so(made):
    given = Given(**{**vars(made.given), "results": made.given.results[:1]})
    text = page_of(given, made.scores, made.shards, tables=RECIPE.tables[:1])
    assert "No claim of the paper can be judged" in text


def data_of(page: Element) -> dict:
    return json.loads(page.named("videos-data").text())


def test_videos_have_their_scores_and_their_pictures(page, made):
    data = data_of(page)
    assert data["classes"] == CLASSES and len(data["videos"]) == len(CLASSES) * OF_CLASS
    for number, video in enumerate(data["videos"]):
        assert video["file"] == made.scores["fused"].videos[number]
        label = made.scores["fused"].labels[number]
        for system, scores in made.scores.items():
            row = scores.scores[number]
            assert [place for place, _ in video["top"][system]] == np.argsort(-row, kind="stable")[
                :5
            ].tolist()
            assert [value for _, value in video["top"][system]] == pytest.approx(sorted(row)[::-1], abs=5e-5)
            assert video["true"][system] == pytest.approx(row[label], abs=5e-5)
        frame, flow = decoded(video["frame"]), decoded(video["flow"])
        assert frame.mean() == pytest.approx(40 + 50 * label, abs=2)
        assert flow.reshape(-1, 3).mean(axis=0) == pytest.approx(
            [0, 0, 255], abs=6
        )  # red (BGR): to the right
        assert (video["number"], video["deepest"]) == (1, 3.0)


def decoded(content: str) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def fake_shots(labels: np.ndarray, sizes: tuple[int, int, int]) -> list[videos.Shot]:
    images = [bytes(size) for size in sizes]
    return [videos.Shot(0, 1.0, images, images) for _ in labels]


def test_pictures_become_smaller_and_then_fewer_and_the_page_says_so():
    labels = np.array([0, 0, 0, 1, 1, 2])
    found = fake_shots(labels, (9000, 6000, 3000))
    sizes = [2 * (size * 4 // 3 + videos.AROUND) for size in (9000, 6000, 3000)]
    assert [found[0].size(level) for level in range(3)] == sizes
    best = videos.choose(found, labels, 6 * sizes[0])
    assert best == videos.Choice(0, None) and best.note() == ""
    smaller = videos.choose(found, labels, 6 * sizes[0] - 1)
    assert smaller == videos.Choice(1, None) and "at most 96 pixels, their JPEG quality 70." in smaller.note()
    # The first of each class: 3 videos; the first two: 5.
    fewer = videos.choose(found, labels, 6 * sizes[2] - 1)
    assert fewer == videos.Choice(2, 2) and "only the first 2 videos of each class" in fewer.note()
    assert videos.choose(found, labels, 3 * sizes[2]).of_each_class == 1
    assert videos.choose(found, labels, 3 * sizes[2] - 1).of_each_class == 0
    entered = videos.with_pictures([{"label": label} for label in labels], found, labels, fewer)
    assert ["frame" in entry for entry in entered] == [True, True, False, True, True, True]


def test_the_page_stays_small_whatever_it_is_of(made, monkeypatch):
    without = len(page_of(made.given, made.scores, made.shards))
    bare = without - sum(
        len(video["frame"]) + len(video["flow"]) for video in data_of(read(made.page))["videos"]
    )
    limit = bare + (without - bare) // 2
    monkeypatch.setattr("twostream.report.page.LARGEST", limit)
    text = page_of(made.given, made.scores, made.shards)
    assert len(text.encode()) <= limit
    told = re.search(r"only the first (\d+) videos of each class", text)
    shown_of_class = sum("frame" in video for video in data_of(read(text))["videos"]) / len(CLASSES)
    assert told and int(told[1]) == shown_of_class


def test_nothing_is_loaded_and_all_pictures_have_words(page, made):
    assert not re.search(r"https?:|//[\w.]+\.\w|@import|url\(", made.page.replace("data:image", ""))
    addresses = [
        value
        for element in page.every()
        for key, value in element.attributes.items()
        if key in {"src", "href"} and value and not value.startswith(("data:image/", "#"))
    ]
    assert addresses == ["provenance.html"]
    assert all(image.attributes["alt"] for image in page.all("img"))
    drawings = [e for e in page.all("svg") if e.attributes.get("role") == "img"]
    assert len(drawings) > 40 and all(drawing.attributes["aria-label"] for drawing in drawings)
    names = [e.attributes["id"] for e in page.every() if e.attributes.get("id")]
    assert len(names) == len(set(names))
    links = [a.attributes["href"] for a in next(page.all("nav")).all("a")]
    assert links and all((link or "").removeprefix("#") in names for link in links)


def test_equal_inputs_give_equal_bytes(made):
    assert page_of(made.given, made.scores, made.shards) == made.page


def test_a_figure_of_another_form_is_refused(made, tmp_path):
    odd = tmp_path / "confusion.csv"
    odd.write_text("true,predicted\na,b\n")
    with pytest.raises(UserError, match=r"confusion\.csv: lacks the column actual"):
        page_of(Given(**{**vars(made.given), "confusion": str(odd)}), made.scores, made.shards)


def test_ticks_are_round_and_in_range():
    assert ticks(0, 100, 4) == [0, 50, 100]
    assert ticks(-13.1, 49.7, 10) == [-10, 0, 10, 20, 30, 40]
    assert ticks(0, 0.3, 3) == [0, 0.1, 0.2, 0.3]


def plan_here(**changes: object) -> ReportRecipe:
    step = Plan(load_config(ROOT / "config", changes)).step("write_report", SimpleNamespace())
    assert step.outputs == [paths.REPORT] and isinstance(step.recipe, ReportRecipe)
    # Each table beside its page, in the recipe's order.
    assert len(step.files("results")) == len(step.recipe.tables)
    return step.recipe


def test_the_plan_has_all_tables_at_each_scale(monkeypatch):
    # Whatever else may have been asked for here.
    monkeypatch.setattr(Results, "more_here", lambda _: {})
    recipe = plan_here()
    assert [table.kind for table in recipe.tables] == ["table"] * 5 + ["claims", "protocols"]
    assert recipe.published == {"multitask-svm": 87.0, "spatial-last-d05": 72.7, "flow-10-multitask": 81.5}
    assert plan_here(scale="paper").data == {"ucf101": "paper", "hmdb51": "paper"}
    assert set(plan_here(scale="small").data.values()) == {"other"}


def test_an_edit_of_the_style_makes_it_anew(tmp_path, monkeypatch):
    before = plan_here().assets
    copied = shutil.copytree(plan_report.FOLDER, tmp_path / "report")
    monkeypatch.setattr(plan_report, "FOLDER", copied)
    assert plan_here().assets == before
    (copied / "page.css").write_text("/* another */")
    assert plan_here().assets != before


def test_one_dataset_with_one_split_has_its_report(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "workflow/report", tmp_path / "workflow/report")
    file = tmp_path / "config/scale/demo.yaml"
    scale = yaml.safe_load(file.read_text())
    scale["roles"] = {"primary": "demo_a"}
    scale["datasets"]["demo_a"] |= {"splits": 1, "auxiliary": None}
    file.write_text(yaml.safe_dump(scale))
    monkeypatch.chdir(tmp_path)
    recipe = Plan(load_config(tmp_path / "config")).step("write_report", SimpleNamespace()).recipe
    assert recipe.data == {"demo_a": "generated"} and recipe.fused == "flow-average"
    assert any("table2: is left out" in line for line in recipe.left_out)


@pytest.mark.parametrize("name", ["report", "provenance"])
def test_no_table_may_have_the_name_of_the_report(tmp_path, name):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    file = tmp_path / "config/benchmark.yaml"
    benchmark = yaml.safe_load(file.read_text())
    benchmark["more_tables"][name] = benchmark["more_tables"]["streams"]
    file.write_text(yaml.safe_dump(benchmark))
    with pytest.raises(UserError, match=rf"{name} is the name of another file in report/"):
        load_config(tmp_path / "config")


# In the browser.

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WORKS = """
(async () => {
  const form = document.getElementById("video-controls");
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  const files = () => [...document.querySelectorAll("#video-list h3 small")].map((e) => e.textContent);
  async function chosen(values) {
    form.reset();
    await settle();
    for (const [name, value] of Object.entries(values)) {
      form.elements[name].value = value;
      form.elements[name].dispatchEvent(new Event("change", { bubbles: true }));
    }
    const more = document.getElementById("video-more");
    while (!more.hidden) more.click();
    return files();
  }
  const told = { first: files().length };
  document.getElementById("video-more").click();
  told.focused = [...document.querySelectorAll(".video")].indexOf(document.activeElement);
  told.all = await chosen({});
  told.count = document.getElementById("video-count").textContent;
  for (const [name, values] of Object.entries(QUESTIONS)) told[name] = await chosen(values);
  await chosen({});
  const first = document.querySelector(".video");
  told.answers = [...first.querySelectorAll(".answers")].map((e) =>
    [...e.querySelectorAll("li")].map((li) =>
      [...li.querySelectorAll(".name, .score")].map((s) => s.textContent)));
  told.verdicts = [...first.querySelectorAll("h4 span")].map((e) => e.textContent);
  told.images = [...first.querySelectorAll("img")].map((e) => [e.naturalWidth, e.alt]);
  document.body.style.width = "360px";
  told.wide = [...document.querySelectorAll("main *")]
    .filter((e) => !e.closest(".wide, svg") && e.getBoundingClientRect().right > 361).map((e) => e.outerHTML);
  told.loaded = performance.getEntriesByType("resource")
    .map((e) => e.name).filter((name) => !name.startsWith("data:"));
  told.background = getComputedStyle(document.body).backgroundColor;
  told.reachable = [...document.querySelectorAll("select, button, a, summary, .wide")]
    .every((e) => e.tabIndex >= 0);
  const out = document.createElement("pre");
  out.id = "told";
  out.textContent = btoa(unescape(encodeURIComponent(JSON.stringify(told))));
  document.body.append(out);
})();
"""
QUESTIONS = {
    "of class": {"class": "1"},
    "right": {"fused": "right"},
    "wrong": {"fused": "wrong"},
    "only flow": {"streams": "temporal"},
    "only frames": {"streams": "spatial"},
    "both": {"streams": "both"},
    "neither": {"streams": "neither"},
    "only flow, fusion wrong": {"streams": "temporal", "fused": "wrong"},
    "lowest": {"order": "low"},
    "highest": {"order": "high"},
    "surest": {"order": "sure", "fused": "wrong"},
}


def browsed(folder: Path, page: str, *options: str) -> tuple[dict, str]:
    """What the page says of itself in a browser, and what the browser wrote to its console."""
    works = f"<script>{WORKS.replace('QUESTIONS', json.dumps(QUESTIONS))}</script></body>"
    file = folder / "page.html"
    file.write_text(page.replace("</body>", works), encoding="utf-8")
    command = [
        *(
            str(BROWSER),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--v=0",
        ),
        *(f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=20000", "--window-size=1200,900"),
        *(*options, "--dump-dom", file.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="told">([^<]+)</pre>', done.stdout)
    assert found, done.stderr[-3000:]
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(base64.b64decode(found[1])), console


browser = pytest.mark.skipif(not BROWSER, reason="no Chromium here (Debian's package: chromium)")


@browser
def test_in_a_browser_it_filters_and_sorts_and_loads_nothing(made, tmp_path):
    told, console = browsed(tmp_path, made.page)
    assert console == ""
    assert told["loaded"] == [] and told["wide"] == [] and told["reachable"]
    fused = made.scores["fused"]
    right = {system: scores.right() > 0 for system, scores in made.scores.items()}
    spatial, temporal = right["spatial"], right["temporal"]
    count = len(fused.videos)
    assert told["first"] == told["focused"] == 24
    assert told["count"] == f"{count} of {count} videos, {count} of them shown"
    chosen = {
        "all": np.ones(count, bool),
        "of class": fused.labels == 1,
        "right": right["fused"],
        "wrong": ~right["fused"],
        "only flow": temporal & ~spatial,
        "only frames": spatial & ~temporal,
        "both": spatial & temporal,
        "neither": ~spatial & ~temporal,
        "only flow, fusion wrong": temporal & ~spatial & ~right["fused"],
    }
    for name, which in chosen.items():
        assert which.any() and told[name] == fused.videos[which].tolist(), name
    own = fused.scores[np.arange(count), fused.labels].round(4)
    assert told["lowest"] == fused.videos[np.argsort(own, kind="stable")].tolist()
    assert told["highest"] == fused.videos[np.argsort(-own, kind="stable")].tolist()
    surest = np.argsort(-fused.scores.max(axis=1).round(4), kind="stable")
    assert told["surest"] == [fused.videos[n] for n in surest if not right["fused"][n]]


@browser
def test_in_a_browser_a_video_has_its_answers_and_pictures_also_in_the_dark(made, tmp_path):
    light, _ = browsed(tmp_path, made.page)
    dark, console = browsed(tmp_path, made.page, "--blink-settings=preferredColorScheme=0")
    assert console == ""
    assert (
        light["background"] == "rgb(255, 255, 255)"
        and max(map(int, re.findall(r"\d+", dark["background"]))) < 60
    )
    for answers, verdict, scores in zip(
        light["answers"], light["verdicts"], made.scores.values(), strict=True
    ):
        row = scores.scores[0]
        order = np.argsort(-row, kind="stable")
        assert [name for name, _ in answers] == [CLASSES[number] for number in order]
        assert [float(score.rstrip("%")) for _, score in answers] == pytest.approx(100 * row[order], abs=0.06)
        assert verdict.endswith("right" if order[0] == scores.labels[0] else "wrong")
    assert [width for width, _ in light["images"]] == [48, 48] and all(words for _, words in light["images"])

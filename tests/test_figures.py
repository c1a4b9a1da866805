"""The figures: their numbers against scikit-learn's or by hand, and what is drawn against what was given."""

import json
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import ENVIRONMENT, ROOT, datasets_here
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.metrics import confusion_matrix as reference_matrix
from sklearn.metrics import recall_score
from test_fuse_streams import make_scores, shuffled

from twostream.config.benchmark import Input
from twostream.config.loading import parse
from twostream.config.recipes import (
    ConfusionFigureRecipe,
    FiltersFigureRecipe,
    FlowFigureRecipe,
    FusionWeightFigureRecipe,
    RecallFigureRecipe,
)
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter
from twostream.figures.confusion import by_class, confusion_matrix, predictions, read_test_part
from twostream.figures.confusion_matrix import draw_confusion
from twostream.figures.curves import all_curves, draw_curves, read_curves, thinned
from twostream.figures.filters import draw_filters, row_labels
from twostream.figures.flow import Example, draw_flow, examples
from twostream.figures.fusion_weight import draw_weights, weight_table
from twostream.figures.recall import draw_recall, recall_table, written_columns
from twostream.figures.sheet import save_figure
from twostream.files import UserError
from twostream.results.accuracy import bootstrap_interval
from twostream.scores.fusion import average
from twostream.scores.score_file import Scores, write_scores
from twostream.scores.weighting import weighted
from twostream.videos.index import write_index

STACKING = Input(kind="stacking", length=10)
CONFUSION = ConfusionFigureRecipe(run="multitask-svm", dataset="ucf101", split=1)
FILTERS = FiltersFigureRecipe(run="flow-10", dataset="ucf101", split=1, seed=0)
FLOW = FlowFigureRecipe(dataset="set", shards=1, split=1)
RECALL = RecallFigureRecipe(
    fused="multitask-svm", spatial="spatial-last-d05", temporal="flow-10", dataset="ucf101", split=1
)


def predicted(labels: list[int], answers: list[int], classes: str = "abc") -> Scores:
    """Scores of test videos whose highest ones are `answers`."""
    count = len(labels)
    names = np.array([f"v{i}" for i in range(count)])
    values = np.full((count, len(classes)), 0.1 / (len(classes) - 1))
    values[np.arange(count), answers] = 0.9
    return Scores(names, np.array(labels), np.full(count, "test"), names, values, np.array(list(classes)))


def many_classes(seed: int, count: int = 101) -> Scores:
    """Test videos of classes with names of 10 to 36 letters, some of which mean something to TeX."""
    scores = make_scores(seed, count, 4 * count, skill=2).part("test")
    names = [f"{i:03d}_$Handstand^Push_Ups$AndJugglingBalls"[: 10 + i % 27] for i in range(count)]
    return replace(scores, classes=np.array(names))


def boxes(texts: list[Text], axis: int, view: tuple[float, float]) -> list:
    """Where the labels are of the ticks that lie in an axis's range."""
    inside = [text for text in texts if min(view) <= text.get_position()[axis] <= max(view)]
    return [text.get_window_extent() for text in inside if text.get_text()]


def check_texts(figure: Figure) -> None:
    """Check that all lies inside the figure, and that no tick label covers the one beside it."""
    figure.canvas.draw()
    drawn, size = figure.get_tightbbox(), figure.get_size_inches()
    assert min(drawn.min) >= 0 and (drawn.max <= size).all(), f"{drawn} lies outside {size}"
    for axes in figure.axes:
        across = boxes(axes.get_xticklabels(), 0, axes.get_xlim())
        down = boxes(axes.get_yticklabels(), 1, axes.get_ylim())
        assert not any(a.overlaps(b) for labels in (across, down) for a, b in pairwise(labels))


def picture(figure: Figure, path: Path) -> np.ndarray:
    save_figure(figure, path)
    return cv2.imread(str(path))[..., ::-1]


def drawn_in(axes, image: np.ndarray) -> np.ndarray:
    """The part of a saved picture that shows what is inside axes."""
    box = axes.get_window_extent()
    bottom, top = len(image) - round(box.y0), len(image) - round(box.y1)
    return image[top:bottom, round(box.x0) : round(box.x1)]


def test_confusions_and_recalls_are_scikit_learns():
    scores = make_scores(3, classes=7, videos=300)
    answers = scores.scores.argmax(axis=1)
    assert (confusion_matrix(scores) == reference_matrix(scores.labels, answers)).all()
    table = by_class(scores)
    assert table["recall"].tolist() == pytest.approx(100 * recall_score(scores.labels, answers, average=None))
    assert (table["videos"] == np.bincount(scores.labels)).all()
    listed = predictions(scores)
    assert (listed["actual"] == [f"c{i}" for i in scores.labels]).all()
    assert (listed["predicted"] == [f"c{i}" for i in answers]).all()


def test_the_most_frequent_confusion_by_hand():
    table = by_class(predicted([0, 0, 0, 0, 1, 1, 2, 2, 2], [0, 2, 2, 1, 1, 1, 1, 0, 2], "abcd"))
    assert table["confused_with"].tolist() == ["c", "none", "a", "none"]
    assert table["confused_videos"].tolist() == [2, 0, 1, 0]
    assert table["recall"][:3].tolist() == pytest.approx([25, 100, 100 / 3])
    assert np.isnan(table["recall"][3])


def test_recalls_are_sorted_with_the_streams_beside_them():
    labels = [0, 0, 1, 1, 2, 2]
    fused = predicted(labels, [0, 1, 1, 1, 2, 0], "abcd")
    spatial = predicted(labels, [1, 1, 2, 1, 2, 2], "abcd")
    temporal = shuffled(predicted(labels, [0, 0, 1, 1, 0, 0], "abcd"))
    table = recall_table(fused, {"spatial": spatial, "temporal": temporal})
    rows = written_columns(table).fillna(-1).to_numpy().tolist()
    assert rows == [
        ["b", 2, 100, "none", 50, "c", 100, "none"],
        ["a", 2, 50, "b", 0, "b", 100, "none"],
        ["c", 2, 50, "a", 100, "none", 0, "a"],
        ["d", 0, -1, "none", -1, "none", -1, "none"],
    ]
    said = "\n".join(text.get_text() for text in draw_recall(RECALL, table).texts)
    assert "Worst class: a, 2 videos" in said
    assert "fusion (multitask-svm): 50.0% right; most often confused with: b (1 video)" in said
    assert "spatial stream (spatial-last-d05): 0.0% right; most often confused with: b (2 videos)" in said
    assert "temporal stream (flow-10): 100.0% right; most often confused with: none" in said
    with pytest.raises(UserError, match="in one score file only"):
        recall_table(fused, {"temporal": replace(temporal, videos=np.array([f"w{i}" for i in range(6)]))})


def test_the_papers_recalls_stand_beside_ours_by_the_names_of_classes():
    labels = [0, 0, 1, 1, 2, 2]
    fused = predicted(labels, [0, 1, 1, 1, 2, 0])
    streams = {"spatial": fused, "temporal": fused}
    table = recall_table(fused, streams, {"a": 75.0, "b": 62.5, "elsewhere": 10.0})
    assert written_columns(table).fillna(-1)[["class", "recall", "paper"]].to_numpy().tolist() == [
        ["b", 100, 62.5],
        ["a", 50, 75],
        ["c", 50, -1],
    ]
    figure = draw_recall(RECALL, table)
    check_texts(figure)
    (line,) = [line for line in figure.axes[0].lines if line.get_label() == "the paper"]
    assert line.get_xdata()[:2].tolist() == [62.5, 75]
    assert "    the paper's final model: 75.0% right" in [text.get_text() for text in figure.texts]
    without = recall_table(fused, streams, {"elsewhere": 10.0})
    assert "paper" not in written_columns(without)
    assert not [line for line in draw_recall(RECALL, without).axes[0].lines if "paper" in line.get_label()]


def test_a_score_file_without_test_videos_is_refused(tmp_path):
    write_scores(make_scores(0).part("train"), tmp_path / "a.npz")
    with pytest.raises(UserError, match=r"a\.npz: has no test video"):
        read_test_part(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("count", [2, 12, 101])
def test_class_names_are_legible(count):
    fused, spatial, temporal = (many_classes(seed, count) for seed in range(3))
    check_texts(draw_confusion(CONFUSION, fused))
    paper = dict.fromkeys(fused.classes.tolist()[1:], 50.0)
    check_texts(draw_recall(RECALL, recall_table(fused, {"spatial": spatial, "temporal": temporal}, paper)))


def test_cells_of_few_classes_say_their_share():
    figure = draw_confusion(CONFUSION, predicted([0, 0, 0, 0, 1], [0, 0, 0, 2, 1]))
    said = {t.get_position(): t.get_text() for t in figure.axes[0].texts}
    assert said == {(0, 0): "75", (2, 0): "25", (1, 1): "100"}


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ((96, 20, 7, 7), STACKING),
        ((16, 20, 5, 5), STACKING),
        ((100, 10, 3, 3), Input(kind="trajectory", length=5)),
        ((64, 20, 7, 7), Input(kind="stacking", length=10, bidirectional=True)),
        ((8, 15, 5, 5), Input(kind="frames", length=11)),
        ((16, 3, 5, 5), Input(kind="frames", length=1)),
    ],
)
def test_filters_show_the_weights(shape, what, tmp_path):
    """A weight of 1 is white in the right cell, -1 is black, and zero mid-gray, all of one size."""
    outputs, inputs, height, width = shape
    weights = np.zeros(shape, np.float32)
    weights[5, 2, 1, 2], weights[6, 1, 0, 1] = 0.01, -7
    figure = draw_filters(FILTERS, what, weights)
    check_texts(figure)
    assert len(row_labels(what, inputs)) == len(set(row_labels(what, inputs))) == inputs
    shown = drawn_in(figure.axes[0], picture(figure, tmp_path / "f.png"))
    across = min(outputs, 96)
    scale = len(shown) // (inputs * (height + 1) + 1)
    assert shown.shape[:2] == ((inputs * (height + 1) + 1) * scale, (across * (width + 1) + 1) * scale)
    pixels = shown[scale // 2 :: scale, scale // 2 :: scale, 0]
    assert pixels[2 * (height + 1) + 1 + 1, 5 * (width + 1) + 1 + 2] == 255
    assert pixels[1 * (height + 1) + 1 + 0, 6 * (width + 1) + 1 + 1] == 0
    inside = np.delete(np.delete(pixels, np.s_[:: height + 1], 0), np.s_[:: width + 1], 1)
    assert (abs(inside.astype(int) - 128) <= 1).sum() == inside.size - 2
    assert (np.delete(pixels, np.s_[1 :: height + 1], 0)[0] == 255).all()


def test_rows_of_filters_are_named_by_their_channel():
    assert row_labels(STACKING, 20)[:3] == ["$d^x_{1}$", "$d^y_{1}$", "$d^x_{2}$"]
    both = row_labels(Input(kind="stacking", length=4, bidirectional=True), 8)
    assert both[3:6] == ["$d^y_{2}$", r"$\bar{d}^x_{1}$", r"$\bar{d}^y_{1}$"]
    assert row_labels(Input(kind="frames", length=1), 3) == ["R", "G", "B"]
    assert row_labels(Input(kind="frames", length=11), 15)[3] == "$R_{2}$"


def test_components_of_flow_are_bright_where_they_are_positive(tmp_path):
    """On the left 4 px to the right and down, on the right half of that to the left, and not up or down."""
    field = np.zeros((40, 60, 2), np.float32)
    field[:, :30], field[:, 30:, 0] = 4, -2
    frame = np.full((40, 60, 3), [200, 10, 50], np.uint8)
    example = Example("A$b^c", "A/v_A_g01_c01.avi", 3, frame, frame, field)
    figure = draw_flow(FLOW, [example] * 2)
    check_texts(figure)
    image = picture(figure, tmp_path / "f.png")
    first, second, flow, x, y = (drawn_in(axes, image) for axes in figure.axes[:5])
    longest = np.hypot(4, 4)
    for shown, left, right in ((x, 4, -2), (y, 4, 0)):
        for column, displacement in ((60, left), (190, right)):
            gray = 127.5 + 127.5 * displacement / longest
            assert shown[80, column].tolist() == pytest.approx([gray] * 3, abs=2)
    assert first[80, 60].tolist() == second[80, 190].tolist() == [200, 10, 50]
    red, green, blue = flow[80, 190].astype(int)
    assert green > red and blue > red


def test_flow_is_that_of_test_videos_spread_over_the_classes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classes = [f"c{i}" for i in range(7)]
    rows = [
        (f"{c}/{v}.avi", c, i, str(v), "test" if v else "train")
        for i, c in enumerate(classes)
        for v in (0, 1, 2)
    ]
    for folder in ("data/videos", "data/frames/set", "data/flow/set/forward"):
        Path(folder).mkdir(parents=True)
    write_index(
        pd.DataFrame(rows, columns=["file", "class", "label", "group", "split1"]), "data/videos/set.csv"
    )
    with (
        ShardWriter("data/frames/set/0.zip", 95) as frames,
        ShardWriter("data/flow/set/forward/0.zip", 95) as flow,
    ):
        for number, (file, *_) in enumerate(rows):
            frames.add_frames(file, [np.full((16, 24, 3), [0, 0, 40 * t], np.uint8) for t in range(6)])
            fields = [np.full((32, 48, 2), [number, -t], np.float32) for t in range(5)]
            flow.add_flow(file, [encode(field, "range") for field in fields])
    files = datasets_here("set")["set"]
    found = examples(FLOW, files)
    assert [example.file for example in found] == ["c0/1.avi", "c2/1.avi", "c4/1.avi", "c6/1.avi"]
    assert [example.number for example in found] == [2] * 4
    for example, number in zip(found, (1, 7, 13, 19), strict=True):
        assert example.field.shape == (32, 48, 2)
        assert example.field[5, 5].tolist() == pytest.approx([number, -2], abs=0.1)
        assert example.first[3, 3].tolist() == pytest.approx([80, 0, 0], abs=4)
        assert example.second[3, 3].tolist() == pytest.approx([120, 0, 0], abs=4)
    check_texts(draw_flow(FLOW, found))
    with pytest.raises(UserError, match="split2"):
        examples(FLOW.model_copy(update={"split": 2}), files)


def weighing(*names: str) -> FusionWeightFigureRecipe:
    fusions = [
        {"name": name, "spatial": ["spatial-last-d05", "s.npz"], "temporal": [f"t-{name}", "t.npz"]}
        for name in names
    ]
    content = {"fusions": fusions, "dataset": "ucf101", "split": 1, "interval": {"resamples": 50, "seed": 0}}
    return parse(FusionWeightFigureRecipe, content, "test")


WEIGHED = {"s.npz": make_scores(1, 12, 240), "t.npz": shuffled(make_scores(2, 12, 240, skill=2))}


def test_accuracies_over_weights_are_those_of_the_streams_at_the_ends_and_of_the_average_between():
    table = weight_table(weighing("a", "b"), WEIGHED.get)
    assert table["fusion"].tolist() == ["a"] * 21 + ["b"] * 21
    of_one = table[table["fusion"] == "a"].set_index("weight")
    spatial, temporal = WEIGHED.values()
    for weight, scores in ((1, spatial), (0, temporal), (0.5, average(spatial, temporal))):
        assert of_one["accuracy"][weight] == pytest.approx(scores.part("test").accuracy(), abs=0.01)
    low, high = bootstrap_interval([average(spatial, temporal).part("test")], 50, 0)
    assert of_one.loc[0.5, ["interval_low", "interval_high"]].tolist() == pytest.approx([low, high], abs=0.01)
    assert of_one.index[of_one["chosen"]].tolist() == [weighted(spatial, temporal)[1][0]]
    best = of_one["training_accuracy"].max()
    assert of_one["training_accuracy"][of_one["chosen"]].tolist() == [best]
    apart = np.abs(of_one.index[of_one["training_accuracy"] == best] - 0.5)
    assert abs(of_one.index[of_one["chosen"]][0] - 0.5) == apart.min()


def test_weights_need_test_videos_and_training_videos():
    for part, said in (("train", r"s\.npz: has no test video"), ("test", "chosen on training videos")):
        of_part = {name: scores.part(part) for name, scores in WEIGHED.items()}
        with pytest.raises(UserError, match=said):
            weight_table(weighing("a"), of_part.get)


@pytest.mark.parametrize("count", [1, 3])
def test_the_figure_of_weights_marks_the_chosen_and_the_equal_ones(count, tmp_path):
    recipe = weighing(*["flow-average", "multitask-average-of-two", "c"][:count])
    table = weight_table(recipe, WEIGHED.get)
    figure = draw_weights(recipe, table)
    check_texts(figure)
    assert len(figure.axes) == count
    _, equal, chosen = figure.axes[0].lines
    assert set(equal.get_xdata()) == {0.5}
    assert chosen.get_xdata().tolist() == table["weight"][table["chosen"]][:1].tolist()
    assert (
        picture(figure, tmp_path / "1.png") == picture(draw_weights(recipe, table), tmp_path / "2.png")
    ).all()


def curve(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    iteration = 800 * np.arange(1, rows + 1)
    loss, accuracy = rng.uniform(0, 4, rows), rng.uniform(0, 100, rows)
    return pd.DataFrame({"iteration": iteration, "rate": 0.01, "loss": loss, "accuracy": accuracy})


@pytest.mark.parametrize("rows", [1, 99, 100, 101, 250, 1000])
def test_thinned_curves_keep_mean_and_end(rows):
    whole = curve(rows)
    thin = thinned(whole)
    assert len(thin) == min(rows, 100)
    counts = np.diff(thin["iteration"] // 800, prepend=0)
    assert counts.sum() == rows and counts.max() - counts.min() <= 1
    for column in ("loss", "accuracy"):
        assert np.average(thin[column], weights=counts) == pytest.approx(whole[column].mean())
    assert thin["iteration"].iloc[-1] == whole["iteration"].iloc[-1]


def test_curves_of_twenty_models_are_legible_and_in_one_table():
    curves = {f"flow-10-added-classes-{i} demo_a": curve(104, i) for i in range(18)}
    curves |= {"short demo_a": curve(2), "$without^ accuracy": curve(50).drop(columns="accuracy")}
    figure = draw_curves(curves)
    check_texts(figure)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if title] == list(curves)
    table = all_curves(curves)
    assert table.columns.tolist() == ["model", "iteration", "rate", "loss", "accuracy"]
    assert table.groupby("model", sort=False).size().tolist() == [100] * 18 + [2, 50]
    assert set(np.diff(table["iteration"][table["model"] == "$without^ accuracy"])) == {800}


def test_what_is_no_curve_is_refused_by_name(tmp_path):
    contents = {
        "table.csv": "row,ours\na,1\n",
        "empty.csv": "",
        "none.csv": "iteration,loss\n",
        "words.csv": "iteration,loss\n1,a\n",
        "binary.csv": b"\x80\xff\x00",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    for name in [*contents, "missing.csv"]:
        with pytest.raises(UserError, match=name):
            read_curves(["m"], [str(tmp_path / name)])
    with pytest.raises(UserError, match="0 files for 1 models"):
        read_curves(["m"], [])


def call(folder: Path, script: str, recipe: dict, out: str, *arguments: str) -> str:
    command = ["python", str(ROOT / f"scripts/{script}.py"), "--recipe", json.dumps(recipe), "--out", out]
    done = subprocess.run([*command, *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    return done.stderr


def test_figures_made_twice_have_the_same_bytes(tmp_path):
    """Once here and once by the script, so also by another process."""
    names = ["fused", "spatial", "temporal"]
    scores = [many_classes(seed, 5) for seed in range(3)]
    for name, content in zip(names, scores, strict=True):
        write_scores(content, tmp_path / f"{name}.npz")
    options = [part for name in names for part in (f"--{name}", f"{name}.npz")]
    assert call(tmp_path, "plot_recall", RECALL.model_dump(), "script.png", *options) == ""
    save_figure(
        draw_recall(RECALL, recall_table(scores[0], dict(zip(names[1:], scores[1:], strict=True)))),
        tmp_path / "here.png",
    )
    assert (tmp_path / "script.png").read_bytes() == (tmp_path / "here.png").read_bytes()
    record = json.loads((tmp_path / "script.record.json").read_text())
    assert record["files"].keys() == {"script.png", "script.csv"}
    assert pd.read_csv(tmp_path / "script.csv")["videos"].sum() == len(scores[0].videos)
    for number in range(2):
        save_figure(draw_confusion(CONFUSION, scores[0]), tmp_path / f"confusion{number}.png")
        save_figure(draw_curves({"m": curve(104)}), tmp_path / f"curves{number}.png")
        save_figure(
            draw_filters(FILTERS, STACKING, np.ones((4, 20, 3, 3))), tmp_path / f"filters{number}.png"
        )
    for name in ("confusion", "curves", "filters"):
        assert (tmp_path / f"{name}0.png").read_bytes() == (tmp_path / f"{name}1.png").read_bytes()

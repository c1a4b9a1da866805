"""Scores of other methods: what is taken, what is refused, and how they stand beside ours."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_fuse_streams import make_scores

from twostream.config.benchmark import ExternalMethod, Interval, Verdicts
from twostream.config.loading import parse
from twostream.config.recipes import MethodsRecipe
from twostream.config.scale import SVM
from twostream.files import UserError
from twostream.results.formatting import as_text, method_rows, read_table
from twostream.results.methods import compare_methods
from twostream.scores.external import read_given
from twostream.scores.fusion import average
from twostream.scores.score_file import Scores
from twostream.scores.svm import svm

CLASSES = ["a", "b", "c"]
INDEX = pd.DataFrame(
    [
        (f"{name}/{group}{clip}.avi", name, label, str(group), "train" if group < 2 else "test")
        for label, name in enumerate(CLASSES)
        for group in range(4)
        for clip in range(2)
    ],
    columns=["file", "class", "label", "group", "split1"],
)
TEST = INDEX[INDEX["split1"] == "test"]


def given(rows: pd.DataFrame = TEST, classes: list[str] = CLASSES, **changes: object) -> dict:
    """Scores of 0.8 for the true class of each video, whatever the order of rows and classes."""
    values = np.where(rows["class"].to_numpy()[:, None] == np.array(classes), 0.8, 0.1)
    return {
        "videos": np.array(rows["file"].tolist()),
        "scores": values,
        "classes": np.array(classes),
    } | changes


def written(folder: Path, content: dict) -> Path:
    np.savez(folder / "given.npz", **content)
    return folder / "given.npz"


@pytest.mark.parametrize("classes", [CLASSES, ["c", "a", "b"]])
@pytest.mark.parametrize("rows", [TEST, TEST.iloc[::-1], INDEX])
def test_scores_are_taken_in_any_order_with_or_without_training_videos(tmp_path, classes, rows):
    scores = read_given(written(tmp_path, given(rows, classes)), INDEX, 1)
    assert scores.classes.tolist() == CLASSES
    test = scores.part("test")
    assert test.videos.tolist() == TEST["file"].tolist()
    assert test.accuracy() == 100 and set(scores.parts) == set(rows["split1"])
    assert test.groups.tolist()[:2] == ["a/2", "a/2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            given(TEST.iloc[1:]),
            "for 1 of the 12 videos of split 1: a/20.avi; names .* like a/21.avi",
        ),
        (given(INDEX.iloc[1:]), "no scores for 1 of the 24 videos"),
        (given(videos=np.array([f"{i}.avi" for i in range(12)])), "for 12 of the 12 .*, ...;"),
        (given(pd.concat([TEST, TEST.iloc[:1].assign(file="new.avi")])), "1 videos that are not .*: new.avi"),
        (given(pd.concat([TEST, TEST.iloc[:1]])), "names a video twice"),
        (given(scores=np.zeros((12, 3))), "does not sum to 1"),
        (given(scores=np.full((12, 3), np.nan)), "not finite"),
        (given(scores=np.full((12, 2), 0.5)), r"`scores` has the shape \(12, 2\)"),
        (given(classes=["a", "b", "d"]), "`classes` are not the dataset's 3: it lacks c and has d"),
        (given(classes=["a", "b", "b"]), "`classes` are not the dataset's 3: it lacks c"),
        (given(labels=np.zeros(12, int)), "`labels` are not those of the index"),
        (given(labels=np.full(12, 7)), "`labels` are not those of the index"),
        (given(parts=np.full(12, "train")), "`parts` are not those of split 1"),
        (given(videos=TEST["file"].to_numpy(object)), r"Object arrays .*videos.astype\(str\)"),
        (given(classes=np.arange(3)), r"`classes` is an array of int64 .* texts, one a class"),
        (given(videos=TEST["file"].to_numpy("S")), r"`videos` is an array of \|S\d+"),
        (given(scores=given()["scores"].astype(str)), "`scores` is an array of <U"),
        (given(scores=given()["scores"] + 0j), "`scores` is an array of complex"),
        (given(labels=np.eye(3)[np.zeros(12, int)]), "`labels` is an array of float64"),
        (given(videos=np.array("a/20.avi")), r"`videos` is an array of .* the shape \(\)"),
        (given(parts=np.full((12, 1), "test")), r"`parts` is an array of .* the shape \(12, 1\)"),
        (given(parts=np.full(5, "test")), "`parts` has 5 rows, `videos` 12"),
        ({"videos": TEST["file"].to_numpy(str)}, "lacks `scores`, `classes`; methods/README.md"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, content, message):
    file = written(tmp_path, content)
    with pytest.raises(UserError, match=f"^{re.escape(str(file))}: .*{message}"):
        read_given(file, INDEX, 1)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken"])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "given.npz").write_bytes(content)
    with pytest.raises(UserError, match="is not a file of scores"):
        read_given(tmp_path / "given.npz", INDEX, 1)


def test_a_lone_array_is_refused(tmp_path):
    with (tmp_path / "given.npz").open("wb") as stream:
        np.save(stream, np.zeros((3, 3)))
    with pytest.raises(UserError, match="lacks `videos`"):
        read_given(tmp_path / "given.npz", INDEX, 1)


def test_fusion_with_scores_of_the_test_part_alone_is_of_the_test_part():
    ours, theirs = make_scores(1), make_scores(2).part("test")
    fused = average(ours, theirs)
    assert set(fused.parts) == {"test"}
    assert fused.scores == pytest.approx((ours.part("test").scores + theirs.scores) / 2)
    with pytest.raises(UserError, match="needs training videos"):
        svm(ours, theirs, settings=SVM(costs=[1.0], folds=2), seed=0)


def table(seeds: int) -> pd.DataFrame:
    files = {"other": make_scores(9, skill=3)}
    for number, name in enumerate(("spatial", "temporal", "both")):
        files |= {f"{name}-{seed}": make_scores(10 * number + seed) for seed in range(seeds)}

    def read(file: str) -> Scores:
        return files[file]

    recipe = parse(
        MethodsRecipe,
        {
            "methods": [
                {
                    "name": "other",
                    "method": ExternalMethod(title="Another", dataset="d", splits=[1]).model_dump(),
                    "files": "other",
                    "spatial": ["s", "spatial-{seed}"],
                    "temporal": ["t", "temporal-{seed}"],
                    "two_stream": ["both", "both-{seed}"],
                }
            ],
            "verdicts": Verdicts(marginal=2, by_far=5, level=0.05, permutations=200, seed=0).model_dump(),
            "interval": Interval(resamples=100, seed=0).model_dump(),
            "seeds": list(range(seeds)),
        },
        "test",
    )
    return compare_methods(recipe, read)


def test_a_method_gets_its_row_its_fusions_and_ours_beside_it():
    found = table(1)
    assert found["system"].tolist() == ["other", "other + s", "other + t", "s", "t", "both"]
    other, spatial = make_scores(9, skill=3).part("test"), make_scores(0).part("test")
    assert found["accuracy"][0] == pytest.approx(other.accuracy(), abs=0.01)
    assert found["accuracy"][1] == pytest.approx(average(other, spatial).accuracy(), abs=0.01)
    assert found["difference"][3] == pytest.approx(spatial.accuracy() - other.accuracy(), abs=0.01)
    assert found["difference"].isna().tolist() == [True] + [False] * 5
    assert "Another: d, split 1 (30 test videos)" in as_text(method_rows(found))


@pytest.mark.parametrize("title", ["2024", "NA", "None"])
def test_a_title_may_read_like_something_else(tmp_path, title):
    table(1).assign(method=title).to_csv(tmp_path / "methods.csv", index=False)
    shown = as_text(method_rows(read_table(str(tmp_path / "methods.csv"))))
    assert f"{title}: d, split 1" in shown and "other + s" in shown


def test_over_seeds_ours_have_a_deviation_and_the_method_none():
    found = table(3)
    assert found["sd"].isna().tolist() == [True] + [False] * 5
    accuracies = [make_scores(seed).part("test").accuracy() for seed in range(3)]
    assert found["sd"][3] == pytest.approx(np.std(accuracies, ddof=1), abs=0.01)
    assert found["accuracy"][3] == pytest.approx(np.mean(accuracies), abs=0.01)
    assert found["p_seeds"].isna().tolist() == [True] + [False] * 5

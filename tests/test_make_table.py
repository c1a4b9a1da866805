"""Accuracies, intervals and tables, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from test_fuse_streams import make_scores

from twostream.config.loading import parse
from twostream.config.recipes import TableRecipe
from twostream.files import UserError
from twostream.results.accuracy import (
    bootstrap_interval,
    calibration_error,
    mean_class_accuracy,
    negative_log_likelihood,
    top_accuracy,
)
from twostream.results.formatting import as_text, table_rows
from twostream.results.tables import make_table, metrics
from twostream.scores.score_file import Scores


def with_right(right: list[bool], groups: list[str]) -> Scores:
    """Scores of two classes in which the given videos, all of class 0, are right."""
    count = len(right)
    values = np.where(np.array(right)[:, None], [0.9, 0.1], [0.1, 0.9])
    return Scores(
        videos=np.array([f"v{i}" for i in range(count)]),
        labels=np.zeros(count, int),
        parts=np.full(count, "test"),
        groups=np.array(groups),
        scores=values,
        classes=np.array(["a", "b"]),
    )


def test_accuracies_by_hand():
    scores = Scores(
        videos=np.array(list("wxyz")),
        labels=np.array([0, 0, 0, 1]),
        parts=np.full(4, "test"),
        groups=np.array(list("wxyz")),
        scores=np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1], [0.1, 0.2, 0.7]]),
        classes=np.array(list("abc")),
    )
    assert scores.accuracy() == 50
    assert mean_class_accuracy(scores) == pytest.approx(100 * (2 / 3 + 0) / 2)
    assert top_accuracy(scores, 2) == 100
    assert top_accuracy(scores, 1) == 50


def test_nll_is_scikit_learns_log_loss():
    scores = make_scores(3, classes=5, videos=80)
    assert negative_log_likelihood(scores) == pytest.approx(log_loss(scores.labels, scores.scores))
    single = replace(scores, scores=scores.scores.astype(np.float32))
    assert negative_log_likelihood(single) == pytest.approx(negative_log_likelihood(scores), abs=1e-6)


def test_a_score_of_zero_for_the_true_class_counts_as_the_floor():
    never = with_right([True, False], list("ab"))
    never = replace(never, scores=np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert negative_log_likelihood(never) == pytest.approx((0 + 23 * np.log(2)) / 2)


def test_the_calibration_error_by_hand():
    """Four videos in three of the 15 bins: two at 0.95 of which one is right, one at 0.8, one at 0.6."""
    highest, right = [0.95, 0.95, 0.8, 0.6], [True, False, True, False]
    values = [[h, 1 - h] if r else [1 - h, h] for h, r in zip(highest, right, strict=True)]
    scores = replace(with_right(right, list("abcd")), scores=np.array(values))
    by_hand = (2 * abs(0.5 - 0.95) + abs(1 - 0.8) + abs(0 - 0.6)) / 4
    assert calibration_error(scores) == pytest.approx(100 * by_hand)


def test_bins_hold_their_upper_edge_and_videos_in_one_bin_are_counted_together():
    highest, right = [0.6, 0.59, 0.61], [True, False, False]
    values = [[h, 1 - h] if r else [1 - h, h] for h, r in zip(highest, right, strict=True)]
    scores = replace(with_right(right, list("abc")), scores=np.array(values))
    # 0.59 and 0.6 = 9 / 15 are in the ninth bin, 0.61 in the tenth.
    assert calibration_error(scores) == pytest.approx(100 * (abs(1 - 0.6 - 0.59) + 0.61) / 3)
    sure = replace(scores, scores=np.eye(2)[[0, 1, 1]])
    assert calibration_error(sure) == pytest.approx(100 * 2 / 3)


def test_without_groups_the_interval_is_the_binomials():
    right = [i % 10 < 7 for i in range(400)]
    low, high = bootstrap_interval([with_right(right, [f"g{i}" for i in range(400)])], 4000, 0)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 400) * 100
    assert low == pytest.approx(70 - half, abs=0.5)
    assert high == pytest.approx(70 + half, abs=0.5)


def test_clips_of_one_group_count_once_for_the_interval():
    """Ten equal clips in each of 40 groups: as wide as with 40 videos, not with 400."""
    right = [(i // 10) % 10 < 7 for i in range(400)]
    low, high = bootstrap_interval([with_right(right, [f"g{i // 10}" for i in range(400)])], 4000, 0)
    half = 1.96 * np.sqrt(0.7 * 0.3 / 40) * 100
    assert (high - low) / 2 == pytest.approx(half, abs=1.5)


def test_a_group_in_several_splits_is_drawn_for_all_of_them_at_once():
    """The same test set three times over says no more than once."""
    one = with_right([i % 10 < 7 for i in range(100)], [f"g{i}" for i in range(100)])
    assert bootstrap_interval([one] * 3, 500, 0) == pytest.approx(bootstrap_interval([one], 500, 0))


def recipe(rows: list[dict], seeds: int = 1) -> TableRecipe:
    content = {
        "table": {"title": "T", "rows": rows},
        "paper_names": {"primary": "UCF-101", "secondary": "HMDB-51"},
        "our_names": {"primary": "demo_a", "secondary": "demo_b"},
        "interval": {"resamples": 100, "seed": 0},
        "seeds": seeds,
        "methods": ["not-ours"],
    }
    return parse(TableRecipe, content, "test")


def test_a_table_has_the_papers_rows_in_its_order_with_our_numbers():
    three = [with_right([True] * k + [False] * (4 - k), list("abcd")) for k in (1, 2, 4)]
    table = make_table(
        recipe(
            [
                {"row": "IDT", "dataset": "secondary", "splits": [1, 2, 3], "paper": 57.2, "cited": "W"},
                {
                    "row": "Ours",
                    "setting": "x",
                    "dataset": "primary",
                    "splits": [1, 2],
                    "paper": 80,
                    "run": "r",
                },
                {"row": "Other", "dataset": "primary", "splits": [1], "paper": None, "run": "s"},
            ]
        ),
        three,
    )
    assert table["row"].tolist() == ["IDT", "Ours", "Other"]
    assert table["paper_dataset"].tolist() == ["HMDB-51", "UCF-101", "UCF-101"]
    assert table["run"].tolist() == ["cited: W", "r", "s"]
    assert np.isnan(table["ours"][0]) and table["ours"][1:].tolist() == [37.5, 100]
    assert table["test_videos"][1:].tolist() == [8, 4]
    found = metrics("table4", table)
    # One dataset needs no name.
    assert found["table4"] == {"r": 37.5, "s": 100.0}
    assert found["nll"]["table4"] == table.set_index("run")["nll"].dropna().to_dict()
    assert found["ece"]["table4"].keys() == {"r", "s"}
    twice = pd.concat([table, table[table["run"] == "s"].assign(setting="again")])
    assert metrics("table4", twice)["table4"].keys() == {"r", "s", "s, Other, again, UCF-101"}
    both = pd.concat([table, table[table["run"] == "s"].assign(our_dataset="other")])
    assert {name: runs.keys() for name, runs in metrics("table4", both)["table4"].items()} == {
        table["our_dataset"][1]: {"r", "s"},
        "other": {"s"},
    }


def test_a_table_reads_well_and_lines_up():
    row = {"row": "R", "dataset": "primary", "splits": [1], "paper": 80.0, "run": "some-run"}
    cited = {"row": "Cited", "dataset": "primary", "splits": [1], "paper": 1.0, "cited": "X 2013"}
    text = as_text(table_rows(make_table(recipe([row, cited]), [replace(make_scores(0))])))
    lines = text.splitlines()
    assert "NLL" in lines[0] and "ECE" in lines[0]
    assert "some-run" in text and "cited: X 2013" in text
    assert len({line.index(word) for line, word in zip(lines, ("run", "some", "cited"), strict=True)}) == 1


def test_over_seeds_a_row_is_their_mean_with_its_standard_deviation():
    row = {"row": "R", "dataset": "primary", "splits": [1, 2], "paper": 80.0, "run": "r"}
    right = [[1, 2], [3, 4], [2, 3]]
    scores = [with_right([True] * k + [False] * (4 - k), list("abcd")) for of_seed in right for k in of_seed]
    table = make_table(recipe([row], seeds=3), scores)
    of_seed = 25 * np.array(right).mean(axis=1)
    assert table["ours"][0] == pytest.approx(of_seed.mean(), abs=0.01)
    assert table["sd"][0] == pytest.approx(of_seed.std(ddof=1), abs=0.01)
    assert table["seeds"][0] == 3 and table["test_videos"][0] == 8
    assert "± 25.0" in as_text(table_rows(table))
    with pytest.raises(UserError, match="need 6 score files, not 5"):
        make_table(recipe([row], seeds=3), scores[:5])


def test_a_method_that_was_not_trained_here_has_one_file_whatever_the_seeds():
    rows = [
        {"row": name, "dataset": "primary", "splits": [1], "paper": None, "run": name}
        for name in ("not-ours", "r")
    ]
    scores = [with_right([True] * k + [False] * (4 - k), list("abcd")) for k in (3, 1, 2)]
    table = make_table(recipe(rows, seeds=2), scores)
    assert table["ours"].tolist() == [75, 37.5] and table["seeds"].tolist() == [1, 2]
    assert np.isnan(table["sd"][0]) and table["sd"][1] > 0

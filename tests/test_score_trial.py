"""Trials: what each testing protocol counts, and what the table of a trial says of its ways."""

import numpy as np
import pandas as pd
import pytest

from twostream.config.benchmark import Interval, Verdicts
from twostream.config.recipes import TrialTableRecipe
from twostream.config.scale import Testing
from twostream.files import UserError
from twostream.results.formatting import as_text, read_table, trial_note, trial_rows
from twostream.results.trials import compare_trial
from twostream.training.trials.protocols import by_protocol


def test_each_protocol_counts_the_inputs_that_it_names():
    # Three frames, the centre crop and its mirror image, two classes; class 0 is the right one.
    centre = [[0.9, 0.1], [0.4, 0.6], [0.1, 0.9]]
    mirrored = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]
    found = by_protocol(np.array([centre, mirrored]), 0, Testing(frames=3, views=2))
    assert [(*way.values(), right) for way, right in found] == [
        # A third of the frames are right by the centre crop, two thirds by the mean of both.
        ("clip", 3, 1, pytest.approx(1 / 3)),
        ("clip", 3, 2, pytest.approx(2 / 3)),
        # The middle frame alone is wrong; the mean of three centre crops is (1.4, 1.6), of all (3.4, 2.6).
        ("video", 1, 1, 0.0),
        ("video", 3, 1, 0.0),
        ("video", 3, 2, 1.0),
    ]


def some_outcomes(folder, right: dict[tuple[str, int, int], list[float]]) -> str:
    rows = [
        {"video": f"v{i}", "group": f"a/{i // 2}", "counted": c, "frames": f, "crops": k, "right": value}
        for (c, f, k), values in right.items()
        for i, value in enumerate(values)
    ]
    pd.DataFrame(rows).to_csv(folder / "outcomes.csv", index=False)
    return str(folder / "outcomes.csv")


RECIPE = TrialTableRecipe(runs=["flow-10"], dataset="d", split=1, interval=Interval(resamples=200, seed=0))


def test_a_table_has_each_protocols_accuracy_and_its_difference_to_the_papers(tmp_path):
    right = {("clip", 4, 1): [0.25, 0.5, 1, 1], ("video", 1, 1): [0, 1, 1, 0], ("video", 4, 10): [1, 1, 1, 0]}
    table = compare_trial(RECIPE, [some_outcomes(tmp_path, right)])
    assert table["accuracy"].to_list() == [68.75, 50, 75]
    assert table["difference"].to_list() == [-6.25, -25, 0]
    assert (table["difference_low"] <= table["difference"]).all()
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert table["test_videos"].to_list() == [4, 4, 4]
    assert set(table["run"]) == {"flow-10"}


def test_what_is_no_file_of_outcomes_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"other\.csv: cannot be read as outcomes"):
        compare_trial(RECIPE, [str(tmp_path / "other.csv")])
    (tmp_path / "beyond.csv").write_text("video,group,right\nv,a/1,2\n")
    with pytest.raises(UserError, match=r"beyond\.csv: cannot be read .* shares beyond 0 to 1"):
        compare_trial(RECIPE, [str(tmp_path / "beyond.csv")])
    with pytest.raises(UserError, match="a file for each of 1 runs"):
        compare_trial(RECIPE, [])


TESTED = RECIPE.model_copy(
    update={"verdicts": Verdicts(marginal=1, by_far=5, level=0.05, permutations=4000, seed=0)}
)


def test_each_system_is_compared_with_its_own_last_way_and_tested(tmp_path):
    # Eight videos, each of a recording of its own; alone, six more are right untouched, and none fewer.
    right = {
        ("alone", "shuffled"): [1, 0, 0, 0, 0, 0, 0, 0],
        ("alone", "untouched"): [1, 1, 1, 1, 1, 1, 1, 0],
        ("fused", "shuffled"): [1, 0, 1, 1, 0, 0, 0, 0],
        ("fused", "untouched"): [0, 1, 1, 1, 0, 0, 0, 0],
    }
    rows = [
        {"video": f"v{i}", "group": f"a/{i}", "system": system, "probe": probe, "right": value}
        for (system, probe), values in right.items()
        for i, value in enumerate(values)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "outcomes.csv", index=False)
    table = compare_trial(TESTED, [str(tmp_path / "outcomes.csv")])
    assert table["difference"].to_list() == [-75, 0, 0, 0]
    # Signs of six differences: all alike in 2 of 64 cases; McNemar's is the binomial of the same.
    assert table["p_mcnemar"].to_list() == pytest.approx([2 / 64, 1, 1, 1], rel=0.01)
    assert table["p_groups"].to_list() == pytest.approx([2 / 64, 1, 1, 1], rel=0.4)
    table.to_csv(tmp_path / "table.csv", index=False)
    shown = as_text(trial_rows(read_table(str(tmp_path / "table.csv"))))
    assert "alone, shuffled" in shown and "p (McNemar)" in shown and "0.0312" in shown
    short = f"In short: shuffled: -75.0 to +0.0 points, {(table['p_groups'] < 0.05).sum()} of 2 with p"
    assert trial_note(table).startswith(short) and trial_note(table.drop(columns="p_groups")) == ""

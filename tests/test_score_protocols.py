"""Testing protocols: what each counts, and what their table says of it."""

import numpy as np
import pandas as pd
import pytest

from twostream.config.benchmark import Interval
from twostream.config.recipes import ProtocolsRecipe
from twostream.config.scale import Testing
from twostream.files import UserError
from twostream.results.protocols import compare_protocols
from twostream.training.protocols import outcomes


def test_each_protocol_counts_the_inputs_that_it_names():
    # Three frames, the centre crop and its mirror image, two classes; class 0 is the right one.
    centre = [[0.9, 0.1], [0.4, 0.6], [0.1, 0.9]]
    mirrored = [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]]
    found = outcomes(np.array([centre, mirrored]), 0, Testing(frames=3, views=2))
    assert [tuple(row.values()) for row in found] == [
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


RECIPE = ProtocolsRecipe(runs=["flow-10"], dataset="d", split=1, interval=Interval(resamples=200, seed=0))


def test_a_table_has_each_protocols_accuracy_and_its_difference_to_the_papers(tmp_path):
    right = {("clip", 4, 1): [0.25, 0.5, 1, 1], ("video", 1, 1): [0, 1, 1, 0], ("video", 4, 10): [1, 1, 1, 0]}
    table = compare_protocols(RECIPE, [some_outcomes(tmp_path, right)])
    assert table["accuracy"].to_list() == [68.75, 50, 75]
    assert table["difference"].to_list() == [-6.25, -25, 0]
    assert (table["difference_low"] <= table["difference"]).all()
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert table["test_videos"].to_list() == [4, 4, 4]
    assert set(table["run"]) == {"flow-10"}


def test_what_is_no_file_of_outcomes_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"other\.csv: cannot be read as outcomes"):
        compare_protocols(RECIPE, [str(tmp_path / "other.csv")])
    with pytest.raises(UserError, match="a file for each of 1 runs"):
        compare_protocols(RECIPE, [])

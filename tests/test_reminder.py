"""What is said at the end of a call: results that DVC does not know are deleted by `dvc exp run`."""

from types import SimpleNamespace

import pytest

from twostream.plan.reminder import reminder


@pytest.mark.parametrize(
    ("made", "by_dvc", "is_told"),
    [
        (["models/temporal/flow-10/demo_a-split1-seed0.safetensors"], False, True),
        (["report/report.html", "data/videos/demo_a.csv"], False, True),
        (["report/report.html"], False, False),
        ([], False, False),
        (["results/table3.csv"], True, False),
    ],
)
def test_what_dvc_versions_and_has_not_made_itself_is_to_be_recorded(monkeypatch, made, by_dvc, is_told):
    monkeypatch.delenv("DVC_STAGE", raising=False)
    if by_dvc:
        monkeypatch.setenv("DVC_STAGE", "tables")
    said = reminder(SimpleNamespace(outputs=[file]) for file in made)
    assert bool(said) == is_told

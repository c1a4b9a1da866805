"""How far jobs are: what a log says, and the command that gathers it."""

import os
import subprocess

import pytest
from conftest import ENVIRONMENT, ROOT

from twostream.progress import duration, line

STATE = {"prefix": "training", "unit": " iterations", "initial": 0, "rate": 2.625, "postfix": "loss=1.21"}


def said(**state: object) -> str:
    return line({**STATE, **state})


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        # 48,800 iterations at 2.625 a second are 18,590 s.
        ({"n": 31_200}, "training: 31,200 of 80,000 iterations, 5 h 10 min left, loss 1.21"),
        ({"n": 80_000}, "training: 80,000 of 80,000 iterations, done in 8 h 20 min, loss 1.21"),
        # No rate yet: that since the start, where a checkpoint was.
        (
            {"n": 40_000, "initial": 10_000, "rate": None},
            "training: 40,000 of 80,000 iterations, 11 h 7 min left, loss 1.21",
        ),
        ({"n": 0, "rate": None, "elapsed": 0, "postfix": None}, "training: 0 of 80,000 iterations"),
        ({"prefix": "a.zip", "n": 2_500_000, "total": None, "unit": "B", "postfix": None}, "a.zip: 2.50MB"),
    ],
)
def test_a_line_tells_how_far_and_how_long_still(state, expected):
    assert said(**{"total": 80_000, "elapsed": 30_000, **state}) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(7.6, "8 s"), (200, "3 min 20 s"), (3599.7, "1 h 0 min"), (90_061, "25 h 1 min")],
)
def test_durations(seconds, expected):
    assert duration(seconds) == expected


def test_running_jobs_are_shown_and_no_others(tmp_path):
    logs = {
        "train_stream/temporal/flow-10/a-split1-seed0": "SLURM job 12 on node n1\n"
        "training: 0 of 9 iterations\ntraining: 3 of 9 iterations, 6 s left, loss 1.2\n",
        "score_videos/b": "scoring: 9 of 9, done in 2 s\n",
        "extract_flow/c/1": "forward flow: 1 of 3, 20 s left\n",
        "make_table/d": "",
    }
    for name, text in logs.items():
        log = tmp_path / f"logs/{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text)
    old = tmp_path / "logs/extract_flow/c/1.log"
    os.utime(old, (0, old.stat().st_mtime - 3600))
    command = ["python", ROOT / "scripts/show_progress.py"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert done.stdout == (
        "train_stream/temporal/flow-10/a-split1-seed0: training: 3 of 9 iterations, 6 s left, loss 1.2"
        " (SLURM job 12 on node n1)\n"
    ), done.stderr
    for log in (tmp_path / "logs").rglob("*.log"):
        log.unlink()
    command = ["python", ROOT / "scripts/show_progress.py"]
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True)
    assert "no job is at work here" in done.stdout

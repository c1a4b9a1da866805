"""What the terminal shows of a run: a line a job."""

import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from twostream.plan import job_lines
from twostream.plan.job_lines import JobLines


@pytest.fixture
def clock(monkeypatch):
    times = [0.0]
    monkeypatch.setattr(job_lines.time, "monotonic", lambda: times[0])
    return times


@pytest.fixture
def terminal(clock):
    """Records go in, lines come out: of three jobs of 10, 100 and 90 expected seconds."""
    lines = JobLines(logging.Formatter())
    lines.expect({1: 10.0, 2: 100.0, 3: 90.0})

    def said(event: LogEvent | None, message: str = "", **facts: object) -> str:
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, message, None, None)
        vars(record).update(facts, event=event)
        return lines.format(record) if lines.filter(record) else ""

    return said


def begins(terminal, number: int, rule: str, *outputs: str) -> str:
    return terminal(LogEvent.JOB_INFO, jobid=number, rule_name=rule, output=list(outputs))


def ends(terminal, done: int, *numbers: int) -> str:
    for number in numbers:
        assert terminal(LogEvent.JOB_FINISHED, "Finished jobid", job_id=number) == ""
    return terminal(LogEvent.PROGRESS, done=done, total=3)


def test_a_job_is_a_line_when_it_ends_with_the_time_that_is_left(terminal, clock):
    assert begins(terminal, 1, "index_folder", "data/videos/a.csv", "data/videos/a.record.json") == ""
    clock[0] = 20.0
    # Twice as long as expected: so 2 * 190 s are left.
    left = "1 of 3  index_folder  data/videos/a.csv: 20 s; about 6 min 20 s left"
    assert ends(terminal, 1, 1) == left
    announced = "train_stream  models/a.safetensors: begins, about 1 min 40 s expected"
    assert begins(terminal, 2, "train_stream", "models/a.safetensors") == announced
    begins(terminal, 3, "score", "scores/a.npz")
    clock[0] = 400.0
    lines = ends(terminal, 3, 2, 3).splitlines()
    assert lines == [
        "2 of 3  train_stream  models/a.safetensors: 6 min 20 s; about 5 min 27 s left",
        "3 of 3  score         scores/a.npz: 6 min 20 s",
    ]


def test_a_failed_job_is_shown_with_its_log_and_without_its_command(terminal, tmp_path):
    (tmp_path / "a.log").write_text("error: the loss is not finite")
    facts = {"rule_name": "train_stream", "output": ["models/a"], "log": [str(tmp_path / "a.log")]}
    said = terminal(LogEvent.JOB_ERROR, rule_msg="SLURM-job '7' failed", shellcmd="python a", **facts)
    assert said.startswith("failed: train_stream  models/a: SLURM-job '7' failed\n")
    assert "error: the loss is not finite" in said and "python a" not in said
    assert terminal(LogEvent.ERROR, "CalledProcessError in file x: python a --recipe {}") == ""


def test_a_target_that_makes_nothing_is_no_line(terminal):
    begins(terminal, 3, "tables")
    assert ends(terminal, 3, 3) == ""


def test_what_is_said_of_no_job_stays(terminal):
    assert terminal(None, "Nothing to be done") == "Nothing to be done"
    assert terminal(None, "Execute 2 jobs...") == "" == terminal(LogEvent.SHELLCMD, "python a")

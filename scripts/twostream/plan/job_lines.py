"""What a call of Snakemake says in the terminal: a line a job, with the time that is likely left.

The log in `.snakemake/log` has all that Snakemake itself says, and `--verbose` has it in the terminal.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

from snakemake.logging import get_event, logger, show_logs
from snakemake_interface_logger_plugins.common import LogEvent

from twostream.config.settings import Config
from twostream.plan.datasets import dataset_of, planned_dataset
from twostream.plan.durations import seconds_of
from twostream.plan.rates import EXPECTED
from twostream.progress import duration
from twostream.provenance.steps import Step

# Jobs that are expected to take longer (seconds) are announced when they begin.
LONG = 60.0
# What Snakemake says between jobs, and of its set-up.
SAID = ("Select jobs to execute", "Execute ", "Using workflow specific profile", "Config file ", "Assuming ")
NEITHER = {
    LogEvent.JOB_FINISHED,
    LogEvent.JOB_STARTED,
    LogEvent.SHELLCMD,
    LogEvent.WORKFLOW_STARTED,
    LogEvent.RESOURCES_INFO,
}


class JobLines(logging.Formatter, logging.Filter):
    """Formats Snakemake's records, and keeps back those of which nothing is said."""

    def __init__(self, others: logging.Formatter) -> None:
        """`others` formats what is no event of a job."""
        logging.Formatter.__init__(self)
        logging.Filter.__init__(self)
        self._others = others
        self._expected: dict[int, float] = {}
        self._begun: dict[int, tuple[str, str, float]] = {}
        self._ended: list[int] = []
        self._start, self._done, self._width = time.monotonic(), 0.0, 0

    def expect(self, seconds: Mapping[int, float]) -> None:
        """Say how long each job is expected to take, in seconds by its number."""
        self._expected = dict(seconds)
        self._start = time.monotonic()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether something is said of a record."""
        event, told = get_event(record), vars(record)
        if event == LogEvent.JOB_INFO:
            number, (output, *_) = told["jobid"], told["output"] or [""]
            self._begun[number] = (told["rule_name"], str(output), time.monotonic())
            return self._expected.get(number, 0.0) >= LONG
        if event == LogEvent.JOB_FINISHED:
            self._ended.append(told["job_id"])
        message = str(record.msg or "")
        # The latter holds a failed job's command, with its recipe; the job was shown, and its log.
        return event not in NEITHER and not message.startswith(SAID) and "CalledProcessError" not in message

    def format(self, record: logging.LogRecord) -> str:
        """Return what is said of a record."""
        event, told = get_event(record), vars(record)
        if event == LogEvent.JOB_INFO:
            expected = duration(self._expected[told["jobid"]])
            return f"{self._job(told['jobid'])}: begins, about {expected} expected"
        if event == LogEvent.PROGRESS:
            return "\n".join(self._ends(told["done"], told["total"]))
        if event == LogEvent.JOB_ERROR:
            return self._failed(told)
        return self._others.format(record)

    def _ends(self, done: int, total: int) -> list[str]:
        lines, counted = [], len(str(total))
        first = done - len(self._ended) + 1
        for count, number in enumerate(self._ended, first):
            self._done += self._expected.get(number, 0.0)
            took = time.monotonic() - self._begun[number][2] if number in self._begun else 0.0
            left = self._left() if count < total else ""
            if number in self._begun and not self._begun[number][1]:
                continue  # A target that makes nothing itself.
            lines.append(f"{count:{counted}} of {total}  {self._job(number)}: {duration(took)}{left}")
        self._ended.clear()
        return lines

    def _left(self) -> str:
        """How long the other jobs are likely to take, by how long those took that have ended."""
        waiting = sum(self._expected.values()) - self._done
        if not self._done or waiting <= 0:
            return ""
        return f"; about {duration((time.monotonic() - self._start) * waiting / self._done)} left"

    def _job(self, number: int) -> str:
        rule, output, _ = self._begun.get(number, ("job", str(number), 0.0))
        self._width = max(self._width, len(rule))
        return f"{rule:{self._width}}  {output}"

    def _failed(self, told: Mapping[str, Any]) -> str:
        output, *_ = told["output"] or ["-"]
        said = f": {told['rule_msg']}" if told["rule_msg"] else ""
        return "\n".join([f"failed: {told['rule_name']}  {output}{said}", *show_logs(told["log"] or [])])


def speak_in_lines(workflow: Any) -> JobLines | None:
    """Have the terminal show a line a job, unless it is a dry run, or `--verbose`; return who writes it."""
    settings = workflow.output_settings
    if settings.dryrun or settings.verbose or not workflow.is_main_process:
        return None
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler" and handler.formatter:
            lines = JobLines(handler.formatter)
            handler.setFormatter(lines)
            handler.addFilter(lines)
            return lines
    return None


def expected_seconds(
    steps: Mapping[int, Step], config: Config, indexed: Mapping[str, int]
) -> dict[int, float]:
    """Return how long jobs are expected to take, by their numbers; nothing if a dataset's size is unknown."""
    datasets = {dataset for step in steps.values() if (dataset := dataset_of(step, config))}
    if any(name not in indexed and not planned_dataset(name, config).has_known_size for name in datasets):
        return {}
    return {
        number: seconds_of(step, dataset_of(step, config), config, indexed, EXPECTED)
        for number, step in steps.items()
    }

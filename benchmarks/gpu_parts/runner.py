"""Runs the parts, each in processes of its own that are ended at its limit, and one after another."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gpu_parts.place import MISSING
from gpu_parts.report import Report
from gpu_parts.table import status_line

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Part:
    """A part: its module, the seconds it may take, those it needs at least, and the libraries it needs."""

    name: str
    module: str
    limit: float
    least: float
    needs: tuple[str, ...] = ("numpy", "torch")


class Runner:
    """Runs parts within a number of seconds; what each finds goes to the report, and to the screen."""

    def __init__(self, report: Report, device: str, sizes: str, seconds: float) -> None:
        self._report, self._device, self._sizes = report, device, sizes
        self._started, self._seconds = time.monotonic(), seconds
        self._log = report.path.with_suffix(".log")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._log.write_text("")

    def run(self, part: Part) -> str:
        """Run a part, or skip it and say why; return its status."""
        began = time.monotonic()
        left = self._seconds - (began - self._started)
        self._report.begin(part.name)
        if missing := [name for name in part.needs if find_spec(name) is None]:
            status, why = "skipped", f"needs {', '.join(missing)}, which {_is(missing)} not here"
        elif left < part.least:
            status, why = "skipped", f"needs {part.least:.0f} s, and {max(0, left):.0f} are left"
        else:
            status, why = self._run(part, min(part.limit, left))
        now = time.monotonic()
        ended = self._report.end(status, why, now - began, now - self._started)
        print(status_line(ended), flush=True)
        return ended["status"]

    def _run(self, part: Part, limit: float) -> tuple[str, str]:
        command = [sys.executable, "-m", "gpu_parts", part.name, part.module]
        command += [str(self._report.path), self._device, self._sizes]
        with self._log.open("a") as log:
            log.write(f"== {part.name}\n")
            log.flush()
            # A process group of its own, so that whatever it starts ends with it.
            process = subprocess.Popen(command, env=_environment(), stderr=log, process_group=0)
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                return "cut", f"at its limit of {limit:.0f} s"
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code == 0:
            return "done", ""
        last = self._last_line()
        return ("skipped", last) if code == MISSING else ("failed", f"{last} (exit {code})")

    def _last_line(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")[:300]


def _is(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _environment() -> dict[str, str]:
    paths = [str(ROOT / "scripts"), str(ROOT / "benchmarks"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}

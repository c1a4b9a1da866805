"""How far a script is: a bar, or where it is a job of the workflow's a line of its log now and then."""

import os
import sys
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

from twostream.provenance.locks import STARTED_BY

# Between two lines of a log, in seconds.
INTERVAL = 30.0


class ProgressBar(tqdm):
    """tqdm's bar; in the log of a job two lines a minute, such as

    training: 31,200 of 80,000 iterations, 5 h 10 min left, loss 1.21
    """

    def __init__(
        self, iterable: Any = None, desc: str = "", total: int | None = None, **options: Any
    ) -> None:
        self._in_log = STARTED_BY in os.environ and not sys.stderr.isatty()
        if self._in_log:
            options |= {"mininterval": INTERVAL, "maxinterval": INTERVAL}
        super().__init__(iterable, desc, total, **options)

    def display(self, msg: str | None = None, pos: int | None = None) -> None:
        """Show how far it is; an empty `msg`, which wipes a bar, leaves a log as it is."""
        if not self._in_log:
            super().display(msg, pos)
        elif msg != "":
            print(line(self.format_dict), file=sys.stderr, flush=True)

    def close(self) -> None:
        """End it; on a terminal the bar stays."""
        if self._in_log and not self.disable:
            self.display()
            # What tqdm writes at the end is for bars.
            self.leave = False
        super().close()

    def clear(self, nolock: bool = False) -> None:
        """Take the bar away while something else is written; a log has none."""
        if not self._in_log:
            super().clear(nolock)


def line(state: Mapping[str, Any]) -> str:
    """Return a line of a log that says what tqdm's `format_dict` says."""

    def amount(number: float) -> str:
        if state["unit"] == "B":
            return f"{tqdm.format_sizeof(number)}B"
        return f"{number:,.0f}"

    done, total = state["n"], state["total"]
    since_start = done - (state["initial"] or 0)
    rate = state["rate"] or (since_start / state["elapsed"] if state["elapsed"] else 0)
    unit = "" if state["unit"] in ("it", "B") else state["unit"]
    parts = [f"{state['prefix']}: {amount(done)}" + (f" of {amount(total)}" if total else "") + unit]
    if total and done >= total:
        parts.append(f"done in {duration(state['elapsed'])}")
    elif total and rate:
        parts.append(f"{duration((total - done) / rate)} left")
    if state["postfix"]:
        parts.append(state["postfix"].replace("=", " "))
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Return a duration as one says it: `5 h 10 min`, `3 min 20 s`, `8 s`."""
    if round(seconds) >= 3600:
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes} min"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

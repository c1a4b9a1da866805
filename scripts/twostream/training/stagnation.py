"""Trainings that do not learn, told by their curves: their loss stays that of guessing."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

# A row of a curve: iteration, learning rate, loss (nats, summed over tasks), accuracy (%).
Row = tuple[int, float, float, float]

# From this share of the schedule on, a training should lose less than by guessing, by so many nats.
GRACE = 0.05
MARGIN = 0.1


@dataclass(frozen=True)
class Stagnation:
    """What tells of a training whether it learns: the loss to be below (nats), and from where on."""

    loss: float
    first: float

    @classmethod
    def of(cls, classes: Iterable[int], iterations: int) -> "Stagnation":
        """Return that of a training with tasks of so many classes each: guessing loses the sum of ln K."""
        return cls(sum(map(math.log, classes)) - MARGIN, GRACE * iterations)

    def until(self, curve: Sequence[Row]) -> int | None:
        """Return the iteration up to which all rows from `first` on are no better than guessing, or None.

        What was better once has learned; a bad batch later does not count.
        """
        checked = ((iteration, loss) for iteration, _, loss, _ in curve if iteration >= self.first)
        stuck = [iteration for iteration, loss in takewhile(lambda row: row[1] > self.loss, checked)]
        return stuck[-1] if stuck else None

    def warning(self, curve: Sequence[Row]) -> str | None:
        """Return what to tell if a curve's last row is the first that should be better, and is not."""
        iteration, _, loss, _ = curve[-1]
        is_first = iteration >= self.first and not any(row[0] >= self.first for row in curve[:-1])
        if not is_first or self.until(curve) is None:
            return None
        return (
            f"warning: at iteration {iteration} the loss is {loss:.2f}, no better than by guessing"
            f" ({self.loss + MARGIN:.2f}): so far nothing is learned. What usually helps: another `rate` in"
            " `schedules` of the scale, lower or higher; other initial weights (`initialisation` of the run);"
            " and a look at the data, whether labels fit the videos"
        )

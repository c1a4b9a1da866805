"""Trials: the ways beside the paper's own in which the test videos of a model are tested, as data.

What differs from one trial to another is said here, once, and in its module in `training/trials`; all else
asks. A new trial needs an entry here, that module, and the caption of its page (`workflow/report`).
"""

from dataclasses import dataclass
from typing import Literal

TrialName = Literal["protocols", "probes"]


@dataclass(frozen=True)
class Trial:
    """A trial: which runs are tried, and how; its name is that of its table in results/."""

    title: str
    category: str
    """Under which the report lists its page."""
    of_motion: bool = False
    """Whether its table is of all runs that see motion; else it is of those of the two-stream model."""
    passes: int = 1
    """How often, at most, each test video goes through the network."""
    fused: bool = False
    """Whether a run is also tried together with the spatial one that it is averaged with."""
    tested: bool = False
    """Whether differences are tested as those of claims are."""
    with_tables: bool = False
    """Whether it comes with the paper's tables; else it is a target of its own, and in the report if here."""


TRIALS: dict[TrialName, Trial] = {
    "protocols": Trial(
        title="The same models by other testing protocols",
        category="Testing protocols",
        with_tables=True,
    ),
    "probes": Trial(
        title="Models that see motion, on flow and frames that were tampered with",
        category="Probes",
        of_motion=True,
        passes=4,
        fused=True,
        tested=True,
    ),
}

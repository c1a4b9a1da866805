"""Where a part computes, how large, and to whom it tells what it finds."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gpu_parts.report import Report
from gpu_parts.sizes import Sizes
from gpu_parts.table import line

# With which a part's process exits after it has named on its last line what is missing.
MISSING = 3


@dataclass(frozen=True)
class Place:
    """A part's device (`cuda` or `cpu`) and sizes, and the report that its rows go to."""

    part: str
    device: str
    sizes: Sizes
    report: Report

    def measured(self, what: str, figures: dict[str, float], wrong: str = "") -> None:
        """Tell what was measured, by its units, and which of it cannot be right."""
        # JSON has neither infinity nor what is not a number.
        finite = {unit: value if math.isfinite(value) else None for unit, value in figures.items()}
        self._add({"what": what, "figures": finite} | ({"wrong": wrong} if wrong else {}))

    def said(self, what: str, says: str) -> None:
        """Tell a thing that is no number."""
        self._add({"what": what, "says": says})

    def skipped(self, what: str, why: str) -> None:
        """Tell what could not be measured, and why."""
        self._add({"what": what, "skipped": why})

    @contextmanager
    def skipping(self, what: str) -> Iterator[None]:
        """Skip what the block measures if a library or the memory for it is missing."""
        import torch

        try:
            yield
        except ImportError as error:
            self.skipped(what, why_missing(error))
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            self.skipped(what, "does not fit in the GPU's memory")

    def _add(self, row: dict[str, Any]) -> None:
        self.report.add(row)
        print(line(self.part, row), flush=True)


def why_missing(error: ImportError) -> str:
    """Return which library is missing; raise the error if it is one of this project's own modules."""
    library = (error.name or "").partition(".")[0]
    if library in ("", "twostream", "gpu_parts"):
        raise error
    if isinstance(error, ModuleNotFoundError):
        return f"needs {library}, which is not here"
    return f"needs {library}, which cannot be imported: {error}"

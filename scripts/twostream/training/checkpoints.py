"""Checkpoints: what a training that was killed goes on from.

A training is a function of its spec and the number of iterations done: samples and dropout are drawn
by number, so weights, momentum and the curve so far are all its state.
"""

import pickle
import sys
import time
from pathlib import Path
from typing import Any

import torch

from twostream.files import atomic_write

# At the full scale a checkpoint is 0.7 GB: seldom enough to cost nothing, often enough to lose little.
SECONDS_BETWEEN = 300.0


class Checkpoint:
    """The checkpoint of one training, a scratch file; without a spec there is none to go on from."""

    def __init__(self, path: str | Path, spec: str | None) -> None:
        self._path = Path(path)
        # Another version of torch may round otherwise, and the model's record names one only.
        self._identity = f"{spec} torch {torch.__version__}" if spec else None
        self._saved = time.monotonic()

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the state saved by a call with the same spec; None if there is none.

        One that cannot be read is told and left out, as the training can start anew.
        """
        if not self.is_kept or not self._path.exists():
            return None
        try:
            content = torch.load(self._path, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            print(f"{self._path}: cannot be read, starting anew: {error}", file=sys.stderr)
            return None
        if content["identity"] != self._identity:
            print(f"{self._path}: is of another recipe, starting anew", file=sys.stderr)
            return None
        return content["state"]

    @property
    def is_kept(self) -> bool:
        """Whether what is saved can be gone on from."""
        return self._identity is not None

    def due(self) -> bool:
        """Whether it is time to save."""
        return self.is_kept and time.monotonic() - self._saved >= SECONDS_BETWEEN

    def save(self, state: dict[str, Any]) -> None:
        """Write the state (tensors, numbers, lists and dictionaries), whole or not at all; if it is kept."""
        if not self.is_kept:
            return
        with atomic_write(self._path) as part:
            torch.save({"identity": self._identity, "state": state}, part)
        self._saved = time.monotonic()

    def delete(self) -> None:
        """Remove the file, once the model that it led to is written, and its record."""
        self._path.unlink(missing_ok=True)

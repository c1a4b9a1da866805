"""What the networks expect of an input: the scale of its values, and its number of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twostream.config.streams import KINDS

if TYPE_CHECKING:
    from twostream.config.benchmark import Input


def channels(what: Input) -> int:
    """Return the number of channels of an input."""
    return what.length * len(KINDS[what.kind].channels)

"""What the networks expect of an input: the scale of its values, and its number of channels."""

from twostream.config.benchmark import Input
from twostream.config.streams import KINDS


def channels(what: Input) -> int:
    """Return the number of channels of an input."""
    return what.length * len(KINDS[what.kind].channels)

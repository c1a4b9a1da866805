"""What is set in config/config.yaml, and what its scale leaves out."""

from collections.abc import Iterator

from twostream.config.loading import load_config
from twostream.config.settings import Choices


def lines() -> Iterator[str]:
    """Yield the settings in a line, and what of the benchmark the scale leaves out."""
    config = load_config()
    chosen = (f"{name} {getattr(config, name)}" for name in Choices.model_fields)
    yield ", ".join([f"scale {config.scale_name}", *chosen])
    yield from config.told_left_out

"""What a key may be set to, in the words of the manual, as its schema says."""

from typing import Any

from twostream.config.types import VALUES

NOTHING = ", or nothing"
KINDS = {"array": "a list", "object": "entries by name", "string": "text"}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


def values(content: dict[str, Any], required: bool) -> str:
    """Return what a key may be set to, with its default; `content` is its part of a model's schema."""
    default = content.get("default")
    if choices := _choices(content):
        return ", ".join(_shown(choice) + " (default)" * (choice == default) for choice in choices)
    text = _text(content)
    if required or text.endswith(NOTHING):
        return text
    if isinstance(default, int | float | str) and default != "":
        return f"{text} (default {_shown(default)})"
    return f"{text}, or left out"


def _text(content: dict[str, Any]) -> str:
    if VALUES in content:
        return str(content[VALUES])
    if choices := _choices(content):
        return ", ".join(map(_shown, choices))
    if "anyOf" in content:
        (some,) = (kind for kind in content["anyOf"] if kind.get("type") != "null")
        return _text(some) + NOTHING
    if "oneOf" in content:
        return f"keys, with a `kind`: {', '.join(map(_shown, content['discriminator']['mapping']))}"
    if "$ref" in content:
        return "keys"
    return KINDS.get(content["type"]) or _range(content)


def _choices(content: dict[str, Any]) -> list[Any]:
    """All values that there are, if they are few."""
    if content.get("type") == "boolean":
        return [False, True]
    choices: list[Any] = [content["const"]] if "const" in content else content.get("enum", [])
    return choices


def _range(content: dict[str, Any]) -> str:
    low, high = content.get("minimum"), content.get("maximum")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None and content["type"] == "integer":
        return f"{low}, {low + 1}, ..."
    words = ", ".join(f"{words} {content[bound]:g}" for bound, words in BOUNDS.items() if bound in content)
    return words or "a number"


def _shown(value: Any) -> str:
    """A value as it is written in YAML; texts in backticks."""
    if isinstance(value, str):
        return f"`{value}`"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"

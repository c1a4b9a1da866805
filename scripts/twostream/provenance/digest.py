"""The short digest that specs, recipes and lists are known by."""

import hashlib
import json
from typing import Any


def digest(content: Any) -> str:
    """Return a digest (16 hexadecimal digits) of JSON-able `content`; key order does not count."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

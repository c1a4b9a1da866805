"""What a check has found so far: one JSON, rewritten whole after each finding, so that a cut loses little.

    {"device": "cuda", "sizes": "full", "started": "2026-01-31T12:00:00Z", "seconds": 312.1, "parts": [
      {"name": "flow", "status": "done", "why": "", "seconds": 61.2, "rows": [
        {"what": "Brox by Triton, batch 64", "figures": {"pairs/s": 812.3}},
        {"what": "TV-L1 by OpenCV", "skipped": "needs cv2, which is not here"}]}]}

A part's status is `running` (then the check itself was cut), `done`, `failed`, `cut` (at its limit) or
`skipped`. A row holds what was measured, or says a thing in words (`says`), or why it was skipped; `wrong`
says which of its values cannot be right.
"""

import json
from pathlib import Path
from typing import Any

from twostream.files import write_json


class Report:
    """The JSON of a check; several processes may write it, one after another."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, **facts: Any) -> None:
        """Begin a new one."""
        write_json(self.path, facts | {"seconds": 0.0, "parts": []})

    def content(self) -> dict[str, Any]:
        """Return all of it."""
        return json.loads(self.path.read_text())

    def begin(self, part: str) -> None:
        """Begin a part."""
        content = self.content()
        content["parts"].append({"name": part, "status": "running", "why": "", "seconds": 0.0, "rows": []})
        write_json(self.path, content)

    def add(self, row: dict[str, Any]) -> None:
        """Add a row to the part at work."""
        content = self.content()
        content["parts"][-1]["rows"].append(row)
        write_json(self.path, content)

    def end(self, status: str, why: str, seconds: float, total: float) -> dict[str, Any]:
        """End the part at work, and return it; one that is done has failed if one of its rows is wrong."""
        content = self.content()
        part = content["parts"][-1]
        if status == "done" and (wrong := [row for row in part["rows"] if "wrong" in row]):
            status, why = "failed", f"{len(wrong)} of its rows are wrong"
        part |= {"status": status, "why": why, "seconds": round(seconds, 1)}
        content["seconds"] = round(total, 1)
        write_json(self.path, content)
        return part

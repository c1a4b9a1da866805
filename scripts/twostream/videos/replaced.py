"""Videos whose content was replaced since they were indexed, though name and size are the same.

A file is known by its inode, its size and the kernel's time of its last change (ctime), which cannot be set
by hand: another file in its place, through whatever link or folder, has others. It is then compared with the
index by checksum, once for each such state.
"""

import csv
import json
from contextlib import suppress
from pathlib import Path

from twostream.files import write_json
from twostream.provenance.records import read_record, run_of
from twostream.videos.content import content_sha256, content_size, last_change
from twostream.videos.excerpt import whole

# The state of files when they were last looked at, and their checksum then.
SEEN = Path("scratch/seen_videos.json")


def replaced_videos(folder: Path, index: str) -> list[str]:
    """Return the videos that are others than the index has, by their bytes; those that are gone left out."""
    record = read_record(index)
    if record is None or not Path(index).exists():
        return []
    # By the file system's own clock, as the files' times are.
    written = run_of(index, record).get("times", {}).get(index) or Path(index).stat().st_mtime_ns
    seen = _read_seen()
    found, before = [], dict(seen)
    for file, expected in _indexed(index).items():
        with suppress(OSError):
            path = folder / file
            key, state = str(path.absolute()), _state(path)
            if seen.get(key, [])[:-1] != state:
                # One that is looked at for the first time, and has not changed, is what was indexed.
                unchanged = key not in seen and _changed(path, folder) < written
                seen[key] = [*state, expected if unchanged else content_sha256(path)]
            if seen[key][-1] != expected:
                found.append(file)
    if seen != before:
        with suppress(OSError):  # It only saves time.
            write_json(SEEN, seen)
    return found


def _indexed(index: str) -> dict[str, str]:
    """Return the SHA-256 of each file in an index; not by `read_index`, as pandas takes longer to load."""
    with open(index, newline="", encoding="utf-8") as stream:
        return {whole(row["file"]): row["sha256"] for row in csv.DictReader(stream)}


def _state(path: Path) -> list[object]:
    return [path.stat().st_ino, content_size(path), last_change(path)]


def _changed(path: Path, folder: Path) -> int:
    """When a file, a link that it is, or a folder on the way to it was last changed (ns)."""
    way = [path, *(place for place in path.parents if place.is_relative_to(folder))]
    return max(last_change(path), *(place.lstat().st_ctime_ns for place in way))


def _read_seen() -> dict[str, list[object]]:
    with suppress(OSError, ValueError):
        content = json.loads(SEEN.read_text())
        if isinstance(content, dict):
            return content
    return {}

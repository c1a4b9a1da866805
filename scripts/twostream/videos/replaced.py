"""Videos whose content was replaced since they were indexed, though name and size are the same.

The kernel's time of a file's last change (ctime) cannot be set by hand. A file that has changed since its
index was written is compared with that by checksum.
"""

import json
from contextlib import suppress
from pathlib import Path

from twostream.files import write_json
from twostream.provenance.records import read_record, run_of
from twostream.videos.excerpt import whole
from twostream.videos.frame_folder import content_sha256, content_size, last_change
from twostream.videos.index import read_index

# The checksums of files that changed since, by their state then.
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
    rows = read_index(index)
    for file, expected in dict(zip(map(whole, rows["file"]), rows["sha256"], strict=True)).items():
        path = folder / file
        with suppress(OSError):
            changed = last_change(path)
            if changed > written and _checksum(path, changed, seen) != expected:
                found.append(file)
    if seen != before:
        with suppress(OSError):  # It only saves time.
            write_json(SEEN, seen)
    return found


def _checksum(path: Path, changed: int, seen: dict[str, list[object]]) -> str:
    state = [content_size(path), changed]
    key = str(path.resolve())
    if seen.get(key, [])[:2] != state:
        seen[key] = [*state, content_sha256(path)]
    return str(seen[key][2])


def _read_seen() -> dict[str, list[object]]:
    with suppress(OSError, ValueError):
        content = json.loads(SEEN.read_text())
        if isinstance(content, dict):
            return content
    return {}

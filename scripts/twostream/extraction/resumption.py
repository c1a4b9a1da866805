"""Shards that outlive the job that wrote them: what a killed extraction goes on from.

Beside the shard to be lie its file so far and a journal with a line for each video that is whole in it. Both
end in `.part`, which Git and DVC leave out.
"""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ValidationError

from twostream.extraction.store import ShardWriter, WrittenVideo
from twostream.files import atomic_write, part_of


class _Head(BaseModel):
    """The journal's first line."""

    identity: str


class _Line(BaseModel):
    """Each line after it: a video, and what was damaged of it."""

    video: WrittenVideo
    damage: str


class KeptShard:
    """A shard that is written in one job or in several, one after another.

    `identity` says what is to be in it. `damaged` says of each damaged video what was lost of it.
    """

    def __init__(self, out: str | Path, identity: str) -> None:
        self._out = Path(out)
        self._file, self._journal = Path(f"{out}.kept.part"), Path(f"{out}.journal.part")
        self._identity = identity
        self.damaged: dict[str, str] = {}

    @contextmanager
    def writer(self, quality: int) -> Iterator[ShardWriter]:
        """Yield the shard's writer, with the videos that earlier jobs wrote; `note` each new one after it.

        The shard takes its place once the block has succeeded. Else its whole videos are kept.
        """
        self._out.parent.mkdir(parents=True, exist_ok=True)
        new = part_of(self._out)
        try:
            with ShardWriter(new, quality) as writer:
                self._take_over(writer)
                # From here on this file is what a next job goes on from.
                new.replace(self._file)
                self._write_journal(writer)
                yield writer
        finally:
            new.unlink(missing_ok=True)
        self._file.replace(self._out)
        self._journal.unlink()

    def note(self, writer: ShardWriter, damage: str) -> None:
        """Have the video that was written last kept, and what was damaged of it (empty: nothing)."""
        video = writer.videos[-1]
        if damage:
            self.damaged[video.name] = damage
        writer.flush()
        with self._journal.open("a") as stream:
            stream.write(self._line(video))

    def _take_over(self, writer: ShardWriter) -> None:
        noted = self._noted()
        if not noted:
            return
        with self._file.open("rb") as stream:
            for video, damage in ((line.video, line.damage) for line in noted):
                images = []
                for offset, size, crc in video.members:
                    stream.seek(offset)
                    images.append(stream.read(size))
                    if zlib.crc32(images[-1]) != crc:
                        # A disk that lost what was written last: the rest is extracted again.
                        return
                writer.add_encoded(video.name, images, video.ranges)
                if damage:
                    self.damaged[video.name] = damage

    def _noted(self) -> list[_Line]:
        """The videos that the journal has, if it is of this shard; a line that was cut short ends it."""
        try:
            head, *lines = self._journal.read_text().splitlines()
            if _Head.model_validate_json(head).identity != self._identity or not self._file.exists():
                return []
        except (OSError, ValueError):
            return []
        videos = []
        for line in lines:
            try:
                videos.append(_Line.model_validate_json(line))
            except ValidationError:
                break
        return videos

    def _write_journal(self, writer: ShardWriter) -> None:
        head = json.dumps({"identity": self._identity}) + "\n"
        with atomic_write(self._journal) as part:
            part.write_text("".join([head, *map(self._line, writer.videos)]))

    def _line(self, video: WrittenVideo) -> str:
        return _Line(video=video, damage=self.damaged.get(video.name, "")).model_dump_json() + "\n"

"""The store for frames and flow: shards of JPEG members that readers map once and slice.

A shard is a ZIP with stored members, `{video}/{number}.jpg`, written with fixed dates, so equal
input gives equal bytes. Its last member is an index (NumPy arrays) with each image's place and
checksum, and for flow each component's range and the mean vector. The archive's comment says where
the index lies, so a reader never walks the ZIP.
"""

import io
import json
import mmap
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from pydantic import BaseModel

from twostream.extraction.encoding import Encoded
from twostream.files import UserError
from twostream.npz import write_npz

INDEX = "index.npz"
COMMENT_SIZE = 100


# Memory for decoded images that a process keeps for each store: all of the default scale's.
KEPT_BYTES = 256 << 20


@dataclass(frozen=True)
class Stored:
    """Images as stored: uint8 [..., channels, height, width]; frames RGB, fields x above y.

    `ranges` [..., 3, 2] holds for fields the low, the high and the mean of each component, in px;
    a displacement is low + image * (high - low) / 255. For frames it is zero.
    """

    images: np.ndarray
    ranges: np.ndarray

    def displacement(self) -> np.ndarray:
        """Return fields restored, float32 [..., 2, height, width], in px."""
        low, high = self.ranges[..., 0, :, None, None], self.ranges[..., 1, :, None, None]
        restored = self.images.astype(np.float32)
        restored *= (high - low) / 255
        restored += low
        return restored

    def __getitem__(self, which: Any) -> "Stored":
        return Stored(self.images[which], self.ranges[which])


@dataclass(frozen=True)
class Decoded:
    """Images of one video as the store keeps them, uint8 [channels, height, width] each: not to be changed.

    `ranges` [images, 3, 2] is that of `Stored`.
    """

    images: list[np.ndarray]
    ranges: np.ndarray

    def stacked(self, rows: slice = slice(None), columns: slice = slice(None)) -> Stored:
        """Return what lies in these rows and columns, in memory of its own, [images, ...]."""
        return Stored(np.stack([image[:, rows, columns] for image in self.images]), self.ranges)


class KeptImages:
    """Decoded images kept in memory until `room` bytes are used up."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._images: dict[tuple[str, int], np.ndarray] = {}

    def get(self, key: tuple[str, int], decode: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the image under `key`, decoded now or earlier."""
        image = self._images.get(key)
        if image is None:
            image = decode()
            if image.nbytes <= self._room:
                self._room -= image.nbytes
                self._images[key] = image
        return image


class WrittenVideo(BaseModel):
    """A video in a shard: the offset, size and CRC-32 of each image, and for fields the ranges (`Stored`)."""

    name: str
    members: list[tuple[int, int, int]] = []
    ranges: list[list[list[float]]] = []


class ShardWriter:
    """Writes the videos of one shard, one after another, to `path`; use it as a context.

    `videos` are those that are written.
    """

    def __init__(self, path: str | Path, quality: int) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._quality = [cv2.IMWRITE_JPEG_QUALITY, quality]
        self.videos: list[WrittenVideo] = []

    def add_frames(self, video: str, frames: Iterable[np.ndarray]) -> int:
        """Add a video's frames, each uint8 [height, width, 3], BGR; return their number."""
        written = WrittenVideo(name=video)
        for frame in frames:
            self._add(written, self._encoded(frame))
        self.videos.append(written)
        return len(written.members)

    def add_flow(self, video: str, fields: Iterable[Encoded]) -> int:
        """Add a video's encoded displacement fields; return their number."""
        written = WrittenVideo(name=video)
        for field in fields:
            self._add(written, self._encoded(field.image))
            written.ranges.append(np.asarray(field.ranges, np.float32).tolist())
        self.videos.append(written)
        return len(written.members)

    def add_encoded(self, video: str, images: Iterable[bytes], ranges: list[list[list[float]]]) -> None:
        """Add a video as it was written before: its images, and for fields their ranges."""
        written = WrittenVideo(name=video, ranges=ranges)
        for image in images:
            self._add(written, image)
        self.videos.append(written)

    def flush(self) -> None:
        """Have the system know of all that is written, so that it outlives this process."""
        assert self._zip.fp is not None
        self._zip.fp.flush()

    def _encoded(self, image: np.ndarray) -> bytes:
        return cv2.imencode(".jpg", image, self._quality)[1].tobytes()

    def _add(self, video: WrittenVideo, image: bytes) -> None:
        offset = self._member(f"{video.name}/{len(video.members):05d}.jpg", image)
        video.members.append((offset, len(image), zlib.crc32(image)))

    def _member(self, name: str, content: bytes) -> int:
        """Write a member with a fixed date; return the offset of its content."""
        self._zip.writestr(zipfile.ZipInfo(name), content)
        assert self._zip.fp is not None
        return self._zip.fp.tell() - len(content)

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            content = io.BytesIO()
            write_npz(content, self._index())
            encoded = content.getvalue()
            place = {"offset": self._member(INDEX, encoded), "crc": zlib.crc32(encoded)}
            comment = json.dumps(place | {"size": len(encoded)})
            self._zip.comment = comment.ljust(COMMENT_SIZE).encode()
        self._zip.close()

    def _index(self) -> dict[str, np.ndarray]:
        members = [member for video in self.videos for member in video.members]
        ranges = [field for video in self.videos for field in video.ranges]
        return {
            "videos": np.array([video.name for video in self.videos], dtype=str),
            "first": np.cumsum([0, *(len(video.members) for video in self.videos)], dtype=np.int64),
            "members": np.array(members, dtype=np.int64).reshape(-1, 3),
            "flow": np.array(ranges, dtype=np.float32).reshape(-1, 3, 2),
        }


class Shard:
    """A shard opened for reading: mapped once, sliced ever after."""

    def __init__(self, path: str | Path, kept: KeptImages) -> None:
        self.path = str(path)
        self._kept = kept
        try:
            with open(path, "rb") as stream:
                self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            place = json.loads(self._bytes[-COMMENT_SIZE:])
            content = self._bytes[place["offset"] : place["offset"] + place["size"]]
            if zlib.crc32(content) != place["crc"]:
                raise ValueError("its index is damaged")
            index = np.load(io.BytesIO(content))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{path}: is not a whole shard ({error}); delete it and extract it again"
            ) from None
        self.videos: list[str] = index["videos"].tolist()
        self.first: np.ndarray = index["first"]
        self._members: np.ndarray = index["members"]
        self._flow: np.ndarray = index["flow"]

    def __reduce__(self) -> tuple[type["Shard"], tuple[str, KeptImages]]:
        # A mapping cannot be handed to another process: each worker opens the file itself.
        return Shard, (self.path, self._kept)

    def decode(self, video: int, numbers: Sequence[int]) -> Decoded:
        """Return images of the shard's video; those out of its range raise IndexError."""
        rows = self.first[video] + np.asarray(numbers)
        if rows.min() < self.first[video] or rows.max() >= self.first[video + 1]:
            raise IndexError(f"{self.path}: {self.videos[video]} has no image {max(numbers)}")
        images = [
            self._kept.get((self.path, row), partial(self._decode, row, video)) for row in rows.tolist()
        ]
        ranges = self._flow[rows] if len(self._flow) else np.zeros((len(rows), 3, 2), np.float32)
        return Decoded(images, ranges)

    def _decode(self, row: int, video: int) -> np.ndarray:
        offset, size, crc = self._members[row]
        content = self._bytes[offset : offset + size]
        image = None
        if zlib.crc32(content) == crc:
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            number = row - self.first[video]
            raise UserError(
                f"{self.path}: image {number} of {self.videos[video]} is damaged;"
                " delete the shard and extract it again"
            )
        if image.ndim == 2:
            return image.reshape(2, image.shape[0] // 2, image.shape[1])
        return np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1))


class Store:
    """All shards of a dataset's frames, or of its flow in one direction, by video.

    Raises UserError if a shard is missing or damaged, or if a video asked for is in none.
    """

    def __init__(self, shards: Iterable[str | Path]) -> None:
        self._places: dict[str, tuple[Shard, int]] = {}
        kept = KeptImages(KEPT_BYTES)
        for path in shards:
            shard = Shard(path, kept)
            self._places |= {video: (shard, i) for i, video in enumerate(shard.videos)}

    def length(self, video: str) -> int:
        """Return the number of images that the video has here."""
        shard, place = self._place(video)
        return int(shard.first[place + 1] - shard.first[place])

    def read(self, video: str, numbers: Sequence[int]) -> Stored:
        """Return a video's frames or fields with these numbers, as they are stored."""
        return self.decode(video, numbers).stacked()

    def decode(self, video: str, numbers: Sequence[int]) -> Decoded:
        """Return them each for itself, so that no more is copied than is needed of them."""
        shard, place = self._place(video)
        return shard.decode(place, numbers)

    def _place(self, video: str) -> tuple[Shard, int]:
        if video not in self._places:
            raise UserError(f"{video}: is in no shard; the shards are older than the index")
        return self._places[video]

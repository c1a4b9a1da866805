"""Archives unpacked: ZIP, RAR (up to version 4), and RAR inside either, read by libarchive.

libarchive is a library of the system, which the package libarchive-c calls. It reads many formats, some
of which refer to files outside the archive; only the formats named here are open to it.
"""

import os
import struct
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path, PurePosixPath
from typing import Any

from twostream.files import UserError, atomic_write, part_of
from twostream.progress import ProgressBar

# How each format begins, and libarchive's name for it. `zip_seekable` goes by the directory at the end
# of a ZIP: an archive that breaks off has none, and only there is it said which members are links.
# RAR 5 is not among them: libarchive (3.6) hands out its uncompressed members with wrong bytes in them.
FORMATS = {b"PK\x03\x04": "zip_seekable", b"Rar!\x1a\x07\x00": "rar"}
BLOCK = 1 << 20  # bytes
INNER = ".rar"

ANEW = "Delete it and fetch it again"

NO_LIBRARY = """libarchive, the library that unpacks archives, is missing. Install it:
  Debian, Ubuntu: apt-get install libarchive13
  conda: conda install -c conda-forge libarchive
  macOS: brew install libarchive"""
NO_BINDING = "libarchive-c, the package that unpacks archives, is missing: pip install libarchive-c"


def unpack(
    archive: Path, folder: Path, suffixes: Collection[str], names: Collection[str] | None = None
) -> list[Path]:
    """Unpack the files of an archive that have one of the `suffixes` (lower case, as `.avi`).

    With `names` (of files, in lower case) only those are unpacked; upper and lower case count as the same.

    Returns their paths below `folder`, sorted. Members keep their place in the archive; those of a RAR
    inside it land where that RAR lies, and a RAR inside that one is left alone. Each file is written
    whole or not at all, and takes the place of one that is there already.

    Raises UserError, which names the archive and the member, if the archive is missing, damaged, broken
    off, neither ZIP nor RAR, or holds nothing wanted; if a member is a link or would land outside the
    folder; if two members have the same path; if a file cannot be written; if libarchive is missing.
    """
    with ProgressBar(desc=f"unpacking {archive.name}", unit=" files") as bar:
        only = None if names is None else frozenset(names)
        unpacking = _Unpacking(_libarchive(), frozenset(suffixes), only, bar)
        try:
            unpacking.read(archive, folder, str(archive))
        except OSError as error:
            raise UserError(f"{error.filename or folder}: {error.strerror or error}") from None
    if not unpacking.written:
        wanted = f"no file that ends in {' or '.join(sorted(suffixes))}"
        raise UserError(f"{archive}: holds {wanted if only is None else 'none of the listed files'}")
    return sorted(unpacking.written)


def _libarchive() -> Any:
    """Import libarchive where it is needed and no earlier: without the library its import fails."""
    try:
        import libarchive
    except ImportError:
        raise UserError(NO_BINDING) from None
    except (OSError, AttributeError, TypeError):  # which of them depends on the system
        raise UserError(NO_LIBRARY) from None
    return libarchive


@dataclass
class _Unpacking:
    libarchive: Any
    wanted: frozenset[str]
    only: frozenset[str] | None
    bar: Any
    written: set[Path] = field(default_factory=set)

    def read(self, archive: Path, folder: Path, name: str, inside: bool = False) -> None:
        """Unpack below `folder`. Messages call the archive `name`; `inside` says it is in another."""
        kind = _format(archive, name)
        checksums: Iterator[int | None] = _rar_checksums(archive) if kind == "rar" else repeat(None)
        try:
            # "none": no packing around the archive; to unpack some kinds, other programs are started.
            with self.libarchive.file_reader(str(archive), kind, "none", BLOCK) as entries:
                for entry in entries:
                    # A member that our own look at the headers did not find (-1) counts as damaged.
                    self._take(_Member(entry, name, next(checksums, -1)), folder, inside)
        except self.libarchive.ArchiveError as error:
            raise UserError(
                f"{name}: is damaged or broken off, or packed in a way that libarchive cannot read: "
                f"{str(error.msg).rstrip('.')}. {ANEW}, or unpack it with another program."
            ) from None

    def _take(self, member: "_Member", folder: Path, inside: bool) -> None:
        target = folder / member.safe_path()
        if not member.entry.isreg:
            return
        if target.suffix.lower() in self.wanted:
            if self.only is not None and target.name.casefold() not in self.only:
                return
            if target in self.written:
                raise UserError(f"{member.archive}: holds {member.path} twice")
            with atomic_write(target) as part:
                member.write(part)
            self.written.add(target)
            self.bar.update()
        elif target.suffix.lower() == INNER and not inside:
            self._take_inner(member, target)

    def _take_inner(self, member: "_Member", target: Path) -> None:
        # libarchive goes to and fro in an archive, so an inner one must first be a file of its own.
        copy = part_of(target)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            member.write(copy)
            self.read(copy, target.parent, f"{member.archive}: {member.path}", inside=True)
        finally:
            copy.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Member:
    """A member of an archive, and the CRC32 of its content where libarchive does not check it."""

    entry: Any
    archive: str
    checksum: int | None

    @property
    def path(self) -> PurePosixPath:
        if self.entry.pathname is None:
            raise UserError(
                f"{self.archive}: holds a file whose name this system's character set cannot express; "
                "set another: export LC_ALL=C.UTF-8"
            )
        return PurePosixPath(os.fsdecode(self.entry.pathname))

    def safe_path(self) -> PurePosixPath:
        """Return the path; raise UserError if something could be written outside the folder."""
        if self.path.is_absolute() or ".." in self.path.parts:
            raise UserError(f"{self.archive}: is not unpacked: {self.path} would land outside the folder")
        if self.entry.issym or self.entry.islnk:
            raise UserError(f"{self.archive}: is not unpacked: {self.path} is a link")
        return self.path

    def write(self, target: Path) -> None:
        """Write the content; raise UserError if it is not what the archive says."""
        checksum = 0
        with target.open("wb") as stream:
            for block in self.entry.get_blocks(BLOCK):
                stream.write(block)
                checksum = zlib.crc32(block, checksum)
        # A wrong checksum in a ZIP is but a warning to libarchive, and libarchive-c then hands out a
        # block too many: the length tells it too.
        right_length = target.stat().st_size == self.entry.size
        if not right_length or self.checksum not in (None, checksum):
            raise UserError(
                f"{self.archive}: is damaged: {self.path} has not the length or the checksum that the "
                f"archive gives. {ANEW}."
            )


def _format(archive: Path, name: str) -> str:
    with archive.open("rb") as stream:
        start = stream.read(max(map(len, FORMATS)))
    for magic, format_name in FORMATS.items():
        if start.startswith(magic):
            return format_name
    raise UserError(
        f"{name}: is neither a ZIP nor a RAR archive of version 4. {ANEW}, or unpack it with another program."
    )


def _rar_checksums(archive: Path) -> Iterator[int]:
    """Yield the CRC32 of each member of a RAR 4 archive, in order.

    libarchive, as of 3.6, stops reading a member before it comes to compare this checksum.
    """
    with archive.open("rb") as stream:
        stream.seek(7)
        while len(start := stream.read(7)) == 7:
            kind, flags, length = struct.unpack("<2xBHH", start)
            fields = stream.read(max(0, length - 7))
            skipped = int.from_bytes(fields[:4], "little") if flags & 0x8000 else 0
            if kind == 0x74:
                yield int.from_bytes(fields[9:13], "little")
                # Members of 4 GiB and more have the upper half of their length further on.
                skipped += int.from_bytes(fields[25:29], "little") << 32 if flags & 0x0100 else 0
            stream.seek(skipped, os.SEEK_CUR)

"""Small ZIP and RAR archives: no free program writes RAR, so its uncompressed form is written by hand."""

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path

FILE, LINK = stat.S_IFREG | 0o644, stat.S_IFLNK | 0o777


def block(kind: int, flags: int, fields: bytes, data: bytes = b"") -> bytes:
    """A block of RAR 4: a header that begins with its own checksum, then data."""
    header = struct.pack("<BHH", kind, flags, 7 + len(fields)) + fields
    return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header + data


def rar_member(name: str, content: bytes, mode: int = FILE) -> bytes:
    encoded = os.fsencode(name)
    is_utf8 = encoded.decode("utf-8", "ignore") == name
    size, unix, version, stored = len(content), 3, 20, 0x30
    fields = struct.pack("<IIBIIBB", size, size, unix, zlib.crc32(content), 0, version, stored)
    fields += struct.pack("<HI", len(encoded), mode) + encoded
    return block(0x74, 0x8200 if is_utf8 else 0x8000, fields, content)


def rar(members: dict[str, bytes], mode: int = FILE) -> bytes:
    """A RAR 4 archive of uncompressed members: no free program writes one."""
    start = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    return start + b"".join(rar_member(*m, mode) for m in members.items()) + block(0x7B, 0x4000, b"")


def write_zip(path: Path, members: dict[str, bytes], mode: int = FILE, packed: bool = True) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            archive.writestr(info, content)
    return path


def write_rar(path: Path, members: dict[str, bytes], mode: int = FILE) -> Path:
    path.write_bytes(rar(members, mode))
    return path

"""Unpacking: ZIP, RAR and RAR inside RAR, odd names, and archives that are damaged or mean harm."""

import locale
import os
import sys
from pathlib import Path

import pytest
from archive_writers import LINK, rar, write_rar, write_zip

from twostream.files import UserError
from twostream.videos import archives
from twostream.videos.archives import unpack

ODD = 'a b\'s "q" & #1; ~+@! (x) [y] é 日本.avi'


@pytest.fixture
def video() -> bytes:
    return os.urandom(100_000) + bytes(100_000)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def left(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("write", [write_zip, write_rar])
def test_wanted_files_keep_their_place_and_their_odd_names(tmp_path, out, video, write):
    members = {f"UCF-101/Class (a)/{ODD}": video, "flat.AVI": b"1", "read.me": b"2", "empty.avi": b""}
    archive = write(tmp_path / "archive", members)
    unpacked = unpack(archive, out, {".avi"})
    assert unpacked == sorted(out / name for name in members if name != "read.me")
    assert [path.read_bytes() for path in unpacked] == [members[str(p.relative_to(out))] for p in unpacked]
    assert left(out) == sorted(str(path.relative_to(out)) for path in unpacked)


def test_names_in_another_character_set_keep_their_bytes(tmp_path, out):
    name = os.fsdecode("Gr\xfc\xdfe.avi".encode("latin-1"))
    unpack(write_rar(tmp_path / "archive.rar", {name: b"1"}), out, {".avi"})
    assert left(out) == [name]


def test_a_name_that_the_locale_cannot_express_is_refused(tmp_path, out):
    archive = write_rar(tmp_path / "archive.rar", {ODD: b"1"})
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C")
        with pytest.raises(UserError, match="LC_ALL"):
            unpack(archive, out, {".avi"})
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def test_rar_inside_rar(tmp_path, out, video):
    inner = {name: rar({f"{name}/{name}_1.avi": video, "notes.txt": b""}) for name in ("run", "wave")}
    archive = write_rar(tmp_path / "hmdb51_org.rar", {f"{name}.rar": inner[name] for name in inner})
    unpacked = unpack(archive, out, {".avi"})
    assert left(out) == ["run/run_1.avi", "wave/wave_1.avi"]
    assert all(path.read_bytes() == video for path in unpacked)


def test_a_rar_deeper_inside_is_left_alone(tmp_path, out):
    deepest = rar({"deep.avi": b"1"})
    inner = rar({"a.avi": b"1", "deep.rar": deepest})
    unpack(write_rar(tmp_path / "archive.rar", {"inner.rar": inner}), out, {".avi"})
    assert left(out) == ["a.avi"]


@pytest.mark.parametrize("write", [write_zip, write_rar])
@pytest.mark.parametrize("name", ["../evil.avi", "a/../../evil.avi", "/evil.avi"])
def test_members_outside_the_folder_are_refused(tmp_path, out, write, name):
    with pytest.raises(UserError, match=r"evil\.avi would land outside"):
        unpack(write(tmp_path / "archive", {name: b"1"}), out, {".avi"})
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("write", [write_zip, write_rar])
def test_links_are_refused(tmp_path, out, write):
    with pytest.raises(UserError, match=r"evil\.avi is a link"):
        unpack(write(tmp_path / "archive", {"evil.avi": b"/etc/passwd"}, LINK), out, {".avi"})
    assert not out.exists()


def test_an_evil_member_of_an_inner_rar_is_refused(tmp_path, out):
    archive = write_rar(tmp_path / "archive.rar", {"inner.rar": rar({"../../evil.avi": b"1"})})
    with pytest.raises(UserError, match=r"archive\.rar: inner\.rar: is not unpacked: .*evil\.avi"):
        unpack(archive, out, {".avi"})
    assert left(out) == []


def damaged(content: bytes, video: bytes) -> bytes:
    """Turn one bit of the video over."""
    place = content.index(video[:1000]) + 500
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def broken_off(content: bytes, video: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("harm", [damaged, broken_off])
@pytest.mark.parametrize("kind", ["packed zip", "stored zip", "rar", "rar in rar"])
def test_no_part_of_a_damaged_file_is_left(tmp_path, out, video, harm, kind):
    archive = tmp_path / "archive"
    members = {"a.avi": video}
    if kind == "rar in rar":
        members = {"inner.rar": damaged(rar(members), video)}
    if "zip" in kind:
        write_zip(archive, members, packed=kind == "packed zip")
    else:
        write_rar(archive, members)
    if kind != "rar in rar" or harm == broken_off:
        archive.write_bytes(harm(archive.read_bytes(), video))
    with pytest.raises(UserError, match=r"archive: .*damaged"):
        unpack(archive, out, {".avi"})
    assert not out.exists() or left(out) == []


def test_other_files_are_no_archives(tmp_path, out):
    for start in (b"<html>not found</html>", b"Rar!\x1a\x07\x01\x00", b""):
        (tmp_path / "other").write_bytes(start)
        with pytest.raises(UserError, match="neither a ZIP nor a RAR archive of version 4"):
            unpack(tmp_path / "other", out, {".avi"})
    with pytest.raises(UserError, match=r"absent\.zip: No such file"):
        unpack(tmp_path / "absent.zip", out, {".avi"})


def test_an_archive_without_anything_wanted_is_refused(tmp_path, out):
    with pytest.raises(UserError, match=r"holds no file that ends in \.avi or \.mp4"):
        unpack(write_zip(tmp_path / "archive", {"a.txt": b"1"}), out, {".avi", ".mp4"})


def test_two_members_with_one_path_are_refused(tmp_path, out):
    inner = rar({"a.avi": b"2"})
    with pytest.raises(UserError, match=r"holds a\.avi twice"):
        unpack(write_rar(tmp_path / "archive", {"a.avi": b"1", "inner.rar": inner}), out, {".avi"})


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "out").write_text("a file where a folder should be")
    with pytest.raises(UserError, match="out"):
        unpack(write_zip(tmp_path / "archive", {"a.avi": b"1"}), tmp_path / "out", {".avi"})


@pytest.mark.parametrize("found", [None, "libabsent.so"])
def test_without_the_library_the_message_says_how_to_get_it(tmp_path, out, monkeypatch, found):
    archive = write_zip(tmp_path / "archive", {"a.avi": b"1"})
    for name in [name for name in sys.modules if name.partition(".")[0] == "libarchive"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delenv("LIBARCHIVE", raising=False)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: found)
    with pytest.raises(UserError) as error:
        unpack(archive, out, {".avi"})
    assert str(error.value) == archives.NO_LIBRARY

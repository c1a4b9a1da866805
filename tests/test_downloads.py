"""Fetching: going on after a break, checking, falling back on the next source; from a local server."""

import hashlib
import json
import random
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from local_server import Served
from pydantic import ValidationError

from twostream import downloads
from twostream.config.sources import Archive, Mirror
from twostream.downloads import fetch
from twostream.files import UserError

CONTENT = random.Random(0).randbytes(3_000_000)
SOME = 16 * downloads.CHUNK


@pytest.fixture
def known(tmp_path: Path) -> Path:
    return tmp_path / "known.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archives"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(*sources: dict) -> Archive:
    return Archive.model_validate_json(json.dumps({"sources": sources}))


def left(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def only(folder: Path, name: str, content: bytes = CONTENT) -> bool:
    """Whether the folder holds the file, whole, and nothing else."""
    return left(folder) == [name] and (folder / name).read_bytes() == content


def test_a_file_is_fetched_once(server, folder, known):
    server.files["/a b.zip"] = Served(CONTENT)
    source = archive({"url": server.url("/a%20b.zip"), "size": len(CONTENT), "sha256": sha256(CONTENT)})
    server.files["/a%20b.zip"] = server.files["/a b.zip"]
    assert fetch(source, folder, known) == folder / "a b.zip"
    assert fetch(source, folder, known) == folder / "a b.zip"
    assert only(folder, "a b.zip") and server.ranges() == [None] and not known.exists()


def test_a_transfer_that_breaks_off_goes_on_where_it_ended(server, folder, known):
    server.files["/a.zip"] = Served(CONTENT, breaks=[SOME, SOME])
    fetch(archive({"url": server.url("/a.zip"), "sha256": sha256(CONTENT)}), folder, known)
    assert only(folder, "a.zip")
    assert server.ranges() == [None, f"bytes={SOME}-", f"bytes={2 * SOME}-"]


def test_a_later_run_goes_on_where_an_earlier_one_ended(server, folder, known):
    file = server.files["/a.zip"] = Served(CONTENT, breaks=[SOME] + [0] * downloads.TRIES)
    source = archive({"url": server.url("/a.zip")})
    with pytest.raises(UserError, match="IncompleteRead"):
        fetch(source, folder, known)
    assert not (folder / "a.zip").exists()
    file.breaks.clear()
    server.asked.clear()
    fetch(source, folder, known)
    assert only(folder, "a.zip") and server.ranges() == [f"bytes={SOME}-"]


def test_a_transfer_that_ended_just_before_its_check_is_only_checked(server, folder, known, monkeypatch):
    server.files["/a.zip"] = Served(CONTENT)
    source = archive({"url": server.url("/a.zip")})
    with monkeypatch.context() as killed:
        killed.setattr(downloads, "_what_is_wrong", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fetch(source, folder, known)
    fetch(source, folder, known)
    assert only(folder, "a.zip") and server.ranges() == [None, f"bytes={len(CONTENT)}-"]


def test_halves_of_two_versions_are_never_joined(server, folder, known):
    server.files["/a.zip"] = Served(CONTENT, breaks=[SOME] + [0] * downloads.TRIES)
    source = archive({"url": server.url("/a.zip")})
    with pytest.raises(UserError):
        fetch(source, folder, known)
    server.files["/a.zip"] = Served(CONTENT[::-1], version='"2"')
    fetch(source, folder, known)
    assert only(folder, "a.zip", CONTENT[::-1])


@pytest.mark.parametrize("failing", [{"ranges": False}, {"version": None}, {"version": 'W/"1"'}])
def test_without_ranges_or_versions_a_transfer_starts_anew(server, folder, known, failing):
    server.files["/a.zip"] = Served(CONTENT, breaks=[SOME], **failing)
    fetch(archive({"url": server.url("/a.zip"), "sha256": sha256(CONTENT)}), folder, known)
    assert only(folder, "a.zip") and len(server.asked) == 2


def test_a_server_that_is_busy_is_asked_again(server, folder, known):
    server.files["/a.zip"] = Served(CONTENT, statuses=[503, 429])
    fetch(archive({"url": server.url("/a.zip")}), folder, known)
    assert only(folder, "a.zip") and len(server.asked) == 3


@pytest.mark.parametrize(
    ("first", "given", "said"),
    [
        (None, {}, "404"),
        (Served(CONTENT[::-1]), {"sha256": sha256(CONTENT)}, sha256(CONTENT[::-1])),
        (Served(CONTENT[::-1]), {"md5": hashlib.md5(CONTENT).hexdigest()}, "md5"),
        (Served(CONTENT[:-1]), {"size": len(CONTENT)}, "2,999,999 bytes and should have 3,000,000"),
        (Served(b""), {}, "empty"),
        (Served(CONTENT, type="text/html; charset=utf-8"), {}, "web page"),
    ],
)
def test_where_one_source_fails_the_next_is_tried(server, folder, known, first, given, said):
    server.files = {"/2/b.rar": Served(CONTENT)} | ({"/1/a.zip": first} if first else {})
    wrong = {"url": server.url("/1/a.zip"), **given}
    fetched = fetch(archive(wrong, {"url": server.url("/2/b.rar")}), folder, known)
    assert fetched == folder / "b.rar" and only(folder, "b.rar")
    assert [path for path, _ in server.asked] == ["/1/a.zip", "/2/b.rar"]
    with pytest.raises(UserError, match=said):
        fetch(archive(wrong), folder, known)
    assert only(folder, "b.rar")


def test_the_part_of_a_source_given_up_is_not_left(server, folder, known):
    server.files["/a.zip"] = Served(CONTENT, breaks=[SOME] + [0] * downloads.TRIES)
    server.files["/b.rar"] = Served(CONTENT)
    fetch(archive({"url": server.url("/a.zip")}, {"url": server.url("/b.rar")}), folder, known)
    assert only(folder, "b.rar")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_a_certificate_that_nobody_vouches_for_is_refused(server, folder, known, tmp_path):
    made = tmp_path / "server.pem"
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout {made} -out {made}.crt"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{made}.crt", made)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.files["/a.zip"] = Served(CONTENT)
    address = server.url("/a.zip").replace("http:", "https:")
    with pytest.raises(UserError, match=r"the server's certificate is not accepted: .*self.signed"):
        fetch(archive({"url": address}), folder, known)
    assert server.asked == [] and left(folder) == []


def test_if_all_sources_fail_the_error_names_each_and_the_way_on(server, folder, known):
    dead = "http://127.0.0.1:9/dead.zip"
    with pytest.raises(UserError) as error:
        fetch(archive({"url": server.url("/absent.zip")}, {"url": dead}), folder, known)
    said = str(error.value)
    assert f"{server.url('/absent.zip')}: the server answers 404 Not Found" in said
    assert f"{dead}: the connection fails: " in said and "refused" in said
    assert "another source" in said and "folder" in said
    assert left(folder) == [] and not known.exists()


def test_what_is_unknown_is_recorded_and_checked_ever_after(server, folder, known):
    server.files["/a.zip"] = Served(CONTENT)
    url = server.url("/a.zip")
    fetch(archive({"url": url, "md5": hashlib.md5(CONTENT).hexdigest()}), folder, known)
    assert json.loads(known.read_text()) == {url: {"sha256": sha256(CONTENT), "size": len(CONTENT)}}
    (folder / "a.zip").unlink()
    server.files["/a.zip"] = Served(CONTENT[::-1])
    with pytest.raises(UserError) as error:
        fetch(archive({"url": url}), folder, known)
    said = str(error.value)
    assert sha256(CONTENT) in said and sha256(CONTENT[::-1]) in said and str(known) in said
    assert left(folder) == []
    known.unlink()
    fetch(archive({"url": url}), folder, known)
    assert only(folder, "a.zip", CONTENT[::-1])


def test_a_wrong_file_in_place_is_replaced(server, folder, known):
    server.files["/a.zip"] = Served(CONTENT)
    folder.mkdir()
    (folder / "a.zip").write_bytes(CONTENT[:-1])
    fetch(archive({"url": server.url("/a.zip"), "size": len(CONTENT)}), folder, known)
    assert only(folder, "a.zip")


def test_a_file_of_a_later_source_that_is_there_is_not_fetched_again(server, folder, known):
    folder.mkdir()
    (folder / "b.rar").write_bytes(CONTENT)
    sources = archive({"url": server.url("/a.zip")}, {"url": server.url("/b.rar")})
    assert fetch(sources, folder, known) == folder / "b.rar" and server.asked == []


@pytest.mark.parametrize("text", ["{", '{"http://a/b.zip": {"sha256": "short", "size": 1}}'])
def test_a_damaged_record_is_refused(server, folder, known, text):
    known.write_text(text)
    with pytest.raises(UserError, match=r"known\.json"):
        fetch(archive({"url": server.url("/a.zip")}), folder, known)


def test_a_folder_that_cannot_be_made_is_named(server, folder, known):
    folder.write_text("a file where a folder should be")
    with pytest.raises(UserError, match="archives: cannot be written to"):
        fetch(archive({"url": server.url("/a.zip")}), folder, known)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://host/a.zip"},
        {"url": "http://host/"},
        {"url": "http://host/%2e%2e"},
        {"url": "http://host/a.zip", "sha256": "short"},
        {"url": "http://host/a.zip", "sha256": "0" * 64, "md5": "0" * 32},
        {"url": "http://host/a.zip", "size": 0},
        {"url": "http://host/a.zip", "verify": False},
    ],
)
def test_sources_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        Mirror.model_validate(wrong)

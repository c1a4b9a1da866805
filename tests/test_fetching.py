"""Fetching the videos that a list of segments names: by HTTP, and by a user's command."""

import json
import socket
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from local_server import Served
from segment_lists import HEAD, SPLIT, frames, index, write_videos

from twostream import downloads
from twostream.config.loading import parse
from twostream.config.sources import Segments
from twostream.files import UserError
from twostream.videos.decoding import BadVideoError


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with the three videos."""
    monkeypatch.chdir(tmp_path)
    write_videos()
    return tmp_path


def served(server, *names: str) -> None:
    for name in names:
        server.files[f"/v/{name}"] = Served(Path(f"videos/{name}").read_bytes(), type="video/x-matroska")


def addressed(server, *names: str) -> str:
    parts = {"a.mkv": "train", "b.mkv": "test"}
    return "".join(
        f"{server.url(f'/v/{name}')},{label},{start},{start + 0.4},{parts.get(name, 'train')}\n"
        for name in names
        for label, start in (("Run", 0), ("Walk", 0.4))
    )


def test_addresses_are_fetched_once_and_their_checksums_recorded(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    found, _, _ = index(monkeypatch, addressed(server, "a.mkv", "b.mkv"), folder=None)
    place = f"127.0.0.1:{server.server_port}/v"
    assert found["file"].tolist()[0] == f"{place}/a.mkv#frames=0:10"
    assert frames(found, f"{place}/a.mkv", "data/official/mine") == [list(range(10)), list(range(10, 20))]
    known = json.loads(Path("config/checksums/mine.json").read_text())
    digest = sha256(Path("videos/a.mkv").read_bytes()).hexdigest()
    assert known[server.url("/v/a.mkv")]["sha256"] == digest == found["sha256"][0]
    asked = len(server.asked)
    index(monkeypatch, addressed(server, "a.mkv", "b.mkv"), folder=None)
    assert len(server.asked) == asked == 2
    assert sorted(path.name for path in Path("data/official/mine").rglob("*") if path.is_file()) == [
        "a.mkv",
        "b.mkv",
    ]


def test_those_that_are_gone_are_all_named_and_the_next_call_goes_on(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    rows = addressed(server, "a.mkv", "x.mkv", "y.mkv", "b.mkv")
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, rows, folder=None)
    assert str(caught.value).startswith("4 of 8 videos cannot be used")
    for name in ("x.mkv", "y.mkv"):
        assert f"{server.url(f'/v/{name}')}: the server answers 404" in str(caught.value)
    server.asked.clear()
    _, skipped, record = index(monkeypatch, rows, folder=None, on_bad="skip")
    assert [path for path, _ in server.asked] == ["/v/x.mkv", "/v/y.mkv"]
    assert (record["videos"], record["skipped"], record["not_had"]) == (4, 4, 4)
    assert skipped["reason"].str.contains("404").all()
    assert not Path("data/official/mine/.fetching").exists()


def test_a_video_that_is_not_the_listed_one_is_not_taken(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    right = sha256(Path("videos/b.mkv").read_bytes()).hexdigest()
    head = HEAD.replace("file", "sha256,file")
    rows = addressed(server, "a.mkv", "b.mkv").splitlines(keepends=True)
    sums = [f"{'0' * 64},{row}" for row in rows[:2]] + [f"{right.upper()},{row}" for row in rows[2:]]
    with pytest.raises(BadVideoError, match=r"(?s)^2 of 4 .*sha256 is [0-9a-f]{64} and should be 000"):
        index(monkeypatch, "".join(sums), folder=None, head=head)
    mine = f"{'0' * 64},a.mkv,Run,0,1,train\n{right},b.mkv,Run,0,1,test\n"
    with pytest.raises(BadVideoError, match=r"a.mkv: its sha256 is [0-9a-f]{64}, and the list has 000"):
        index(monkeypatch, mine, head=head)


COPY = """
import shutil, sys
from pathlib import Path
address, out = sys.argv[1:]
name = address.rpartition("=")[2]
source = Path("videos", name + ".mkv")
print("looking for", name)
if not source.exists():
    Path(out + ".part").write_text("half of it")
    print("ERROR: Video unavailable; 'gone' $HOME")
    sys.exit(3)
shutil.copy(source, out + ".mkv")
"""


@pytest.fixture
def command(here) -> str:
    Path("copy it.py").write_text(COPY)
    return f"{sys.executable} 'copy it.py' https://example.org/watch?v={{address}} {{out}}"


IDS = "a,Run,0,0.4,train\na,Walk,0.4,0.8,train\nb,Run,0,0.4,test\nb,Walk,0.4,0.8,test\n"


def test_a_command_brings_videos_by_what_is_listed(command, monkeypatch):
    found, _, record = index(monkeypatch, IDS, folder=None, fetch=command)
    assert found["file"].tolist()[0] == "a#frames=0:10" and record["not_had"] == 0
    assert frames(found, "b", "data/official/mine") == [list(range(10)), list(range(10, 20))]
    assert sorted(path.name for path in Path("data/official/mine").iterdir()) == ["a", "b"]
    # What is there is not fetched again.
    index(monkeypatch, IDS, folder=None, fetch="no-such-program {address} {out}")


def test_a_command_that_fails_is_told_with_its_last_lines_and_leaves_no_half_video(command, monkeypatch):
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, IDS + "x,Run,0,1,train\ny,Run,0,1,train\n", folder=None, fetch=command)
    said = str(caught.value)
    assert said.startswith("2 of 6") and "official/mine/x: x: " in said and "official/mine/y: y: " in said
    assert "ends with 3: looking for x | ERROR: Video unavailable; 'gone' $HOME" in said
    assert not Path("data/official/mine/x").exists() and Path("data/official/mine/a").exists()
    # What a program has begun it may go on with, at the next call.
    assert len(list(Path("data/official/mine/.fetching").glob("*/*/video.part"))) == 2
    rows = IDS + "x,Run,0,1,train\n"
    _, skipped, record = index(monkeypatch, rows, folder=None, fetch=command, on_bad="skip")
    assert skipped["file"].tolist() == ["x"] and record["not_had"] == 1


def test_a_command_that_cannot_be_run_ends_at_once(here, monkeypatch):
    with pytest.raises(UserError, match="fetch: no-such-program cannot be run: No such file"):
        index(monkeypatch, IDS, folder=None, fetch="no-such-program {address} {out}", on_bad="skip")
    with pytest.raises(UserError, match="-b would be taken for an option of"):
        index(monkeypatch, IDS.replace("b,", "-b,"), folder=None, fetch="true {address} {out}", on_bad="skip")
    with pytest.raises(BadVideoError, match="a: true ends well, and has written no file where"):
        index(monkeypatch, IDS, folder=None, fetch="true {address} {out}")


WRITES = """
import shutil, sys
from pathlib import Path
how, address, out = sys.argv[1:]
source = Path("videos", address + ".mkv")
if how == "half" and Path(out).exists():
    print("it is there")
elif how == "half":
    Path(out).write_bytes(source.read_bytes()[:900])
    sys.exit(28)
elif how == "page":
    Path(out).write_text("<html>sign in</html>")
elif how == "notes":
    Path(out + ".info.json").write_text("{}")
else:
    Path(out + ".frag").mkdir()
    shutil.copy(source, out + (".mkv" if how == "beside" else ""))
    Path(out + ".info.json").write_text("{}")
"""


def test_only_what_this_very_command_has_written_is_taken(here, monkeypatch):
    Path("it.py").write_text(WRITES)

    def fetched(how: str) -> list[str]:
        fetch = f"{sys.executable} it.py {how} {{address}} {{out}}"
        return index(monkeypatch, IDS, folder=None, fetch=fetch, on_bad="skip")[0]["sha256"].tolist()

    def refused(how: str) -> str:
        with pytest.raises(UserError) as caught:
            fetched(how)
        return str(caught.value)

    halves = Path("data/official/mine/.fetching")
    assert "ends with 28: it says nothing" in refused("half") and halves.exists()
    # A program that leaves alone what it finds, and ends well, has fetched nothing.
    assert "has written no file where one video was to be: it is there" in refused("half")
    assert not halves.exists()
    for how in ("notes", "page"):
        assert "what it has written cannot be used (" in refused(how)
    # Neither what other commands have left matters, nor what is beside a video.
    sums = [sha256(Path(f"videos/{name}.mkv").read_bytes()).hexdigest() for name in "aabb"]
    refused("half")
    assert fetched("beside") == sums
    assert not halves.exists()


def test_what_was_recorded_of_an_address_is_asked_of_the_file_that_is_here(here, monkeypatch, server):
    served(server, "a.mkv", "b.mkv")
    rows = addressed(server, "a.mkv", "b.mkv")
    index(monkeypatch, rows, folder=None)
    (place,) = Path("data/official/mine").glob("*/v/a.mkv")
    place.write_bytes(Path("videos/uneven.mkv").read_bytes())
    with pytest.raises(BadVideoError, match=r"(?s)^2 of 4 .*a.mkv: .*but at the first download it was"):
        index(monkeypatch, rows, folder=None)


def test_a_page_in_place_of_a_video_is_not_kept_and_does_not_count_once_the_server_is_mended(
    here, monkeypatch, server
):
    served(server, "a.mkv", "b.mkv")
    server.files["/v/a.mkv"] = Served(b"<html>sign in</html>", type="video/x-matroska")
    rows = addressed(server, "a.mkv", "b.mkv")
    with pytest.raises(BadVideoError, match=r"(?s)^2 of 4 .*a.mkv: what the server sends cannot be used"):
        index(monkeypatch, rows, folder=None)
    served(server, "a.mkv")
    assert len(index(monkeypatch, rows, folder=None)[0]) == 4


@pytest.fixture
def nobody(monkeypatch) -> Iterator[str]:
    """An address at which nobody listens; there is no waiting between tries."""
    monkeypatch.setattr(downloads, "FIRST_WAIT", 0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_host_that_cannot_be_reached_is_waited_for_once(here, monkeypatch, nobody):
    rows = "".join(f"http://{nobody}/{name}.mkv,Run,0,1,train\n" for name in "xyz")
    with pytest.raises(BadVideoError) as caught:
        index(monkeypatch, rows, folder=None)
    assert str(caught.value).count("(5 tries)") == 1
    assert str(caught.value).count(f"as {nobody} could not be reached for http://{nobody}/x.mkv") == 2


@pytest.mark.parametrize("moved", ["to nobody", "nowhere"])
def test_a_host_that_fails_for_one_file_is_asked_for_the_others(here, monkeypatch, server, nobody, moved):
    served(server, "a.mkv", "b.mkv")
    server.files["/v/0.mkv"] = Served(b"", moved=f"http://{nobody}/" if moved == "to nobody" else "")
    rows = addressed(server, "0.mkv", "a.mkv", "b.mkv")
    found, skipped, _ = index(monkeypatch, rows, folder=None, on_bad="skip")
    assert len(found) == 4 and skipped["reason"].str.contains(r"the connection fails.*\(5 tries\)").all()


def test_if_what_is_gone_leaves_nothing_to_train_on_the_reason_is_told(here, monkeypatch, server):
    served(server, "b.mkv")
    with pytest.raises(UserError) as caught:
        index(monkeypatch, addressed(server, "a.mkv", "b.mkv"), folder=None, on_bad="skip")
    said = str(caught.value)
    assert "split1 has no training video of the class Run" in said
    assert "2 of 4 videos were left out:" in said and said.count("the server answers 404") == 2


def test_files_outside_the_folder_are_refused_before_any_is_fetched(here, monkeypatch):
    Path("it.py").write_text(WRITES)
    fetch = f"{sys.executable} it.py beside {{address}} {{out}}"
    with pytest.raises(UserError, match=r"line 2: \.\./a lies outside data/official/mine"):
        index(monkeypatch, "../a,Run,0,1,train\n" + IDS, folder=None, fetch=fetch)
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://h/a/", "is no address of a file"),
        ("http://h/../a", "is no address"),
        ("http://h/a#1", "no `#`"),
    ],
)
def test_addresses_that_cannot_be_files_are_refused(here, monkeypatch, address, said):
    with pytest.raises(UserError, match=said):
        index(monkeypatch, f"{address},Run,0,1,train\n" + SPLIT)
    with pytest.raises(UserError, match="https://h/a and http://h/a would both be videos/h/a"):
        index(monkeypatch, "https://h/a,Run,0,1,train\nHTTP://h/a,Run,0,1,train\n" + SPLIT)
    with pytest.raises(UserError, match=r"https://h/a/b\.mkv: would lie below https://h/a, which is a file"):
        index(monkeypatch, "https://h/a/b.mkv,Run,0,1,train\nhttps://h/a,Run,0,1,train\n" + SPLIT)


@pytest.mark.parametrize(
    ("fetch", "said"),
    [
        ("yt-dlp {address}", "has the placeholders {out} and {address}"),
        ("yt-dlp -o {out} {address} {id}", "and no others"),
        ("yt-dlp -o '{out} {address}", "No closing quotation"),
        ("{address} {out}", "begins with a program"),
    ],
)
def test_a_command_that_cannot_work_is_refused(fetch, said):
    with pytest.raises(UserError, match=said):
        parse(Segments, {"kind": "segments", "list": "a.csv", "fetch": fetch}, "test")

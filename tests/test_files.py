"""Files are written whole or not at all, whoever else writes them or was killed while doing so."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from twostream.files import atomic_write, part_of

DAY = 86_400
# Writes half of the file, says so, and waits to be told to go on.
WRITER = """
import sys
from twostream.files import atomic_write
with atomic_write(sys.argv[1]) as part:
    part.write_text("theirs")
    print("half", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "shard.zip"


def writer(target: Path) -> subprocess.Popen[str]:
    """Another process that is half through writing a file."""
    environment = os.environ | {"PYTHONPATH": "scripts"}
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout and process.stdout.readline() == "half\n"
    return process


def write(target: Path, text: str = "ours") -> None:
    with atomic_write(target) as part:
        part.write_text(text)


def old(part: Path, seconds: float) -> Path:
    part.write_text("half")
    os.utime(part, (time.time() - seconds,) * 2)
    return part


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_part_is_named_after_host_and_process(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "node7.cluster_b/é")
    assert part_of(target) == target.with_name(f"shard.zip.node7-cluster-b--.{os.getpid()}.part")


def test_nothing_is_left_of_a_failure(target: Path) -> None:
    write(target, "before")
    with pytest.raises(ValueError, match="full"), atomic_write(target) as part:
        part.write_text("half")
        raise ValueError("the disk is full")
    assert target.read_text() == "before" and names(target.parent) == ["shard.zip"]


def test_the_next_writer_removes_what_a_killed_one_left(target: Path) -> None:
    process = writer(target)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(names(target.parent)) == 1 and not target.exists()
    write(target)
    assert target.read_text() == "ours" and names(target.parent) == ["shard.zip"]


def test_two_writers_leave_each_other_alone(target: Path) -> None:
    process = writer(target)
    write(target)
    assert target.read_text() == "ours" and len(names(target.parent)) == 2
    process.communicate("\n")
    assert process.returncode == 0
    assert target.read_text() == "theirs" and names(target.parent) == ["shard.zip"]


def test_parts_of_other_hosts_are_left_alone_for_a_day(target: Path) -> None:
    at_work = old(target.with_name("shard.zip.other.1.part"), DAY / 2)
    old(target.with_name("shard.zip.other.2.part"), 2 * DAY)
    write(target)
    assert names(target.parent) == ["shard.zip", at_work.name]


def test_parts_of_other_files_and_downloads_are_left_alone(target: Path) -> None:
    others = [
        "a-shard.zip.other.1.part",
        "shard.zip.part",
        "shard.zip.x.other.1.part",
        "shardAzip.other.1.part",
    ]
    for name in others:
        old(target.with_name(name), 2 * DAY)
    write(target)
    assert names(target.parent) == sorted([*others, "shard.zip"])


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127, "[a]*" * 40])
def test_any_name_that_a_file_can_have_will_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "h" * 64)
    monkeypatch.setattr(os, "getpid", lambda: 4_194_304)  # Linux's largest.
    left = old(part_of(tmp_path / name), 0)
    monkeypatch.undo()
    old(left, 2 * DAY)
    write(tmp_path / name)
    assert names(tmp_path) == [name]

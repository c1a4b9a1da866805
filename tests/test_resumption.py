"""A shard whose job is killed goes on where it was, and ends with the bytes of one that was not."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from twostream.extraction.encoding import encode
from twostream.extraction.shards import WrittenShard, write_shard
from twostream.extraction.store import ShardWriter, Store

DAMAGED = {"Run/b.avi": "frames: 2 of 3", "Walk/d.avi": "frames: 2 of 4"}
VIDEOS = ["Run/a.avi", "Run/b.avi", "Walk/c.avi", "Walk/d.avi"]


class Extraction:
    """Writes a shard of flow; `added` are the videos that it extracted, and before `fails` it is killed."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.added: list[str] = []
        self.fails = ""

    def run(self, identity: str | None = "spec 1") -> WrittenShard:
        self.added = []
        return write_shard(VIDEOS, self.out, 90, self._add, "flow", identity)

    def _add(self, writer: ShardWriter, video: str) -> str:
        writer.add_flow(video, self._fields(video))
        self.added.append(video)
        return DAMAGED.get(video, "")

    def _fields(self, video: str) -> Iterator:
        drawn = np.random.default_rng(VIDEOS.index(video))
        yield encode(drawn.normal(0, 3, (2, 16, 24)).astype(np.float32), "range")
        if video == self.fails:
            raise KeyboardInterrupt
        yield encode(drawn.normal(0, 3, (2, 16, 24)).astype(np.float32), "range")


@pytest.fixture
def undisturbed(tmp_path) -> bytes:
    Extraction(tmp_path / "whole.zip").run(identity=None)
    return (tmp_path / "whole.zip").read_bytes()


@pytest.fixture
def killed(tmp_path) -> Extraction:
    """One that was killed amid its third video."""
    extraction = Extraction(tmp_path / "0.zip")
    extraction.fails = VIDEOS[2]
    with pytest.raises(KeyboardInterrupt):
        extraction.run()
    assert not extraction.out.exists()
    extraction.fails = ""
    return extraction


def test_a_killed_extraction_goes_on_to_the_same_bytes(killed, undisturbed):
    killed.run()
    assert killed.added == VIDEOS[2:]
    assert killed.out.read_bytes() == undisturbed
    assert [file.name for file in killed.out.parent.iterdir() if ".part" in file.name] == []


def test_it_may_be_killed_again_and_again(killed, undisturbed):
    killed.fails = VIDEOS[3]
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    assert killed.added == [VIDEOS[2]]
    killed.fails = ""
    killed.run()
    assert killed.added == [VIDEOS[3]]
    assert killed.out.read_bytes() == undisturbed
    assert Store([killed.out]).length(VIDEOS[3]) == 2


def test_what_was_damaged_is_told_by_the_job_that_ends_it(killed):
    # The first of them was read by the job that was killed.
    assert killed.run().damaged == DAMAGED
    assert Extraction(killed.out.with_name("1.zip")).run(identity=None).damaged == DAMAGED


def test_what_is_of_another_spec_is_extracted_anew(killed, undisturbed):
    killed.run("spec 2")
    assert killed.added == VIDEOS
    assert killed.out.read_bytes() == undisturbed


@pytest.mark.parametrize("damage", ["a byte", "the end of the file", "the end of the journal", "the file"])
def test_what_was_lost_is_extracted_again(killed, undisturbed, damage):
    file, journal = Path(f"{killed.out}.kept.part"), Path(f"{killed.out}.journal.part")
    content = bytearray(file.read_bytes())
    if damage == "the end of the journal":
        journal.write_bytes(journal.read_bytes()[:-20])
    elif damage == "the file":
        file.unlink()
    elif damage == "a byte":
        content[-1500] ^= 0xFF
        file.write_bytes(content)
    else:
        file.write_bytes(content[: len(content) // 3])
    killed.run()
    assert len(killed.added) > 2
    assert killed.out.read_bytes() == undisturbed

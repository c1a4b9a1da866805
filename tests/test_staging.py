"""Shards on the machine's own disk while a job reads them."""

import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from twostream.devices import Processes, Runtime
from twostream.extraction.dataset_files import DatasetFiles
from twostream.extraction.staging import staged
from twostream.files import UserError

RUNTIME = Runtime(torch.device("cpu"), Processes(1, 0, 0), 0)


@pytest.fixture
def files(tmp_path, monkeypatch) -> dict[str, DatasetFiles]:
    for name in ("flow-0", "flow-1", "frames-0"):
        (tmp_path / f"{name}.zip").write_text(name)
    scratch = tmp_path / "node"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    flow = [str(tmp_path / f"flow-{number}.zip") for number in (0, 1)]
    return {
        "one": DatasetFiles("one.csv", {"flow": flow}),
        "two": DatasetFiles("two.csv", {"frames": [str(tmp_path / "frames-0.zip")]}),
    }


def test_the_copies_are_there_for_the_block_alone(files, tmp_path):
    with pytest.raises(KeyError), staged(files, RUNTIME) as near:
        read = {name: [Path(shard).read_text() for shard in near[name].shards[what]] for name, what in WHAT}
        assert read == {"one": ["flow-0", "flow-1"], "two": ["frames-0"]}
        assert near["two"].index == "two.csv"
        assert all(tmp_path / "node" in Path(shard).parents for shard in near["one"].shards["flow"])
        raise KeyError("a job that fails")
    assert list((tmp_path / "node").iterdir()) == []


WHAT = (("one", "flow"), ("two", "frames"))


def test_a_disk_without_room_is_named_before_anything_is_copied(files, tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(19))
    with pytest.raises(UserError, match=r"node: has 0\.0 GB free.*TMPDIR.*`stage: false`"):
        staged(files, RUNTIME).__enter__()
    assert list((tmp_path / "node").iterdir()) == []

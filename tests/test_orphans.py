"""What the configuration no longer names is told from what it names and cannot make just now."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from twostream import paths
from twostream.config.loading import load_config, names_at_other_scales
from twostream.files import UserError
from twostream.plan.orphans import find_orphans, find_others, set_aside
from twostream.plan.plan import Plan

MINE = "scores/temporal/flow-10/mine-split1-seed3.npz"
KEPT = [
    MINE,
    "scores/temporal/flow-10/demo_a-split1-seed7.npz",
    "scores/temporal/flow-10/ucf101-split1-seed0.npz",
    "scores/fused/flow-average/ucf101-split1-seed0.npz",
    "scores/temporal/notes/demo_a.txt",
]
# A person's own, by the name of an artefact that the configuration does not name.
OWN = "scores/temporal/mine-10/demo_a-split1-seed0.npz"
LEFT = [
    "scores/fused/gone-average/demo_a-split1-seed0.npz",
    "scores/temporal/flow-10/demo_a-split9-seed0.npz",
    "scores/temporal/flow-10/gone-split1-seed0.npz",
    "scores/temporal/gone-10/demo_a-split1-seed0.npz",
]


@pytest.fixture
def plan(tmp_path, monkeypatch) -> Plan:
    """A configuration with a dataset `mine`, whose index left a video out; `on_bad_video` is `stop`."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "config", "config")
    scale = yaml.safe_load(Path("config/scale/demo.yaml").read_text())
    scale["datasets"]["mine"] = {"source": {"kind": "folder", "folder": "."}, "splits": 1, "shards": 1}
    Path("config/scale/demo.yaml").write_text(yaml.safe_dump(scale))
    Path("data/videos").mkdir(parents=True)
    state = {"sha256": "", "size": 0, "mtime_ns": 0}
    record = {"spec": "", "recipe": {}, "made_from": {}, "skipped": 1}
    for file in [*KEPT, *LEFT, OWN, "data/videos/mine.csv"]:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        if file != "data/videos/mine.csv":
            Path(file).touch()
        if file != OWN and Path(file).suffix != ".txt":
            Path(paths.record(file)).write_text(json.dumps({**record, "files": {file: state}}))
    return Plan(load_config())


def test_only_what_the_configuration_does_not_name_is_left_over(plan):
    with pytest.raises(UserError, match="leaves 1 videos out"):
        plan.step_of(MINE)
    others = names_at_other_scales(plan.config)
    assert {"ucf101", "hmdb51"} <= others and "demo_a" not in others
    assert find_orphans(plan, others, ["scores"]) == LEFT
    assert find_orphans(plan, others, ["models", "scores/fused"]) == LEFT[:1]


def test_files_that_no_record_tells_of_are_the_users_own(plan):
    Path("scores/linked").symlink_to(Path("config").resolve())
    for name in ("scores/.hidden/notes.txt", "scores/.notes", "scores/a.part"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert find_others(["scores"]) == ["scores/linked", OWN, "scores/temporal/notes/demo_a.txt"]


def videos_beside(index: str) -> list[str]:
    """Puts two videos where a dataset's may lie, one of which its index lists; returns them."""
    folder = Path(index).with_suffix("")
    folder.mkdir()
    files = [str(folder / name) for name in ("clip.avi", "other.avi")]
    for file in files:
        Path(file).touch()
    Path(index).write_text("file,class,label,group,split1\nclip.avi,A,0,1,train\n")
    return files


def as_drawn(index: str) -> None:
    record = json.loads(Path(paths.record(index)).read_text())
    record["recipe"] = {"source": {"kind": "generated"}}
    Path(paths.record(index)).write_text(json.dumps(record))


def test_videos_are_the_projects_if_it_has_drawn_them(plan):
    index = "data/videos/mine.csv"
    files = videos_beside(index)
    assert find_others(["data/videos"]) == files
    as_drawn(index)
    assert find_others(["data/videos"]) == files[1:]


@pytest.mark.parametrize("drawn", [True, False])
def test_a_users_videos_stay_when_their_index_is_set_aside(plan, drawn):
    index = "data/videos/mine.csv"
    files = videos_beside(index)
    if drawn:
        as_drawn(index)
    set_aside(index)
    assert [Path(file).exists() for file in files] == [not drawn, True]
    assert (paths.ASIDE / files[0]).exists() == drawn


def test_what_is_set_aside_keeps_its_company_and_never_overwrites(plan):
    file = Path(LEFT[3])
    record = json.loads(Path(paths.record(file)).read_text())
    own = file.with_suffix(".notes.txt")
    for content in ("first", "second"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        Path(paths.record(file)).write_text(json.dumps({**record, "spec": content}))
        place = set_aside(str(file))
        assert not file.parent.exists()
    assert place.read_text() == "second"
    assert json.loads(Path(paths.record(place)).read_text())["spec"] == "second"
    assert place.with_name(f"{place.name}.1").read_text() == "first"
    for path in (file, own, Path(paths.record(file))):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(record))
    set_aside(str(file))
    assert [path.name for path in file.parent.iterdir()] == [own.name]

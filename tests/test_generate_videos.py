"""The generated videos: reproducible, in the layout of UCF-101, and with the motions they claim."""

from pathlib import Path

import numpy as np
import pytest
from conftest import tiny_scale

from twostream.config.flow import Flow
from twostream.config.loading import parse
from twostream.config.recipes import GeneratorRecipe
from twostream.config.sources import GeneratedClass
from twostream.files import UserError
from twostream.flow.video_flow import video_flow
from twostream.provenance.records import recorded
from twostream.videos.decoding import read_frames
from twostream.videos.drawing import MOTIONS, OUTLINES, draw_clip, draw_still
from twostream.videos.drawn import drawn_before, note_drawn, refuse_others
from twostream.videos.generated import files_of, write_dataset
from twostream.videos.index import complete, write_index

FLOW = Flow(method="dis", encoding="range", quality=90)


def recipe(dataset: str = "demo_a", splits: int = 2) -> GeneratorRecipe:
    settings = tiny_scale()["datasets"][dataset]
    content = {"dataset": dataset, "media": settings.get("media", "videos"), "splits": splits}
    return parse(GeneratorRecipe, content | {"source": settings["source"]}, "test")


def clip(look: str = "disc", motion: str = "horizontal", group: int = 0, number: int = 0) -> np.ndarray:
    what = GeneratedClass(look=look, motion=motion)
    return np.stack(list(draw_clip(what, 64, 80, [3, group], number)))


def test_equal_seeds_give_equal_clips_and_others_do_not():
    assert (clip() == clip()).all()
    assert clip(number=1).shape != clip().shape or (clip(number=1) != clip()).any()
    assert 26 <= len(clip()) <= 35


def test_clips_of_a_group_share_their_scene():
    def colour(group: int, number: int) -> np.ndarray:
        return clip(group=group, number=number)[0, :8].mean(axis=(0, 1))

    within = [np.abs(colour(g, 0) - colour(g, 1)).mean() for g in range(8)]
    across = [np.abs(colour(g, 0) - colour(g + 1, 0)).mean() for g in range(8)]
    assert np.mean(within) < np.mean(across) / 3


@pytest.mark.parametrize(("motion", "axis"), [("horizontal", 0), ("vertical", 1)])
def test_the_flow_inside_the_look_goes_the_way_of_its_motion(motion, axis):
    """The look moves along its axis; what is left after the background's motion is mostly there."""
    energy = np.zeros(2)
    for group in range(4):
        field = np.stack(list(video_flow(clip(motion=motion, group=group), FLOW, "forward")))
        own = field[:, 24:40, 32:48] - np.median(field, axis=(1, 2), keepdims=True)
        energy += (own**2).mean(axis=(0, 1, 2))
    assert energy[axis] > 3 * energy[1 - axis]


def test_every_look_and_motion_can_be_drawn():
    assert all(draw_still(GeneratedClass(look=look), 64, 80, [1], 0).std() > 5 for look in OUTLINES)
    assert all(len(clip(motion=motion)) for motion in MOTIONS)


def test_files_lie_as_in_ucf101_and_a_group_is_on_one_side_of_each_split(tmp_path):
    table = write_dataset(recipe(), tmp_path)
    assert "DiscAcross/v_DiscAcross_g01_c01.avi" in set(table["file"])
    assert len(list(read_frames(tmp_path / table["file"][0]))) >= 26
    for split in ("split1", "split2"):
        sides = table.groupby(["class", "group"])[split].nunique()
        assert (sides == 1).all()
        assert set(table[split]) == {"train", "test"}
    assert (table["split1"] != table["split2"]).any()


def test_files_are_the_same_bytes_each_time(tmp_path):
    for name in ("one", "two"):
        write_dataset(recipe(), tmp_path / name)
    for file in (tmp_path / "one").rglob("*.avi"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_still_images_are_one_frame_each(tmp_path):
    table = write_dataset(recipe("demo_stills", splits=1), tmp_path)
    assert len(list(read_frames(tmp_path / table["file"][0], "images"))) == 1


def test_a_persons_own_files_stay_when_a_dataset_is_drawn_anew(tmp_path, capsys):
    content = recipe()
    before = write_dataset(content, tmp_path / "set")
    own = tmp_path / "set" / "MyClass" / "v_Walk_g01_c01.avi"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    fewer = content.model_copy(update={"source": content.source.model_copy(update={"groups": 3})})
    after = write_dataset(fewer, tmp_path / "set", set(before["file"]))
    assert own.read_bytes() == b"mine"
    assert "MyClass/v_Walk_g01_c01.avi" in capsys.readouterr().err
    left = {str(path.relative_to(tmp_path / "set")) for path in (tmp_path / "set").rglob("*.*")}
    assert left == {*after["file"], "MyClass/v_Walk_g01_c01.avi"}
    assert len(after) < len(before)


@pytest.fixture
def drawn(tmp_path, monkeypatch) -> Path:
    """A folder in which a dataset was drawn and indexed; returns that of its videos."""
    monkeypatch.chdir(tmp_path)
    folder = Path("data/videos/demo_a")
    with recorded("data/videos/demo_a.csv", {}):
        index, _ = complete(write_dataset(recipe(), folder), folder, "videos", "stop")
        write_index(index, "data/videos/demo_a.csv")
    return folder


def test_what_the_index_lists_was_drawn_and_what_a_killed_job_noted(drawn):
    listed = set(files_of(recipe())["file"])
    assert drawn_before("demo_a", "data/videos/demo_a.csv", drawn) == listed
    note_drawn("demo_a", ["more/a.avi"])
    assert drawn_before("demo_a", "data/videos/demo_a.csv", drawn) == {*listed, "more/a.avi"}
    Path("data/videos/demo_a.record.json").unlink()
    assert drawn_before("demo_a", "data/videos/demo_a.csv", drawn) == {"more/a.avi"}


def test_a_video_put_in_place_of_a_drawn_one_is_not_deleted(drawn):
    (drawn / "DiscAcross/v_DiscAcross_g01_c01.avi").write_bytes(b"mine")
    with pytest.raises(UserError, match=r"not as they were drawn.*: DiscAcross/v_DiscAcross_g01_c01\.avi;"):
        drawn_before("demo_a", "data/videos/demo_a.csv", drawn)


def test_what_was_never_drawn_is_not_overwritten(drawn):
    refuse_others({"DiscAcross/v_DiscAcross_g77_c01.avi"}, drawn)
    (drawn / "DiscAcross/v_DiscAcross_g77_c01.avi").symlink_to("nowhere")
    with pytest.raises(UserError, match=r"holds what this project has not drawn.*g77"):
        refuse_others({"DiscAcross/v_DiscAcross_g77_c01.avi"}, drawn)

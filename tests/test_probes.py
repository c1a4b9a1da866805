"""Probes: against videos that are really played backwards, networks known by hand, and drawn motions."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import run as snakemake_run
from test_train_stream import network_settings, run
from torch import Tensor, nn

from twostream.config.benchmark import Input
from twostream.config.loading import load_config
from twostream.config.recipes import TrialRecipe
from twostream.config.scale import Testing
from twostream.config.sources import Motion
from twostream.config.trials import TRIALS
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter, Store
from twostream.files import UserError
from twostream.networks.model_file import Description
from twostream.plan.plan import Plan
from twostream.scores.score_file import Scores, read_scores
from twostream.training.batch import Batch
from twostream.training.preprocessing import prepare
from twostream.training.reader import VideoReader
from twostream.training.trial import Subject, Video
from twostream.training.trials.probes import PROBES, applicable, donors, outcomes, tampered
from twostream.videos.drawing import MOTIONS

FRAMES, SIDE = 12, 16
Arrays = tuple[np.ndarray, np.ndarray]


def store(file: Path, fields: np.ndarray) -> Store:
    """A store of one video with these fields [fields, height, width, 2]."""
    with ShardWriter(file, 90) as writer:
        writer.add_flow("v", [encode(field.astype(np.float32), "range") for field in fields])
    return Store([file])


def reader(folder: Path, what: Input, forward: np.ndarray, backward: np.ndarray | None = None) -> VideoReader:
    folder.mkdir()
    stores = {"flow": store(folder / "flow.zip", forward)}
    if backward is not None:
        stores["backward_flow"] = store(folder / "backward.zip", backward)
    return VideoReader(what, stores)


def inputs(read: VideoReader, start: int) -> tuple[Tensor, Tensor]:
    stored = read.read("v", [start])
    return torch.from_numpy(stored.images), torch.from_numpy(stored.ranges)


def seen(what: Input, stored: tuple[Tensor, Tensor]) -> Tensor:
    """What a network sees of an input."""
    zero = torch.tensor([0])
    square = (zero, zero, zero + SIDE, torch.tensor([False]), torch.zeros(1, 3))
    return prepare(Batch(*stored, *square), what, SIDE)


def smooth_fields(count: int, seed: int) -> np.ndarray:
    coarse = np.random.default_rng(seed).normal(0, 2, (count, 2, 2, 2))
    return coarse.repeat(SIDE // 2, 1).repeat(SIDE // 2, 2)


@pytest.mark.parametrize("kind", ["stacking", "trajectory"])
def test_reversed_bidirectional_input_is_that_of_the_video_played_backwards(tmp_path, kind):
    """Exactly: what leads back from a frame is what leads on from it in the other video."""
    what = Input(kind=kind, length=6, bidirectional=True, mean_subtraction=True)
    ahead, back = smooth_fields(FRAMES - 1, 0), smooth_fields(FRAMES - 1, 1)
    played = reader(tmp_path / "played", what, ahead, back)
    # Backwards, frame t is the one FRAMES - 1 - t of before, so that fields come last first.
    backwards = reader(tmp_path / "backwards", what, back[::-1], ahead[::-1])
    for frame in (3, 5, 8):
        made = tampered("reversed", what, 0)("v", *inputs(played, frame))
        assert torch.equal(seen(what, made), seen(what, inputs(backwards, FRAMES - 1 - frame)))
        assert not torch.equal(seen(what, made), seen(what, inputs(played, frame)))


@pytest.mark.parametrize("kind", ["stacking", "trajectory"])
def test_reversed_fields_are_those_of_the_video_played_backwards_where_all_moves_alike(tmp_path, kind):
    """The camera's pan, say, faster and faster: where fields are the same all over, no warping is missed."""
    what = Input(kind=kind, length=5)
    pan = np.cumsum(np.random.default_rng(0).uniform(0.1, 0.5, (FRAMES - 1, 2)), axis=0)
    fields = np.broadcast_to(pan[:, None, None], (FRAMES - 1, SIDE, SIDE, 2))
    played = reader(tmp_path / "played", what, fields)
    backwards = reader(tmp_path / "backwards", what, -fields[::-1])
    for start in (0, 4, 6):
        made = tampered("reversed", what, 0)("v", *inputs(played, start))
        theirs = inputs(backwards, FRAMES - 1 - 5 - start)
        torch.testing.assert_close(seen(what, made), seen(what, theirs))
        # Its mean vectors too, which mean subtraction takes away.
        torch.testing.assert_close(made[1][:, :, 2], theirs[1][:, :, 2])


def test_frames_are_put_into_another_order_and_keep_their_colours():
    what = Input(kind="frames", length=11)
    images, ranges = torch.arange(11).view(1, 11, 1, 1, 1), torch.zeros(1, 11, 3, 2)
    assert tampered("reversed", what, 0)("v", images, ranges)[0].flatten().tolist() == [*range(10, -1, -1)]
    assert tampered("repeated", what, 0)("v", images, ranges)[0].flatten().tolist() == [5] * 11


def order(probe: str, what: Input, video: str = "v", seed: int = 0, count: int = 1) -> list[list[int]]:
    images = torch.arange(what.length).view(1, -1, 1, 1, 1).expand(count, -1, -1, -1, -1)
    made, ranges = tampered(probe, what, seed)(video, images, torch.ones(count, what.length, 3, 2))
    assert ranges.unique().tolist() == [1]
    return made.flatten(1).tolist()


def test_a_shuffle_is_of_each_input_by_seed_and_video_and_of_each_direction_by_itself():
    flow, both = Input(kind="stacking", length=10), Input(kind="stacking", length=10, bidirectional=True)
    drawn = order("shuffled", flow, count=3)
    assert all(sorted(one) == [*range(10)] for one in drawn) and len({*map(tuple, drawn)}) == 3
    assert drawn == order("shuffled", flow, count=3)
    assert drawn != order("shuffled", flow, "w", count=3) and drawn != order("shuffled", flow, "v", 1, 3)
    (halves,) = order("shuffled", both)
    assert sorted(halves[:5]) == [*range(5)] and sorted(halves[5:]) == [*range(5, 10)]
    assert order("repeated", flow) == [[5] * 10]
    assert order("repeated", both) == [[2] * 5 + [7] * 5]


def test_all_orders_are_equally_likely():
    drawn = order("shuffled", Input(kind="stacking", length=3), count=6000)
    counts = pd.Series([*map(tuple, drawn)]).value_counts()
    # Six orders, 1,000 each; a standard deviation is 29.
    assert len(counts) == 6 and (abs(counts - 1000) < 5 * 29).all()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "stacking", "length": 10}, ["reversed", "shuffled", "repeated"]),
        ({"kind": "trajectory", "length": 5}, ["reversed", "shuffled", "repeated"]),
        ({"kind": "frames", "length": 11}, ["reversed", "shuffled", "repeated"]),
        # A single field, or one in each direction, can be turned round, and has no order.
        ({"kind": "stacking", "length": 1}, ["reversed"]),
        ({"kind": "stacking", "length": 2, "bidirectional": True}, ["reversed"]),
        ({"kind": "frames", "length": 1}, []),
    ],
)
def test_probes_apply_where_they_can_change_something(settings, expected):
    assert applicable(Input(**settings)) == expected


class KnownByHand(nn.Module):
    """A linear network: class 0 if the weighted mean of its fields leads down, class 1 if up, by a margin."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.weights = torch.tensor(weights)

    def forward(self, stacked: dict[str, Tensor]) -> dict[str, Tensor]:
        down = {head: x[:, 1::2].mean(dim=(2, 3)) @ self.weights for head, x in stacked.items()}
        return {head: torch.stack([score, -score], dim=1) for head, score in down.items()}


def accuracies(
    folder: Path, network: nn.Module, down: dict[str, list[list[float]]], spatial: Scores | None = None
) -> dict[tuple[str, str], float]:
    """The accuracy by system and probe, of videos of two classes with fields that lead down so far."""
    what = Input(kind="stacking", length=5)
    videos = []
    with ShardWriter(folder / "flow.zip", 90) as writer:
        for label, (name, of_class) in enumerate(down.items()):
            for number, steps in enumerate(of_class):
                fields = [np.full((SIDE, SIDE, 2), (0, step), np.float32) for step in steps]
                videos.append(Video(f"{name}/{number}", f"{name}/{number}", label))
                writer.add_flow(videos[-1].file, [encode(field, "range") for field in fields])
    described = Description(
        run=run(stream="temporal", input=what.model_dump()),
        network=network_settings(),
        crop=SIDE,
        short_side=SIDE,
        heads={"d": list(down)},
    )
    recipe = TrialRecipe(
        dataset="d",
        shards=1,
        split=1,
        testing=Testing(frames=3, views=2),
        trial="probes",
        seed=0,
        spatial="looks" if spatial else None,
    )
    subject = Subject(
        recipe=recipe,
        network=network,
        description=described,
        reader=VideoReader(what, {"flow": Store([folder / "flow.zip"])}),
        videos=videos,
        classes=list(down),
        spatial=spatial,
        device=torch.device("cpu"),
        workers=0,
    )
    found = pd.DataFrame(outcomes(subject))
    return (100 * found.groupby(["system", "probe"], sort=False)["right"].mean()).to_dict()


# Eight videos of a class, of five fields (one input) to eight (three), that lead down, or up, on the whole.
DOWN = [[4.0, 1.0, 2.0, -3.0, 1.0, 4.0, 3.0, 2.0][: 5 + i % 4] for i in range(8)]
UP = [[-step for step in steps] for steps in DOWN]


def test_a_network_that_adds_up_minds_the_direction_of_time_and_no_order(tmp_path):
    found = accuracies(tmp_path, KnownByHand([1.0] * 5), {"down": DOWN, "up": UP})
    assert found == {
        ("alone", "reversed"): 0,
        ("alone", "shuffled"): 100,
        # By hand: of a video's three inputs the middle field is 2, or 2, 2, -3, or 2, -3, 1, or 2, 1, 4.
        ("alone", "repeated"): 100,
        ("alone", "untouched"): 100,
    }


def test_a_network_that_weighs_the_first_field_minds_the_order(tmp_path):
    """Down and then up, against up and then down: these differ in their order alone."""
    first = KnownByHand([1.0, 0.0, 0.0, 0.0, 0.0])
    there, back = [[2.0, 1.0, 0.0, -1.0, -2.0]] * 30, [[-2.0, -1.0, 0.0, 1.0, 2.0]] * 30
    found = accuracies(tmp_path, first, {"there": there, "back": back})
    # Backwards, who went down and came up again goes down and comes up again.
    assert found["alone", "untouched"] == found["alone", "reversed"] == 100
    # Any of five fields is first: right in two of five, and (nothing moves, class 0) in one of five for half.
    assert found["alone", "shuffled"] == pytest.approx(50, abs=20)
    # The field in the middle is zero, for which class 0 is said.
    assert found["alone", "repeated"] == 50


def looks(certain: float, up: int = 8) -> Scores:
    """A spatial run that gives each video's class so much: eight videos of the one, some of the other."""
    labels = np.repeat([0, 1], [8, up])
    names = np.array([f"{'down' if label == 0 else 'up'}/{i % 8}" for i, label in enumerate(labels)])
    scores = np.where(np.arange(2) == labels[:, None], certain, 1 - certain)
    # In another order than the videos are tested in.
    mixed = np.random.default_rng(0).permutation(len(labels))
    parts = np.array(["test"] * len(labels))
    return Scores(names[mixed], labels[mixed], parts, names[mixed], scores[mixed], np.array(["down", "up"]))


def test_with_flow_of_another_class_a_fusion_goes_by_the_surer_stream(tmp_path):
    network = KnownByHand([1.0] * 5)
    for name, certain, expected in (("open", 0.5, 0), ("sure", 1.0, 100)):
        (tmp_path / name).mkdir()
        found = accuracies(tmp_path / name, network, {"down": DOWN, "up": UP}, looks(certain))
        assert found["with looks", "wrong flow"] == found["with looks", "reversed"] == expected
        assert found["with looks", "untouched"] == 100
        # The network alone has no frames to which flow could be wrong.
        assert ("alone", "wrong flow") not in found and [*found][-1] == ("with looks", "untouched")


def test_a_single_frame_is_refused(tmp_path):
    subject = SimpleNamespace(
        description=SimpleNamespace(run=SimpleNamespace(input=Input(kind="frames", length=1))),
        recipe=SimpleNamespace(seed=0),
    )
    with pytest.raises(UserError, match="sees a single frame; choose another run"):
        next(outcomes(subject))


@pytest.mark.parametrize("sizes", [[1, 1], [3, 3], [5, 4, 1], [2, 2, 2, 2], [1] * 9, [20, 7, 12, 1]])
def test_each_video_gets_flow_of_another_class_and_gives_its_own_once(sizes):
    labels = np.random.default_rng(len(sizes)).permutation(np.repeat(np.arange(len(sizes)), sizes))
    for seed in range(50):
        given = donors(labels, seed)
        assert sorted(given) == [*range(len(labels))]
        assert (labels[given] != labels).all()
        assert (given == donors(labels, seed)).all()
    if len(labels) > 6:
        assert len({tuple(donors(labels, seed)) for seed in range(20)}) > 1


def test_where_one_class_has_most_videos_there_is_no_flow_of_another_for_each(tmp_path, capsys):
    assert donors(np.array([0, 0, 0, 1, 2]), 0) is None
    some = {"down": DOWN, "up": UP[:5]}
    found = accuracies(tmp_path, KnownByHand([1.0] * 5), some, looks(1.0, up=5))
    assert ("with looks", "wrong flow") not in found and found["with looks", "untouched"] == 100
    assert {probe for _, probe in found} == {*PROBES, "untouched"}
    assert "wrong flow: left out, as a class has more than half" in capsys.readouterr().err


def test_probes_of_a_run_that_sees_no_motion_are_refused_before_anything_is_made():
    with pytest.raises(UserError, match="spatial-last-d05 sees a single frame, and probes are of runs that"):
        Plan(load_config()).scores.score_trial("probes", "spatial-last-d05", "demo_a", 1, 0)


# What docs/probes.md says of the drawn motions: played backwards they are the same motion from another phase;
# or that of a mirrored video, which training shows too; or a motion that no drawn video has.
BACKWARDS: dict[Motion, str] = {
    "horizontal": "same",
    "vertical": "same",
    "diagonal": "same",
    "swing": "same",
    "pulse": "same",
    "circle": "mirrored",
    "spin": "mirrored",
    "zigzag": "other",
}
MIRRORED = np.array([-1, 1, -1, 1])


def steps(pose: Callable[[float], tuple[float, float, float, float]], phases: np.ndarray) -> np.ndarray:
    """How a look's shift, turn and size change from phase to phase, [steps, 4]."""
    return np.diff(np.array([pose(phase) for phase in phases]), axis=0)


@pytest.mark.parametrize("motion", MOTIONS)
def test_what_drawn_motions_are_backwards_is_as_the_manual_says(motion):
    period, ahead = 14.0, np.arange(11)
    pose, starts = MOTIONS[motion], np.linspace(0, 2 * np.pi, 720, endpoint=False)
    forward = [steps(pose, start + 2 * np.pi * ahead / period) for start in starts]
    backwards = steps(pose, 1.0 - 2 * np.pi * ahead / period)
    distance = {
        name: min(np.abs(sign * one - backwards).max() for one in forward)
        for name, sign in (("same", np.ones(4)), ("mirrored", MIRRORED))
    }
    # Starts are half a degree apart; a step is up to 0.45 strokes.
    fits = [name for name, far in distance.items() if far < 0.01]
    assert (fits[0] if fits else "other") == BACKWARDS[motion]
    assert all(far < 0.01 or far > 0.1 for far in distance.values())


def test_the_table_is_of_all_runs_that_see_motion_each_with_its_spatial_run():
    plan = Plan(load_config(overrides={"scale": "demo"}))
    tried = plan.step_of("results/probes.csv").named["outcomes"]
    spatial = {Path(step.outputs[0]).parent.name: step.recipe.spatial for step in tried}
    averaged = dict.fromkeys(["flow-10", "bidirectional-10", "flow-10-multitask"], "spatial-last-d05")
    alone = ["flow-1", "flow-5", "flow-10-raw", "trajectory-10", "trajectory-10-raw", "slow-fusion"]
    assert spatial == averaged | dict.fromkeys(alone)
    assert {bool(step.files("spatial")) for step in tried if step.recipe.spatial is None} == {False}
    # Not with the paper's tables.
    assert "results/probes.csv" not in {output for step in plan.results() for output in step.outputs}
    assert TRIALS["probes"].passes == len([*PROBES, "untouched"])


def test_the_table_is_a_target_and_untouched_videos_score_as_they_did(built, tmp_path):
    project = shutil.copytree(built, tmp_path / "project")
    snakemake_run(project, "results/probes.csv", "report/probes.html")
    table = pd.read_csv(project / "results/probes.csv").set_index(["run", "system", "probe"])
    ways = [("alone", probe) for probe in (*PROBES, "untouched")]
    fused = [("with spatial-last-d05", probe) for probe in (*PROBES, "wrong flow", "untouched")]
    assert [*table.index] == [
        (name, *way) for name in ("bidirectional-10", "flow-10-multitask") for way in (*ways, *fused)
    ]
    for system, scores in (
        ("alone", "temporal/bidirectional-10"),
        ("with spatial-last-d05", "fused/bidirectional-average"),
    ):
        scored = read_scores(project / f"scores/{scores}/demo_a-split1-seed0.npz").part("test")
        row = table.loc[("bidirectional-10", system, "untouched")]
        assert row["accuracy"] == round(scored.accuracy(), 2)
        assert (row["difference"], row["p_groups"], row["p_mcnemar"]) == (0, 1, 1)
    assert "with spatial-last-d05, wrong flow" in (project / "report/probes.html").read_text()

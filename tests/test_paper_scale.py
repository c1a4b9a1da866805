"""The paper's scale: laid out within seconds, and the classes that its two datasets share."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, copy_project, jobs_in, run

from twostream.config.loading import load_config
from twostream.config.recipes import TrainingRecipe
from twostream.plan.plan import Plan

NAMES = {
    "ucf101": """
    ApplyEyeMakeup ApplyLipstick Archery BabyCrawling BalanceBeam BandMarching BaseballPitch Basketball
    BasketballDunk BenchPress Biking Billiards BlowDryHair BlowingCandles BodyWeightSquats Bowling
    BoxingPunchingBag BoxingSpeedBag BreastStroke BrushingTeeth CleanAndJerk CliffDiving CricketBowling
    CricketShot CuttingInKitchen Diving Drumming Fencing FieldHockeyPenalty FloorGymnastics FrisbeeCatch
    FrontCrawl GolfSwing Haircut HammerThrow Hammering HandstandPushups HandstandWalking HeadMassage HighJump
    HorseRace HorseRiding HulaHoop IceDancing JavelinThrow JugglingBalls JumpRope JumpingJack Kayaking
    Knitting LongJump Lunges MilitaryParade Mixing MoppingFloor Nunchucks ParallelBars PizzaTossing
    PlayingCello PlayingDaf PlayingDhol PlayingFlute PlayingGuitar PlayingPiano PlayingSitar PlayingTabla
    PlayingViolin PoleVault PommelHorse PullUps Punch PushUps Rafting RockClimbingIndoor RopeClimbing Rowing
    SalsaSpin ShavingBeard Shotput SkateBoarding Skiing Skijet SkyDiving SoccerJuggling SoccerPenalty
    StillRings SumoWrestling Surfing Swing TableTennisShot TaiChi TennisSwing ThrowDiscus TrampolineJumping
    Typing UnevenBars VolleyballSpiking WalkingWithDog WallPushups WritingOnBoard YoYo
    """,
    "hmdb51": """
    brush_hair cartwheel catch chew clap climb climb_stairs dive draw_sword dribble drink eat fall_floor
    fencing flic_flac golf handstand hit hug jump kick kick_ball kiss laugh pick pour pullup punch push pushup
    ride_bike ride_horse run shake_hands shoot_ball shoot_bow shoot_gun sit situp smile smoke somersault stand
    swing_baseball sword sword_exercise talk throw turn walk wave
    """,
}
UCF101, HMDB51 = (NAMES[dataset].split() for dataset in ("ucf101", "hmdb51"))

# results/table4.csv, by hand: three splits of two datasets, spatial-last-d05 and flow-10-multitask.
JOBS = {
    "download_videos": 2,
    "extract_frames": 64 + 32,
    "extract_flow": 64 + 32,  # forward only
    "import_weights": 1,
    "train_stream": 2 * 6,
    "score_videos": 2 * 6,
    "fuse_streams": 2 * 6,  # averaging and SVM
    "make_table": 1,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project with its own benchmark; there are no videos."""
    folder = copy_project(tmp_path / "project")
    shutil.copy(ROOT / "config/benchmark.yaml", folder / "config/benchmark.yaml")
    return folder


def place(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def name_folder(project: Path, dataset: str, folder: Path) -> None:
    """Say in the scale that the user has the videos."""
    file = project / "config/scale/paper.yaml"
    scale = yaml.safe_load(file.read_text())
    scale["datasets"][dataset]["source"]["videos"] = {"folder": str(folder)}
    file.write_text(yaml.safe_dump(scale, sort_keys=False))


def test_table4_is_laid_out_in_seconds_with_all_videos_there(project, tmp_path):
    ucf = [
        f"{name}/v_{name}_g{group:02d}_c{clip:02d}.avi"
        for clip in range(1, 8)
        for group in range(1, 26)
        for name in UCF101
    ][:13_320]
    hmdb = [f"{HMDB51[i % 51]}/Film_{i}_{HMDB51[i % 51]}_f_cm_np1_fr_med_0.avi" for i in range(6_766)]
    name_folder(project, "ucf101", place(tmp_path / "ucf", ucf))
    name_folder(project, "hmdb51", place(tmp_path / "hmdb", hmdb))
    started = time.monotonic()
    said = run(project, "-n", "--config", "scale=paper", "--", "results/table4.csv")
    assert time.monotonic() - started < 15
    assert "ucf101" in said and "demo_" not in said
    assert jobs_in(said) == JOBS


def test_the_plan_needs_no_videos_and_no_folder_for_them(project, monkeypatch):
    monkeypatch.chdir(project)
    without = Plan(load_config(overrides={"scale": "paper"}))
    without.check()
    name_folder(project, "ucf101", Path("/nowhere"))
    named = Plan(load_config(overrides={"scale": "paper"}))
    assert named.videos.dataset("ucf101").folder == "/nowhere"
    assert without.videos.dataset("ucf101").folder == "data/official/ucf101"
    # Where the videos come from is no part of what is made of them.
    table = "results/table4.csv"
    assert named.step_of(table).spec == without.step_of(table).spec


def test_each_training_at_the_papers_scale_has_what_its_input_asks_for():
    plan = Plan(load_config(ROOT / "config", {"scale": "paper"}))

    def recipe(run: str) -> TrainingRecipe:
        return plan.networks.train_stream(run, "ucf101", 1, 0).recipe

    spatial, temporal = recipe("spatial-scratch-d05"), recipe("flow-10")
    assert (spatial.short_side, temporal.short_side) == (256, 240)
    assert (spatial.training.pca_lighting, temporal.training.pca_lighting) == (0.1, 0)
    assert spatial.training.flow_short_side is temporal.training.flow_short_side is None
    # Only what learns the first layer of Caffe's network learns it at Caffe's pace; that of differences of
    # frames comes from there too.
    scales = {run: recipe(run).first_layer_scale for run in plan.benchmark.runs if "finetuned" not in run}
    assert {run for run, scale in scales.items() if scale != 1} == {"difference-5"}
    assert recipe("spatial-finetuned-d05").first_layer_scale == 58
    assert recipe("flow-10-finetuned").first_layer_scale == 1


def pairs(shared: dict[str, str | list[str]]) -> set[tuple[str, str]]:
    return {
        (name, other)
        for name, others in shared.items()
        for other in ([others] if isinstance(others, str) else others)
    }


def test_as_many_as_the_papers_78_classes_remain():
    shared = load_config(ROOT / "config").benchmark.shared_classes
    ucf, hmdb = pairs(shared["ucf101"]), pairs(shared["hmdb51"])
    assert (len(UCF101), len(HMDB51)) == (101, 51)
    assert len(set(UCF101) - set(shared["ucf101"])) == 78
    assert set(shared["ucf101"]) <= set(UCF101) and set(shared["hmdb51"]) <= set(HMDB51)
    assert hmdb == {(other, name) for name, other in ucf}


def test_the_papers_recalls_are_of_all_classes_and_add_up_to_its_accuracy():
    """Figure 6 against the last row of Table 3: 87.0 over videos, and as the mean over classes."""
    benchmark = load_config(ROOT / "config").benchmark
    counts = np.array(list(benchmark.paper_recall.values()))
    assert sorted(benchmark.paper_recall) == sorted(UCF101)
    assert counts.sum(axis=0).tolist() == [3292, benchmark.datasets.primary.test_videos[0]]
    assert round(100 * counts[:, 0].sum() / counts[:, 1].sum(), 1) == 87.0
    assert round(100 * (counts[:, 0] / counts[:, 1]).mean(), 1) == 87.0


def test_the_figure_of_recalls_has_the_papers_where_data_is_not_drawn():
    drawn, official = (
        Plan(load_config(ROOT / "config", {"scale": scale})).step_of("figures/recall.png").recipe
        for scale in ("demo", "paper")
    )
    assert drawn.paper == {} and len(official.paper) == 101
    assert official.paper["Hammering"] == pytest.approx(100 * 11 / 33, abs=0.01)

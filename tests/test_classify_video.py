"""Classifying a video by itself: the scores of the dataset's score files, and what is shown of them."""

import sys
from pathlib import Path

import classify_video
import cv2
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from conftest import ROOT, datasets_here, small_benchmark, textured, tiny_scale, write_video, zero_frame

from twostream import cli, paths
from twostream.classify import annotate
from twostream.classify.annotate import draw_band, write_annotated
from twostream.classify.classify import Models, Verdict, classify, find_models, readable
from twostream.config.loading import load_config
from twostream.config.recipes import FlowRecipe, FramesRecipe, ScoringRecipe
from twostream.extraction.encoding import encode
from twostream.extraction.flow import store_flow
from twostream.extraction.frames import store_frames
from twostream.extraction.store import ShardWriter, Store
from twostream.files import UserError, sha256
from twostream.networks.model_file import Description, save_model
from twostream.scores.score_file import read_scores, write_scores
from twostream.training.scoring import score_videos
from twostream.videos.decoding import Announced, read_frames
from twostream.videos.index import write_index

# Every kind of input, and classes of another dataset in the head.
FUSIONS = {
    "single": ("spatial-last-d05", "flow-1"),
    "many": ("slow-fusion", "bidirectional-10"),
    "added": ("spatial-scratch-d05", "flow-10-added-classes"),
    "followed": ("spatial-finetuned-d05", "trajectory-10"),
}
VIDEOS = ["a/1.avi", "a/2.avi", "b/1.avi", "b/2.avi"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A dataset of four videos, and the models of all runs in FUSIONS with random weights."""
    folder = tmp_path_factory.mktemp("classify")
    write_config(folder)
    write_videos(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config = load_config()
        for runs in FUSIONS.values():
            for run in runs:
                write_model(run, config)
    return folder


def write_config(folder: Path) -> None:
    scale = tiny_scale()
    scale["flow"]["method"] = "dis"
    benchmark = small_benchmark()
    for name, (spatial, temporal) in FUSIONS.items():
        benchmark["fusions"][name] = {"spatial": spatial, "temporal": temporal, "method": "average"}
    (folder / "config/scale").mkdir(parents=True)
    (folder / "config/config.yaml").write_text((ROOT / "config/config.yaml").read_text())
    (folder / "config/scale/demo.yaml").write_text(yaml.safe_dump(scale))
    (folder / "config/benchmark.yaml").write_text(yaml.safe_dump(benchmark | {"two_stream": "single"}))


def write_videos(folder: Path) -> None:
    rows = []
    for number, file in enumerate(VIDEOS):
        wide, speed = textured(48, 160, seed=number), 1 + number
        frames = [wide[:, speed * t :][:, :66] for t in range(18 + number)]
        video = write_video(folder / "data/videos/demo_a" / file, frames)
        name, part = file.split("/")[0], "train" if number % 2 else "test"
        rows.append((file, sha256(video), name, "ab".index(name), str(number), part))
    columns = ["file", "sha256", "class", "label", "group", "split1"]
    write_index(pd.DataFrame(rows, columns=columns), folder / "data/videos/demo_a.csv")


def write_model(run: str, config) -> None:
    settings = config.benchmark.runs[run]
    classes = ["a", "b", "added"] if settings.auxiliary else ["a", "b"]
    # Another short side than the scale's: it is the model's that counts.
    described = Description(
        run=settings,
        network=config.scale.networks[settings.stream],
        crop=56,
        short_side=60,
        heads={"demo_a": classes},
    )
    torch.manual_seed(len(run))
    network = described.build()
    with torch.no_grad():
        # So that scores of different videos differ, and none is near 0 or 1.
        network.heads["demo_a"].weight *= 2 if settings.stream == "spatial" else 60
    save_model(network, described, model_file(run, config))


def model_file(run: str, config) -> str:
    folder = config.benchmark.runs[run].folder
    return paths.MODEL.format(folder=folder, run=run, dataset="demo_a", split=1, seed=0)


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def classified(video: Path, fusion: str, scratch: Path) -> list[Verdict]:
    config = load_config()
    files = find_models(Models(fusion, "demo_a", 1, 0), config, "snakemake")
    return classify(video, files, "demo_a", config.scale, "cpu", scratch)


def called(monkeypatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["classify_video.py", *map(str, arguments)])
    cli.run(classify_video.main)


def refused(monkeypatch, *arguments: object) -> str:
    """What a call says that ends with an error."""
    with pytest.raises(SystemExit) as stopped:
        called(monkeypatch, *arguments)
    assert str(stopped.value).startswith("error: ")
    return str(stopped.value)


@pytest.fixture
def extracted(here) -> Path:
    """Frames and flow of the dataset's videos, as the rules extract them."""
    config, index = load_config(), "data/videos/demo_a.csv"
    place = Path("data/videos/demo_a")
    settings = config.scale.frames.model_copy(update={"short_side": 60})
    frames = FramesRecipe(media="videos", shards=1, frames=settings)
    store_frames(frames, place, index, 0, paths.frame_shards("demo_a", 1)[0])
    for direction in ("forward", "backward"):
        flow = FlowRecipe(shards=1, flow=config.scale.flow, direction=direction)
        store_flow(flow, place, index, 0, paths.flow_shards("demo_a", direction, 1)[0], "cpu")
    return here


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_video_of_a_dataset_has_the_scores_of_its_score_file(extracted, tmp_path, fusion):
    config = load_config()
    recipe = ScoringRecipe(dataset="demo_a", shards=1, split=1, testing=config.scale.testing)
    files, expected = datasets_here("demo_a")["demo_a"], []
    for run in FUSIONS[fusion]:
        scores = score_videos(recipe, files, model_file(run, config), "cpu", 0)
        write_scores(scores, tmp_path / f"{run}.npz")
        expected.append(read_scores(tmp_path / f"{run}.npz"))
    row = expected[0].videos.tolist().index("b/1.avi")
    verdicts = classified(Path("data/videos/demo_a/b/1.avi"), fusion, tmp_path)
    assert [v.name for v in verdicts] == [
        *(f"{s} ({run})" for s, run in zip(("spatial", "temporal"), FUSIONS[fusion], strict=True)),
        "fused by averaging",
    ]
    for verdict, scores in zip(verdicts, expected, strict=False):
        assert verdict.classes == scores.classes.tolist() == ["a", "b"]
        np.testing.assert_allclose(verdict.scores, scores.scores[row], rtol=0, atol=1e-6)
        # Else any video would do.
        assert np.ptp(scores.scores[:, 0]) > 1e-3
    average = np.mean([scores.scores[row] for scores in expected], axis=0)
    np.testing.assert_allclose(verdicts[2].scores, average, rtol=0, atol=1e-6)


@pytest.mark.parametrize("fusion", ["many", "followed"])
def test_a_video_shorter_than_the_input_is_classified(here, tmp_path, fusion):
    video = write_video(tmp_path / "short.avi", [textured(48, 64, seed) for seed in (1, 2)])
    for verdict in classified(video, fusion, tmp_path):
        assert verdict.scores.sum() == pytest.approx(1)


def test_it_prints_each_streams_classes_and_writes_the_video(here, tmp_path, monkeypatch, capsys):
    video, out = here / "data/videos/demo_a/a/2.avi", tmp_path / "new/out.mp4"
    called(monkeypatch, video, "--out", out)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"{video}, by models of demo_a, split 1, seed 0"
    assert printed[2].split("   ") == [
        "spatial (spatial-last-d05)",
        "temporal (flow-1)",
        "fused by averaging",
    ]
    # Two classes, so two lines; best first.
    assert printed[5:] == [
        "",
        "These are scores of 2 classes; a video of none of them gets some too.",
        "The models were trained on this video.",
    ]
    for first, second in zip(printed[3].split()[::2], printed[4].split()[::2], strict=True):
        assert float(first.rstrip("%")) + float(second.rstrip("%")) == pytest.approx(100, abs=0.11)
        assert float(first.rstrip("%")) >= 50
    shown = decoded(out)
    # 66 x 48 becomes 330 x 240, twice.
    assert len(shown) == 19 and shown[0].shape[1] == 660 and shown[0].shape[0] > 300
    assert list(out.parent.iterdir()) == [out]


def decoded(video: Path) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(video)), []
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(25)
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


def test_the_five_best_classes_of_each_verdict_are_aligned():
    names = ["Ab", "C", "Longest", "D", "E", "F"]
    low = Verdict("low", names, np.array([0.05, 0.1, 0.6, 0.12, 0.13, 0.0]))
    high = Verdict("high", names, np.array([1.0, 0, 0, 0, 0, 0]))
    assert readable([low, high]).splitlines() == [
        "low               high",
        " 60.0%  Longest   100.0%  Ab",
        " 13.0%  E           0.0%  C",
        " 12.0%  D           0.0%  Longest",
        " 10.0%  C           0.0%  D",
        "  5.0%  Ab          0.0%  E",
    ]


def verdicts(name: str) -> list[Verdict]:
    sources = ("spatial", "temporal", "fused")
    return [Verdict(source, [name, "other"], np.array([0.75, 0.25])) for source in sources]


def test_colours_compare_throughout_the_video_and_the_last_field_is_repeated(clip, tmp_path):
    with ShardWriter(tmp_path / "0.zip", 95) as writer:
        fields = (np.full((48, 64, 2), (right, 0), np.float32) for right in (2, 4, 6, 8))
        writer.add_flow(clip.name, [encode(field, "range") for field in fields])
    write_annotated(clip, Store([tmp_path / "0.zip"]), verdicts("a"), tmp_path / "out.avi", tmp_path)
    # To the right is red: the longer, the less blue and green.
    shown = decoded(tmp_path / "out.avi")
    flow = np.array([frame[20:220, 340:620].mean(axis=(0, 1)) for frame in shown])
    np.testing.assert_allclose(flow[:, 2], 255, atol=6)
    np.testing.assert_allclose(flow[:, 0], [255 * (1 - d / 7.4) for d in (2, 4, 6, 7.4, 7.4)], atol=8)
    originals = [cv2.resize(frame, (320, 240)).astype(float) for frame in decoded(clip)]
    for frame, original in zip(shown, originals, strict=True):
        assert np.abs(frame[:240, :320] - original).mean() < 6


def test_a_long_name_leaves_room_for_its_percentage():
    short, long = (draw_band(verdicts(name), 600, 240, 3.0) for name in ("Jump", "Jump" * 50))
    assert (short[:, 220:300] != long[:, 220:300]).mean() < 0.05
    assert (short[:, 240:300] == long[:, 240:300]).all()
    assert (short[:, 540:] == long[:, 540:]).all()


def test_an_output_is_whole_or_stays_what_it_was(here, tmp_path, monkeypatch):
    out = tmp_path / "out.avi"
    out.write_bytes(b"before")
    monkeypatch.setattr(annotate, "announced", lambda path: Announced(0, 0, 0))
    said = refused(monkeypatch, here / "data/videos/demo_a/a/1.avi", "--out", out)
    assert "could not write all of it" in said
    assert out.read_bytes() == b"before" and list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("microseconds", "rate"), [(40_000, 25), (100, 25), (50_000_000, 0.02), (2**31 - 1, 25)]
)
def test_a_rate_that_cannot_be_is_taken_for_the_usual_one(clip, tmp_path, microseconds, rate):
    # A stream's header in AVI has the duration of a frame as scale over rate.
    content = bytearray(clip.read_bytes())
    place = content.index(b"vids") + 20
    assert content[place : place + 8] == (1).to_bytes(4, "little") + (25).to_bytes(4, "little")
    content[place : place + 8] = microseconds.to_bytes(4, "little") + (1_000_000).to_bytes(4, "little")
    clip.write_bytes(content)
    assert annotate.shown_rate(clip) == pytest.approx(rate)
    path = tmp_path / "out.avi"
    assert annotate._encode(iter([textured(48, 64)] * 2), annotate.shown_rate(clip), path) == 2
    assert len(list(read_frames(path))) == 2


def test_a_damaged_video_is_told_once_for_both_streams(here, clip, monkeypatch, capsys):
    called(monkeypatch, clip)
    assert "damaged" not in capsys.readouterr().err
    zero_frame(clip, 2)
    called(monkeypatch, clip)
    said = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert len(said) == 1 and said[0].startswith(
        f"{clip}: is damaged, and what is left of it is used (packets"
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.avi", "the file does not exist"),
        ("text.avi", "no frame can be decoded"),
        ("empty.avi", "the file is empty"),
        ("one.avi", "it has only 1 frame"),
    ],
)
def test_what_is_no_video_is_refused(here, tmp_path, monkeypatch, name, reason):
    (tmp_path / "text.avi").write_text("no video")
    (tmp_path / "empty.avi").touch()
    write_video(tmp_path / "one.avi", [textured(48, 64)])
    assert f"{name}: {reason}" in refused(monkeypatch, tmp_path / name)


def test_an_output_that_cannot_be_written_is_refused_before_any_work(here, tmp_path, clip, monkeypatch):
    monkeypatch.setattr(classify_video, "classify", None)
    assert ".avi (MJPG) or .mp4 (mp4v)" in refused(monkeypatch, clip, "--out", tmp_path / "out.mkv")
    assert "is the video itself" in refused(monkeypatch, clip, "--out", clip)
    (tmp_path / "folder.avi").mkdir()
    assert "is a folder" in refused(monkeypatch, clip, "--out", tmp_path / "folder.avi")
    assert "folder cannot be made" in refused(monkeypatch, clip, "--out", clip / "out.avi")


def test_a_missing_model_is_named_with_the_command_that_makes_it(here, clip, monkeypatch):
    said = refused(monkeypatch, clip, "--seed", "3", "--scale", "demo")
    runs = ("spatial/spatial-last-d05", "temporal/flow-1")
    files = " ".join(f"models/{run}/demo_a-split1-seed3.safetensors" for run in runs)
    assert f"snakemake --cores all --config scale=demo -- {files}" in said
    said = refused(monkeypatch, clip, "--fusion", "flow-average")
    assert "snakemake --cores all -- models/temporal/flow-10/demo_a-split1-seed0.safetensors" in said


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--dataset", "demo_stills", "those are demo_a, demo_b"),
        ("--split", "4", "demo_a has the splits 1 to 3"),
        ("--split", "0", "demo_a has the splits 1 to 3"),
        ("--fusion", "none", "fusions: .*single"),
    ],
)
def test_a_choice_that_is_not_there_is_refused(here, clip, monkeypatch, option, value, reason):
    with pytest.raises(SystemExit, match=reason):
        called(monkeypatch, clip, option, value)


def test_runs_that_the_dataset_cannot_have_are_told(here, clip, monkeypatch):
    file = here / "config/scale/demo.yaml"
    content = file.read_text()
    scale = yaml.safe_load(content)
    del scale["datasets"]["demo_b"]["auxiliary"]
    try:
        file.write_text(yaml.safe_dump(scale))
        said = refused(monkeypatch, clip, "--dataset", "demo_b", "--fusion", "multitask-average")
    finally:
        file.write_text(content)
    assert "flow-10-multitask learns from a second dataset" in said and "--fusion" in said


def test_models_of_different_classes_are_refused(here, tmp_path):
    config = load_config()
    files = {run: model_file(run, config) for run in FUSIONS["single"]}
    files["flow-1"] = str(tmp_path / "other.safetensors")
    described = Description(
        run=config.benchmark.runs["flow-1"],
        network=config.scale.networks["temporal"],
        crop=56,
        short_side=60,
        heads={"demo_a": ["a", "c"]},
    )
    save_model(described.build(), described, files["flow-1"])
    with pytest.raises(UserError, match="other classes of demo_a"):
        classify(here / "data/videos/demo_a/a/1.avi", files, "demo_a", config.scale, "cpu", tmp_path)

"""Sampling, networks and training, on data small enough to follow."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import tiny_scale
from torch import nn

from twostream.config import Network, Run
from twostream.index import write_index
from twostream.inputs import VideoReader
from twostream.loading import parse
from twostream.models import Description, load_model, save_model
from twostream.networks import GroupFrames, TwoStreamNetwork
from twostream.recipes import TrainingRecipe
from twostream.sampling import TaskSamples, TrainingVideo, collate
from twostream.store import ShardWriter, Store
from twostream.training import train

FRAME = {"kind": "frames", "length": 1}


def run(**settings) -> Run:
    content = {"stream": "spatial", "input": FRAME, "initialisation": "scratch", "dropout": 0.0}
    return parse(Run, content | settings, "test")


def network_settings(normalisation: str = "batch") -> Network:
    return parse(Network, tiny_scale()["network"] | {"normalisation": normalisation}, "test")


@pytest.fixture
def coloured(tmp_path, monkeypatch):
    """Two datasets of videos whose class is their brightness, where the rules would put them."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for dataset, classes in (("one", "ab"), ("two", "bcd")):
        rows = []
        (tmp_path / f"data/frames/{dataset}").mkdir(parents=True)
        with ShardWriter(tmp_path / f"data/frames/{dataset}/0.zip", 95) as writer:
            for label, name in enumerate(classes):
                for clip in range(4):
                    file = f"{name}/{clip}.avi"
                    level = 40 + 50 * "abcd".index(name)
                    frames = rng.normal(level, 8, (4, 64, 64, 3)).clip(0, 255).astype(np.uint8)
                    writer.add_frames(file, frames)
                    rows.append((file, name, label, str(clip), "train" if clip < 2 else "test"))
        (tmp_path / "data/videos").mkdir(parents=True, exist_ok=True)
        index = pd.DataFrame(rows, columns=["file", "class", "label", "group", "split1"])
        write_index(index, tmp_path / f"data/videos/{dataset}.csv")
    return tmp_path


def source(dataset: str, split: int | None = 1, without: tuple[str, ...] = ()) -> dict:
    return {"dataset": dataset, "shards": 1, "split": split, "without": list(without)}


def recipe(tasks: list[dict], iterations: int = 30, **run_settings) -> TrainingRecipe:
    scale = tiny_scale()
    content = {
        "run": run(**run_settings).model_dump(),
        "tasks": tasks,
        "network": scale["network"],
        "training": scale["training"] | {"batch": 8},
        "schedule": {"rate": 0.005, "drops": [25], "iterations": iterations},
        "short_side": 64,
        "seed": 0,
    }
    return parse(TrainingRecipe, content, "test")


SINGLE = [{"head": "one", "sources": [source("one")]}]
MULTI = [*SINGLE, {"head": "two", "sources": [source("two", None)]}]


def same(first: nn.Module, second: nn.Module, prefix: str = "") -> bool:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(torch.equal(a, b) for (name, a), (_, b) in pairs if name.startswith(prefix))


def test_training_learns_what_can_be_seen(coloured):
    _, _, curve = train(recipe(SINGLE), None, "cpu")
    assert curve["loss"][-5:].mean() < 0.3 < curve["loss"].iloc[0]
    assert curve["rate"].iloc[0] == pytest.approx(10 * curve["rate"].iloc[-1])


def test_equal_seeds_give_equal_networks_and_others_do_not(coloured):
    first, second = (train(recipe(SINGLE, 3), None, "cpu")[0] for _ in range(2))
    other = train(recipe(SINGLE, 3).model_copy(update={"seed": 1}), None, "cpu")[0]
    assert same(first, second) and not same(first, other)


def test_the_last_layer_alone_leaves_all_others_as_they_were(coloured, tmp_path):
    network, description, _ = train(recipe(SINGLE, 3), None, "cpu")
    save_model(network, description, tmp_path / "start.safetensors")
    settings = {"initialisation": "images", "layers": "last", "dropout": 0.5}
    tuned, _, _ = train(recipe(SINGLE, 3, **settings), str(tmp_path / "start.safetensors"), "cpu")
    assert same(network, tuned, "features.") and same(network, tuned, "full.")
    assert not same(network, tuned, "heads.")


def test_multitask_learning_has_a_head_for_each_dataset_and_learns_both(coloured):
    network, description, curve = train(recipe(MULTI, 60), None, "cpu")
    assert description.heads == {"one": ["a", "b"], "two": ["b", "c", "d"]}
    assert {name: head.out_features for name, head in network.heads.items()} == {"one": 2, "two": 3}
    assert curve["accuracy"][-20:].mean() > curve["accuracy"][:5].mean() + 20


def test_added_classes_share_one_head_without_those_in_both(coloured):
    tasks = [{"head": "one", "sources": [source("one"), source("two", None, ("b",))]}]
    _, description, _ = train(recipe(tasks, 2), None, "cpu")
    assert description.heads == {"one": ["a", "b", "c", "d"]}


def test_a_class_to_leave_out_that_does_not_exist_is_an_error(coloured):
    tasks = [{"head": "one", "sources": [source("one"), source("two", None, ("z",))]}]
    with pytest.raises(Exception, match=r"shared_classes\.two: the dataset has no class z"):
        train(recipe(tasks, 2), None, "cpu")


def test_a_saved_model_is_the_same_model_and_the_same_bytes(coloured, tmp_path):
    network, description, _ = train(recipe(MULTI, 2), None, "cpu")
    for name in ("1.safetensors", "2.safetensors"):
        save_model(network, description, tmp_path / name)
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()
    loaded, described = load_model(tmp_path / "1.safetensors")
    assert described == description and same(network, loaded)


def samples(store: Store, counts: dict[int, int], key=(0,)) -> TaskSamples:
    reader = VideoReader(run().input, {"frames": store})
    videos = [TrainingVideo(f"{c}-{i}", c, reader) for c, count in counts.items() for i in range(count)]
    return TaskSamples(videos, recipe(SINGLE).training, 64, key)


@pytest.fixture
def noise(tmp_path) -> Store:
    rng = np.random.default_rng(0)
    with ShardWriter(tmp_path / "0.zip", 95) as writer:
        for label, count in ((0, 1), (1, 9)):
            for i in range(count):
                size = (2, 64, 80 + 16 * i, 3)
                writer.add_frames(f"{label}-{i}", rng.integers(0, 256, size).astype(np.uint8))
    return Store([tmp_path / "0.zip"])


def test_classes_are_drawn_uniformly_however_many_videos_they_have(noise):
    drawn = samples(noise, {0: 1, 1: 9})
    counts = Counter(drawn[i].label for i in range(400))
    assert 160 < counts[0] < 240


def test_a_sample_depends_on_seed_and_number_alone(noise):
    one, again, other = (samples(noise, {0: 1, 1: 9}, key) for key in ((0,), (0,), (1,)))
    order = [7, 3, 7]
    for number in order:
        assert (one[number].stored.images == again[number].stored.images).all()
    assert any(one[i].label != other[i].label for i in range(20))


def test_crops_come_from_the_whole_frame_and_stack_up_at_any_size(noise):
    drawn = [samples(noise, {1: 9})[i] for i in range(12)]
    batch, labels = collate(drawn)
    assert batch.images.shape == (12, 1, 3, 56, 56)
    assert labels.tolist() == [1] * 12


def test_grouping_frames_is_a_sliding_window_over_time():
    frames = torch.arange(22.0).reshape(22, 1, 1, 1)
    grouped = GroupFrames(frames=11, extent=5, stride=2)(frames)
    assert grouped.shape == (8, 5, 1, 1)
    assert grouped[1].flatten().tolist() == [2, 3, 4, 5, 6]
    assert grouped[4].flatten().tolist() == [11, 12, 13, 14, 15]


def test_slow_fusion_sees_each_of_its_frames():
    what = run(input={"kind": "frames", "length": 11})
    network = TwoStreamNetwork(network_settings(), what, {"h": 3}, 56).eval()
    x = torch.rand(1, 33, 56, 56, requires_grad=True)
    network(x, "h").sum().backward()
    seen = x.grad.unflatten(1, (11, 3)).abs().sum(dim=(0, 2, 3, 4))
    assert (seen > 0).all()


def test_the_temporal_network_lacks_the_second_local_response_normalisation():
    def normalised(**settings) -> int:
        built = TwoStreamNetwork(network_settings("local_response"), run(**settings), {"h": 2}, 56)
        return sum(isinstance(layer, nn.LocalResponseNorm) for layer in built.features)

    temporal = {"stream": "temporal", "input": {"kind": "stacking", "length": 10}}
    assert (normalised(), normalised(**temporal)) == (5, 1)


def test_frozen_layers_keep_their_batch_statistics():
    network = TwoStreamNetwork(network_settings(), run(dropout=0.5), {"h": 2}, 56)
    network.freeze_hidden()
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(torch.rand(4, 3, 56, 56), "h")
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.dropout.training


def test_a_description_survives_as_json():
    described = Description(
        run=run(), network=network_settings(), crop=56, short_side=64, heads={"h": ["a", "b"]}
    )
    assert Description.model_validate_json(described.model_dump_json()) == described

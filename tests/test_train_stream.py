"""Sampling, networks and training, on data small enough to follow."""

import math
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ENVIRONMENT, ROOT, datasets_here, tiny_scale
from torch import nn
from torch.optim import SGD

from twostream import arithmetic
from twostream.config.benchmark import Run
from twostream.config.loading import parse
from twostream.config.networks import Network
from twostream.config.recipes import TrainingRecipe
from twostream.config.scale import Schedule
from twostream.devices import open_runtime
from twostream.extraction.store import ShardWriter, Store
from twostream.files import UserError
from twostream.networks.model_file import Description, load_model, save_model
from twostream.networks.network import GroupFrames, StreamNetwork
from twostream.training.descent import optimizer_of, rate_at
from twostream.training.reader import VideoReader
from twostream.training.sampling import Dropout, Sample, TaskSamples, TrainingVideo, collate
from twostream.training.stagnation import Stagnation
from twostream.training.trainer import Trained, train

FRAME = {"kind": "frames", "length": 1}


def run(**settings) -> Run:
    content = {"stream": "spatial", "input": FRAME, "initialisation": "scratch", "dropout": 0.0}
    return parse(Run, content | settings, "test")


def network_settings(normalisation: str = "batch") -> Network:
    return parse(Network, tiny_scale()["networks"]["spatial"] | {"normalisation": normalisation}, "test")


def source(dataset: str, split: int | None = 1, without: tuple[str, ...] = ()) -> dict:
    return {"dataset": dataset, "shards": 1, "split": split, "without": list(without)}


def recipe(tasks: list[dict], iterations: int = 30, **run_settings) -> TrainingRecipe:
    scale = tiny_scale()
    content = {
        "run": run(**run_settings).model_dump(),
        "tasks": tasks,
        "network": scale["networks"]["spatial"],
        "training": scale["training"] | {"batch": 8},
        "schedule": {"rate": 0.005, "drops": [25], "iterations": iterations},
        "short_side": 64,
        "seed": 0,
    }
    return parse(TrainingRecipe, content, "test")


def as_caffe(content: TrainingRecipe) -> TrainingRecipe:
    """The recipe with a rate of their own for biases, and for the first layer."""
    training = content.training.model_copy(update={"biases_as_caffe": True})
    return content.model_copy(update={"training": training, "first_layer_scale": 1.5})


SINGLE = [{"head": "one", "sources": [source("one")]}]
MULTI = [*SINGLE, {"head": "two", "sources": [source("two", None)]}]


def trained(content: TrainingRecipe, initial: str | None = None, **how) -> Trained:
    with open_runtime("cpu", how.pop("workers", 0)) as runtime:
        return train(content, datasets_here(*content.shards), initial, runtime, **how)


def same(first: nn.Module, second: nn.Module, prefix: str = "") -> bool:
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(torch.equal(a, b) for (name, a), (_, b) in pairs if name.startswith(prefix))


def test_training_learns_what_can_be_seen(coloured):
    curve = trained(recipe(SINGLE)).curve
    assert curve["loss"][-5:].mean() < 0.3 < curve["loss"].iloc[0]
    assert curve["rate"].iloc[0] == pytest.approx(10 * curve["rate"].iloc[-1])


def test_a_training_that_does_not_learn_is_told_and_recorded(coloured, capsys):
    content = recipe(SINGLE, 20)
    never = content.model_copy(update={"schedule": Schedule(rate=1e-9, drops=[], iterations=20)})
    stuck = trained(never)
    assert stuck.facts["no_better_than_guessing"] == 20
    assert capsys.readouterr().err.count("warning: at iteration 1 the loss is") == 1


def test_a_training_that_learns_is_not_called_one_that_does_not(coloured, capsys):
    made = trained(recipe(SINGLE, 100))
    assert "no_better_than_guessing" not in made.facts
    assert "warning" not in capsys.readouterr().err


def test_learning_is_told_from_guessing_by_the_sum_over_tasks_from_a_twentieth_on():
    stagnation = Stagnation.of([2, 3], 100)
    better = math.log(2) + math.log(3) - 0.11
    rows = [(1, 0.1, 9.0, 0.0), (5, 0.1, better + 0.02, 0.0), (6, 0.1, better + 0.02, 0.0)]
    learned = (7, 0.1, better, 0.0)
    assert stagnation.until(rows[:1]) is None and stagnation.warning(rows[:1]) is None
    assert stagnation.until(rows[:2]) == 5 and "iteration 5" in stagnation.warning(rows[:2])
    # Told once, and recorded up to where it learns.
    assert stagnation.warning(rows) is None
    assert stagnation.until([*rows, learned]) == 6
    assert stagnation.until([*rows, learned, (8, 0.1, 9.0, 0.0)]) == 6
    assert stagnation.until([rows[0], learned]) is None and stagnation.warning([rows[0], learned]) is None


def test_equal_seeds_give_equal_networks_and_others_do_not(coloured):
    first, second = (trained(recipe(SINGLE, 3)).network for _ in range(2))
    other = trained(recipe(SINGLE, 3).model_copy(update={"seed": 1})).network
    assert same(first, second) and not same(first, other)


def test_the_last_layer_alone_leaves_all_others_as_they_were(coloured, tmp_path):
    start = trained(recipe(SINGLE, 3))
    save_model(start.network, start.description, tmp_path / "start.safetensors")
    settings = {"initialisation": "images", "layers": "last", "dropout": 0.5}
    tuned = trained(recipe(SINGLE, 3, **settings), str(tmp_path / "start.safetensors")).network
    assert same(start.network, tuned, "features.") and same(start.network, tuned, "full.")
    assert not same(start.network, tuned, "heads.")


def test_multitask_learning_has_a_head_for_each_dataset_and_learns_both(coloured):
    made = trained(recipe(MULTI, 60))
    assert made.description.heads == {"one": ["a", "b"], "two": ["b", "c", "d"]}
    assert {name: head.out_features for name, head in made.network.heads.items()} == {"one": 2, "two": 3}
    assert made.curve["accuracy"][-20:].mean() > made.curve["accuracy"][:5].mean() + 20


def test_added_classes_share_one_head_without_those_in_both(coloured):
    tasks = [{"head": "one", "sources": [source("one"), source("two", None, ("b",))]}]
    assert trained(recipe(tasks, 2)).description.heads == {"one": ["a", "b", "c", "d"]}


def test_a_class_to_leave_out_that_does_not_exist_is_an_error(coloured):
    tasks = [{"head": "one", "sources": [source("one"), source("two", None, ("z",))]}]
    with pytest.raises(Exception, match=r"shared_classes\.two: the dataset has no class z"):
        trained(recipe(tasks, 2))


def test_a_saved_model_is_the_same_model_and_the_same_bytes(coloured, tmp_path):
    made = trained(recipe(MULTI, 2))
    for name in ("1.safetensors", "2.safetensors"):
        save_model(made.network, made.description, tmp_path / name)
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()
    loaded, described = load_model(tmp_path / "1.safetensors")
    assert described == made.description and same(made.network, loaded)


def samples(store: Store, counts: dict[int, int], key=(0,), **changes: float) -> TaskSamples:
    reader = VideoReader(run().input, {"frames": store})
    videos = [TrainingVideo(f"{c}-{i}", c, reader) for c, count in counts.items() for i in range(count)]
    training = recipe(SINGLE).training.model_copy(update=changes)
    return TaskSamples(videos, training, 64, Dropout(8, 0.5), key)


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


def test_dropout_is_drawn_with_each_sample(noise):
    drawn = [samples(noise, {1: 9})[i] for i in range(200)]
    kept = np.stack([sample.keep for sample in drawn])
    assert kept.shape == (200, 8) and abs(kept.mean() - 0.5) < 0.05
    assert (samples(noise, {1: 9})[7].keep == drawn[7].keep).all()


def test_lighting_moves_colours_along_their_principal_components_and_changes_nothing_else(noise):
    plain, lit = samples(noise, {1: 9}), samples(noise, {1: 9}, pca_lighting=0.1, rgb_jitter=0)
    for number in range(5):
        one, other = plain[number], lit[number]
        assert (one.stored.images == other.stored.images).all() and (one.keep == other.keep).all()
        assert (one.flip, one.label) == (other.flip, other.label)
    jitter = np.stack([lit[number].jitter for number in range(2000)])
    # Krizhevsky et al., by hand: three independent steps of 0.1 times the eigenvalue, along unit vectors.
    vectors = np.array([[-0.5675, -0.5808, -0.5836], [0.7192, -0.0045, -0.6948], [0.4009, -0.8140, 0.4203]])
    steps = jitter @ vectors.T
    assert steps.std(axis=0) == pytest.approx(25.5 * np.array([0.2175, 0.0188, 0.0045]), rel=0.05)
    assert np.corrcoef(steps.T) == pytest.approx(np.eye(3), abs=0.08)


def test_dropped_units_count_nothing_and_the_others_so_much_more():
    network = StreamNetwork(network_settings(), run(dropout=0.75), {"h": 2}, 56).eval()
    x, keep = torch.rand(3, 3, 56, 56), torch.rand(3, network.units) > 0.75
    whole = network.hidden(x)
    torch.testing.assert_close(network.hidden(x, keep), whole * keep * 4)


def test_the_learning_rate_drops_after_the_iterations_that_the_schedule_names():
    schedule = Schedule(rate=0.01, drops=[50, 70], iterations=80)
    rates = [rate_at(schedule, iteration) for iteration in (1, 50, 51, 70, 71, 80)]
    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4])


def stepped(layer: nn.Conv2d, optimizer: SGD, x: torch.Tensor, rate: float) -> None:
    """Three steps down a loss of a layer's outputs, as `descend` takes them."""
    for _ in range(3):
        for group in optimizer.param_groups:
            group["lr"] = rate * group["rate_factor"]
        optimizer.zero_grad()
        layer(x).pow(2).mean().sin().backward()
        optimizer.step()


def small_network(**changes: object) -> tuple[StreamNetwork, SGD]:
    """A network in double precision, and the optimiser of a recipe that is changed so."""
    content = recipe(SINGLE)
    settings = content.training.model_copy(update={"momentum": 0.9, "weight_decay": 0.05})
    training = {key: changes.pop(key) for key in list(changes) if hasattr(settings, key)}
    content = content.model_copy(update={"training": settings.model_copy(update=training), **changes})
    torch.manual_seed(1)
    network = StreamNetwork(network_settings("local_response"), run(), {"h": 2}, 56).double()
    return network, optimizer_of(network, content)


def test_a_first_layer_of_scaled_weights_learns_as_it_would_where_they_come_from():
    """Caffe's colours are 0 to 255 less their mean; ours are divided by 58, and its weights multiplied."""
    theirs, their_optimizer = small_network()
    ours, our_optimizer = small_network(first_layer_scale=58.0)
    with torch.no_grad():
        theirs.features.conv1.weight /= 58
        theirs.features.conv1.bias += 0.1
        ours.features.conv1.bias += 0.1
    colours = 80 * torch.randn(4, 3, 20, 20, dtype=torch.float64)
    before = ours.features.conv1.weight.clone()
    stepped(theirs.features.conv1, their_optimizer, colours, 1e-5)
    stepped(ours.features.conv1, our_optimizer, colours / 58, 1e-5)
    assert (ours.features.conv1.weight - before).abs().max() > 1e-3
    for name, factor in (("weight", 58), ("bias", 1)):
        learned, expected = (getattr(n.features.conv1, name) for n in (ours, theirs))
        torch.testing.assert_close(learned, factor * expected, rtol=1e-10, atol=1e-12)


def test_biases_learn_at_twice_the_rate_and_do_not_decay_if_so_wanted():
    network, optimizer = small_network(biases_as_caffe=True)
    layer = network.features.conv2
    with torch.no_grad():
        layer.bias += 1
    weight, bias = layer.weight.clone(), layer.bias.clone()
    moved = [torch.zeros_like(weight), torch.zeros_like(bias)]
    for _ in range(3):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * group["rate_factor"]
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)
        # By hand: momentum 0.9, and 0.05 of the weights as their decay.
        moved = [0.9 * moved[0] + 1 + 0.05 * weight, 0.9 * moved[1] + 1]
        weight, bias = weight - 0.1 * moved[0], bias - 0.2 * moved[1]
        optimizer.step()
    torch.testing.assert_close(layer.weight, weight)
    torch.testing.assert_close(layer.bias, bias)


def test_a_trainings_first_step_moves_biases_twice_as_far(coloured):
    usual = trained(recipe(SINGLE, 1)).network.state_dict()
    twice = trained(as_caffe(recipe(SINGLE, 1))).network.state_dict()
    # All biases start at zero.
    biases = [name for name in usual if name.endswith(".bias")]
    assert biases and all(usual[name].abs().max() > 0 for name in biases)
    for name in biases:
        torch.testing.assert_close(twice[name], 2 * usual[name])


def test_without_such_wishes_all_that_learns_is_one_group():
    (group,) = small_network()[1].param_groups
    assert (group["rate_factor"], group["weight_decay"], group["momentum"]) == (1, 0.05, 0.9)


def test_the_record_says_how_long_a_training_waited_for_its_input(coloured, monkeypatch):
    draw = TaskSamples.__getitem__

    def slow(self: TaskSamples, number: int) -> Sample:
        time.sleep(0.01)
        return draw(self, number)

    monkeypatch.setattr(TaskSamples, "__getitem__", slow)
    facts = trained(recipe(SINGLE, 3)).run
    assert 3 * 8 * 0.01 <= facts["waiting_seconds"] <= facts["training_seconds"]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_wrong_with_a_shard_is_said_plainly_also_by_workers(coloured, workers):
    shard = coloured / "data/frames/one/0.zip"
    content = bytearray(shard.read_bytes())
    content[3000:40000:500] = bytes(74)
    shard.write_bytes(content)
    with pytest.raises(UserError, match=r"^data/frames/one/0.zip: image \d+ of \S+ is damaged; delete"):
        trained(recipe(SINGLE, 3), workers=workers)


def test_workers_change_nothing(coloured):
    alone, helped = (trained(recipe(MULTI, 3), workers=workers).network for workers in (0, 2))
    assert same(alone, helped)


# A CPU has bfloat16 from AVX-512 on only, which the portable arithmetic does without.
IN_MIXED_PRECISION = """
import twostream
import torch
from test_train_stream import SINGLE, recipe, trained
from twostream.training import descent
if torch.ops.mkldnn._is_mkldnn_bf16_supported():
    descent.mixed_precision = lambda device: torch.autocast("cpu", torch.bfloat16)
    trained(recipe(SINGLE)).curve.to_csv("mixed.csv")
"""


def test_mixed_precision_trains_like_single_precision(coloured):
    single = trained(recipe(SINGLE)).curve
    places = ":".join(str(ROOT / name) for name in ("scripts", "tests", "benchmarks"))
    environment = ENVIRONMENT | {"PYTHONPATH": places, arithmetic.VARIABLE: "native"}
    subprocess.run([sys.executable, "-c", IN_MIXED_PRECISION], env=environment, check=True)
    if not (coloured / "mixed.csv").exists():
        pytest.skip("neither oneDNN nor this processor has bfloat16")
    mixed = pd.read_csv(coloured / "mixed.csv")
    assert not np.array_equal(mixed["loss"], single["loss"])
    assert mixed["loss"].to_numpy() == pytest.approx(single["loss"].to_numpy(), abs=0.2)


def test_crops_come_from_the_whole_frame_and_stack_up_at_any_size(noise):
    drawn = [samples(noise, {1: 9})[i] for i in range(12)]
    batch, _, labels = collate(drawn)
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
    network = StreamNetwork(network_settings(), what, {"h": 3}, 56).eval()
    x = torch.rand(1, 33, 56, 56, requires_grad=True)
    network({"h": x})["h"].sum().backward()
    seen = x.grad.unflatten(1, (11, 3)).abs().sum(dim=(0, 2, 3, 4))
    assert (seen > 0).all()


def test_the_temporal_network_lacks_the_second_local_response_normalisation():
    def normalised(**settings) -> int:
        built = StreamNetwork(network_settings("local_response"), run(**settings), {"h": 2}, 56)
        return sum(isinstance(layer, nn.LocalResponseNorm) for layer in built.features)

    temporal = {"stream": "temporal", "input": {"kind": "stacking", "length": 10}}
    assert (normalised(), normalised(**temporal)) == (5, 1)


def test_frozen_layers_keep_their_batch_statistics():
    network = StreamNetwork(network_settings(), run(dropout=0.5), {"h": 2}, 56)
    network.freeze_hidden()
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network({"h": torch.rand(4, 3, 56, 56)}, torch.ones(4, network.units, dtype=torch.bool))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_description_survives_as_json():
    described = Description(
        run=run(), network=network_settings(), crop=56, short_side=64, heads={"h": ["a", "b"]}
    )
    assert Description.model_validate_json(described.model_dump_json()) == described

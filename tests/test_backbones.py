"""Torchvision's networks as backbones, against torchvision itself; published weights through Snakemake."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import torchvision
import yaml
from conftest import ROOT, copy_project, datasets_here, jobs_in, planned, run, tiny_scale
from local_server import Served
from torchvision.models.feature_extraction import create_feature_extractor

from twostream.config.benchmark import Run
from twostream.config.loading import backbones, load_config, parse
from twostream.config.recipes import ImportRecipe, TrainingRecipe
from twostream.config.scale import Backbone, Network
from twostream.config.streams import KINDS
from twostream.devices import open_runtime
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter
from twostream.files import UserError
from twostream.networks.backbones import backbone_features, torchvision_weights
from twostream.networks.model_file import Description, copy_hidden_layers, load_model, save_model
from twostream.networks.network import StreamNetwork
from twostream.networks.published_weights import ONE_FRAME, import_weights
from twostream.plan.plan import Plan
from twostream.training.squares import normalise
from twostream.training.stackings.frames import jittered
from twostream.training.trainer import train
from twostream.videos.index import write_index

RESNET = Backbone(backbone="resnet18")
CROP = 40
FLOW = {
    "stream": "temporal",
    "input": {"kind": "stacking", "length": 3},
    "initialisation": "images",
    "dropout": 0.5,
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> tuple[torch.nn.Module, Path]:
    """A ResNet-18 with random weights and batch statistics, for 7 classes, and its file."""
    torch.manual_seed(3)
    model = torchvision.models.resnet18(num_classes=7)
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(layer.running_var, 0.5, 2)
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(model.state_dict(), file)
    return model.eval(), file


@pytest.fixture(scope="module")
def imported(reference, tmp_path_factory) -> Path:
    """The model that `import_weights` makes of it."""
    recipe = ImportRecipe(name="random", kind="torchvision", network=RESNET, crop=CROP)
    out = tmp_path_factory.mktemp("models") / "random.safetensors"
    import_weights(recipe, reference[1], str(out))
    return out


def test_an_imported_backbone_gives_torchvisions_own_features(reference, imported):
    image = torch.randint(0, 256, (2, 3, CROP, CROP), generator=torch.Generator().manual_seed(0))
    mean, deviation = (
        torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    extract = create_feature_extractor(reference[0], ["flatten"])
    expected = extract((image / 255 - mean) / deviation)["flatten"]
    stored = image.to(torch.uint8)[:, None]
    frames = jittered(stored, torch.zeros(0), torch.zeros(2, 3), ONE_FRAME.input)
    ours = normalise(frames, KINDS["frames"], CROP)
    network, description = load_model(imported)
    assert description.heads == {}
    torch.testing.assert_close(network.eval().hidden(ours), expected, rtol=1e-4, atol=1e-4)


def test_the_first_layer_is_adapted_to_flow_by_averaging(imported):
    network = StreamNetwork(RESNET, parse(Run, FLOW, "test"), {"h": 2}, CROP)
    copy_hidden_layers(imported, network)
    frames = load_model(imported)[0].features
    mean = frames.conv1.weight.mean(dim=1)
    assert network.features.conv1.weight.shape[1] == 6
    for channel in range(6):
        torch.testing.assert_close(network.features.conv1.weight[:, channel], mean)
    # Equal values in all channels are a gray picture, whose colours weigh three to six.
    flow = torch.rand(2, 1, CROP, CROP)
    torch.testing.assert_close(
        network.features.conv1(flow.expand(-1, 6, -1, -1)),
        2 * frames.conv1(flow.expand(-1, 3, -1, -1)),
    )
    assert torch.equal(network.features.layer4[1].conv2.weight, frames.layer4[1].conv2.weight)


def test_our_own_network_starts_flow_from_frames_without_the_second_normalisation(tmp_path):
    layers = parse(Network, tiny_scale()["networks"]["spatial"] | {"normalisation": "local_response"}, "test")
    description = Description(run=ONE_FRAME, network=layers, crop=56, short_side=64, heads={"h": ["a"]})
    frames = description.build()
    save_model(frames, description, tmp_path / "m.safetensors")
    flow = StreamNetwork(layers, parse(Run, FLOW, "test"), {"h": 2}, 56)
    copy_hidden_layers(tmp_path / "m.safetensors", flow)
    assert not hasattr(flow.features, "norm2") and hasattr(frames.features, "norm2")
    for name in ("conv2", "conv5"):
        assert torch.equal(getattr(flow.features, name).weight, getattr(frames.features, name).weight)
    torch.testing.assert_close(flow.features.conv1.weight[:, 4], frames.features.conv1.weight.mean(dim=1))


@pytest.fixture
def flow_of_two_classes(tmp_path, monkeypatch) -> None:
    """A dataset `one` whose class is the direction of its flow, where the rules would put it."""
    monkeypatch.chdir(tmp_path)
    rows = []
    Path("data/flow/one/forward").mkdir(parents=True)
    with ShardWriter("data/flow/one/forward/0.zip", 90) as writer:
        for label, name in enumerate("ab"):
            fields = np.random.default_rng(0).normal(2 - 4 * label, 1, (4, 48, 48, 2)).astype(np.float32)
            writer.add_flow(f"{name}.avi", (encode(f, "range") for f in fields))
            rows.append((f"{name}.avi", name, label, "1", "train"))
    Path("data/videos").mkdir()
    columns = ["file", "class", "label", "group", "split1"]
    write_index(pd.DataFrame(rows, columns=columns), "data/videos/one.csv")


def test_a_temporal_backbone_trains_from_weights_for_frames(flow_of_two_classes, imported):
    scale = tiny_scale()
    content = {
        "run": FLOW,
        "tasks": [{"head": "one", "sources": [{"dataset": "one", "shards": 1, "split": 1}]}],
        "network": {"backbone": "resnet18"},
        "training": scale["training"] | {"batch": 4, "crop": CROP},
        "schedule": {"rate": 0.001, "drops": [], "iterations": 2},
        "short_side": 48,
        "seed": 0,
    }
    with open_runtime("cpu", workers=0) as runtime:
        trained = train(parse(TrainingRecipe, content, "test"), datasets_here("one"), str(imported), runtime)
    network = trained.network
    assert np.isfinite(trained.curve["loss"]).all() and len(trained.curve) == 2
    assert network.units == 512  # what is dropped out lies between backbone and heads
    before = StreamNetwork(RESNET, parse(Run, FLOW, "test"), {"one": 2}, CROP)
    copy_hidden_layers(imported, before)
    moved = (network.features.conv1.weight - before.features.conv1.weight).abs().max()
    assert 0 < moved < 0.1
    assert trained.description.build().features.conv1.in_channels == 6


def test_a_backbones_own_dropout_is_switched_off():
    torch.manual_seed(0)
    features, width = backbone_features("alexnet", 3, 64)
    x = torch.rand(2, 3, 64, 64)
    assert width == 4096
    assert torch.equal(features.train()(x), features.eval()(x))


def test_the_names_of_backbones_are_torchvisions():
    assert backbones() == set(torchvision.models.list_models(module=torchvision.models))


@pytest.mark.parametrize(
    ("name", "crop", "said"),
    [
        ("resnet5", 64, "no classification model 'resnet5'"),
        ("googlenet", 64, "googlenet gives several outputs"),
        ("squeezenet1_1", 64, "squeezenet1_1 does not end in a linear layer"),
        ("vit_b_16", 64, "vit_b_16 does not take inputs of 64 x 64 px"),
    ],
)
@pytest.mark.filterwarnings("ignore:The default weight initialization")
def test_what_cannot_be_a_backbone_is_refused(name, crop, said):
    with pytest.raises(UserError, match=said):
        backbone_features(name, 3, crop)


def test_weights_of_another_model_are_refused(reference, tmp_path):
    with pytest.raises(
        UserError, match=r"resnet18\.pth: does not hold the weights of torchvision's resnet34"
    ):
        torchvision_weights(reference[1], "resnet34")
    (tmp_path / "page.pth").write_text("<html>Not found</html>")
    with pytest.raises(UserError, match=r"page\.pth: holds no state dict"):
        torchvision_weights(tmp_path / "page.pth", "resnet18")
    with pytest.raises(UserError, match=r"nowhere\.pth: there is no such file"):
        recipe = ImportRecipe(name="x", kind="torchvision", network=RESNET, crop=CROP)
        import_weights(recipe, tmp_path / "nowhere.pth", str(tmp_path / "x.safetensors"))


def test_weights_for_another_mean_are_refused(tmp_path):
    with torch.device("meta"):
        shapes = torchvision.models.efficientnet_v2_l().state_dict()
    torch.save({name: torch.zeros(()).expand(v.shape) for name, v in shapes.items()}, tmp_path / "e.pth")
    with pytest.raises(UserError, match="another mean"):
        torchvision_weights(tmp_path / "e.pth", "efficientnet_v2_l")


# --- The workflow ---


def scale_with(folder: Path, **settings: object) -> None:
    file = folder / "config/scale/demo.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | settings, sort_keys=False))


def test_published_weights_go_through_the_workflow(tmp_path, server, reference, imported):
    address = server.url("/resnet18.pth")
    server.files["/resnet18.pth"] = Served(reference[1].read_bytes())
    project = copy_project(tmp_path)
    scale = yaml.safe_load((project / "config/scale/demo.yaml").read_text())
    pretrained = {"kind": "torchvision", "name": "random", "sources": [{"url": address}]}
    scale_with(
        project,
        network={"backbone": "resnet18"},
        pretrained=pretrained,
        training=scale["training"] | {"crop": CROP},
    )
    said = run(project, "-n", "results/table3.csv")
    assert jobs_in(said)["import_weights"] == 1
    assert "pretrain" not in jobs_in(said) and "demo_stills" not in said
    target = "models/pretrained/random.safetensors"
    run(project, target)
    model = project / target
    assert model.read_bytes() == imported.read_bytes()
    record = json.loads(model.with_suffix(".record.json").read_text())
    known = json.loads((project / "config/checksums/random.json").read_text())
    assert record["sha256_of_file"] == known[address]["sha256"] and record["file"] == "resnet18.pth"
    assert (project / "data/archives/random/resnet18.pth").exists()
    # Where the same file comes from is no reason to take it over again.
    moved = {"kind": "torchvision", "name": "random", "file": "elsewhere.pth"}
    scale_with(project, pretrained=moved)
    assert planned(project, target) == {}


def test_slow_fusion_by_a_backbone_is_refused_before_any_job(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    scale_with(tmp_path, network={"backbone": "resnet18"})
    with pytest.raises(UserError, match=r"the run slow-fusion .* leave it out of the tables and claims"):
        Plan(load_config(tmp_path / "config")).check()
    benchmark = tmp_path / "config/benchmark.yaml"
    content = yaml.safe_load(benchmark.read_text())
    rows = content["tables"]["table1b"]["rows"]
    content["tables"]["table1b"]["rows"] = [row for row in rows if row.get("run") != "slow-fusion"]
    # As README says: claim 11 is the one that needs it.
    content["claims"] = [claim for claim in content["claims"] if claim["number"] != 11]
    benchmark.write_text(yaml.safe_dump(content))
    Plan(load_config(tmp_path / "config")).check()

"""Networks of torchvision and timm as backbones; published weights through Snakemake."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
import torchvision
import yaml
from conftest import ROOT, copy_project, datasets_here, jobs_in, planned, run, tiny_scale
from local_server import Served
from torchvision.models.feature_extraction import create_feature_extractor

from twostream.config.benchmark import Run
from twostream.config.loading import load_config, parse
from twostream.config.model_names import model_names
from twostream.config.networks import Backbone, Colours, Network
from twostream.config.recipes import ImportRecipe, TrainingRecipe
from twostream.config.streams import KINDS
from twostream.devices import open_runtime
from twostream.extraction.encoding import encode
from twostream.extraction.store import ShardWriter
from twostream.files import UserError
from twostream.networks.backbones import backbone_features
from twostream.networks.model_file import Description, copy_hidden_layers, load_model, save_model
from twostream.networks.network import StreamNetwork, first_convolution
from twostream.networks.published_weights import ONE_FRAME, import_weights
from twostream.networks.state_dicts import backbone_weights
from twostream.plan.plan import Plan
from twostream.training.squares import normalise
from twostream.training.stackings.frames import jittered
from twostream.training.trainer import train
from twostream.videos.index import write_index

RESNET = Backbone(backbone="resnet18")
SQUEEZENET = Backbone(backbone="squeezenet1_1")
EFFICIENTNET = Backbone(backbone="tf_efficientnet_lite0", library="timm")
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


@pytest.mark.parametrize(
    "backbone", [RESNET, Backbone(backbone="resnet18", library="timm"), SQUEEZENET, EFFICIENTNET]
)
def test_the_first_layer_is_adapted_to_flow_by_averaging(backbone, tmp_path):
    description = Description(run=ONE_FRAME, network=backbone, crop=CROP, short_side=CROP, heads={})
    frames = description.build()
    torch.nn.init.constant_(frames.features.colours.scale, 0.5)
    torch.nn.init.constant_(frames.features.colours.shift, 0.25)
    save_model(frames, description, tmp_path / "frames.safetensors")
    network = StreamNetwork(backbone, parse(Run, FLOW, "test"), {"h": 2}, CROP)
    copy_hidden_layers(tmp_path / "frames.safetensors", network)
    first = first_convolution(network)
    own, theirs = (n.get_submodule(first) for n in (network, frames))
    assert own.weight.shape[1] == 6
    for channel in range(6):
        torch.testing.assert_close(own.weight[:, channel], 0.5 * theirs.weight.mean(dim=1))
    # Flow is no colour: it reaches the first layer as it is.
    flow = torch.rand(2, 1, CROP, CROP)
    assert torch.equal(network.features.colours(flow.expand(-1, 6, -1, -1)), flow.expand(-1, 6, -1, -1))
    # Equal values in all channels are a gray picture, whose colours weigh three to six, and half.
    bias = 0 if own.bias is None else own.bias[:, None, None]
    torch.testing.assert_close(
        own(flow.expand(-1, 6, -1, -1)) - bias, theirs(flow.expand(-1, 3, -1, -1)) - bias
    )
    others = frames.state_dict().keys() - {
        f"{first}.weight",
        "features.colours.scale",
        "features.colours.shift",
    }
    for name in others:
        assert torch.equal(network.state_dict()[name], frames.state_dict()[name])


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
    moved = (network.features.model.conv1.weight - before.features.model.conv1.weight).abs().max()
    assert 0 < moved < 0.1
    assert trained.description.build().features.model.conv1.in_channels == 6


@pytest.mark.parametrize(
    ("backbone", "width"),
    [
        (Backbone(backbone="alexnet"), 4096),
        (Backbone(backbone="swin_t"), 768),
        (Backbone(backbone="densenet121", library="timm"), 1024),
        (Backbone(backbone="convnext_atto", library="timm"), 320),
    ],
)
@pytest.mark.parametrize("channels", [3, 20])
def test_a_backbone_gives_what_its_last_layer_would_see_and_drops_nothing_out(backbone, width, channels):
    torch.manual_seed(0)
    features, found = backbone_features(backbone, channels, 64)
    assert found == width
    x = torch.rand(2, channels, 64, 64)
    with torch.no_grad():
        first, second = (features.train()(x) for _ in range(2))
    assert first.shape == (2, width) and torch.equal(first, second)


def test_a_classifier_that_is_a_convolution_leaves_the_mean_over_the_picture():
    torch.manual_seed(0)
    features, width = backbone_features(SQUEEZENET, 3, 64)
    x = torch.rand(2, 3, 64, 64)
    expected = features.model.features(x).mean(dim=(2, 3))
    assert width == 512
    torch.testing.assert_close(features.eval()(x), expected)


@pytest.mark.parametrize(
    ("library", "theirs"),
    [
        ("torchvision", lambda: torchvision.models.list_models(module=torchvision.models)),
        ("timm", timm.list_models),
    ],
)
def test_the_names_of_models_are_their_librarys(library, theirs):
    assert model_names(library) == set(theirs())


@pytest.mark.parametrize(
    ("library", "name", "crop", "said"),
    [
        ("torchvision", "resnet5", 64, "torchvision has no classification model 'resnet5'"),
        ("torchvision", "googlenet", 64, "googlenet gives several outputs"),
        ("torchvision", "vit_b_16", 64, "vit_b_16 does not take inputs of 64 x 64 px"),
        ("timm", "resnet5", 64, "timm has no model 'resnet5'"),
        ("timm", "vit_tiny_patch16_224", 64, "vit_tiny_patch16_224 does not take inputs of 64 x 64 px"),
    ],
)
@pytest.mark.filterwarnings("ignore:The default weight initialization")
def test_what_cannot_be_a_backbone_is_refused(library, name, crop, said):
    with pytest.raises(UserError, match=said):
        backbone_features(Backbone(backbone=name, library=library), 3, crop)


def test_weights_of_another_model_are_refused(reference, tmp_path):
    with pytest.raises(
        UserError, match=r"resnet18\.pth: does not hold the weights of torchvision's resnet34"
    ):
        backbone_weights(reference[1], Backbone(backbone="resnet34"), None)
    (tmp_path / "page.pth").write_text("<html>Not found</html>")
    with pytest.raises(UserError, match=r"page\.pth: holds no state dict"):
        backbone_weights(tmp_path / "page.pth", RESNET, None)
    with pytest.raises(UserError, match=r"nowhere\.pth: there is no such file"):
        recipe = ImportRecipe(name="x", kind="torchvision", network=RESNET, crop=CROP)
        import_weights(recipe, tmp_path / "nowhere.pth", str(tmp_path / "x.safetensors"))


def test_weights_by_other_names_are_taken_in_order_if_all_shapes_agree(reference, tmp_path):
    model, file = reference
    weights = {
        name.replace("layer", "stage").replace("fc", "head"): v for name, v in model.state_dict().items()
    }
    torch.save(weights, tmp_path / "renamed.pth")
    renamed, expected = (backbone_weights(f, RESNET, None) for f in (tmp_path / "renamed.pth", file))
    assert expected.keys() == renamed.keys()
    assert all(torch.equal(renamed[name], value) for name, value in expected.items())
    # Two of the same shape in the other order.
    swapped = list(weights)
    a, b = swapped.index("bn1.weight"), swapped.index("bn1.bias")
    swapped[a], swapped[b] = swapped[b], swapped[a]
    torch.save({name: weights[name] for name in swapped}, tmp_path / "swapped.pth")
    with pytest.raises(UserError, match="does not hold the weights"):
        backbone_weights(tmp_path / "swapped.pth", RESNET, None)


@pytest.mark.parametrize("given", [None, Colours(mean=[100.0, 110.0, 120.0], deviation=[64.0, 32.0, 50.0])])
def test_weights_for_other_colours_see_them_up_to_the_border(given, tmp_path):
    """timm's network pads with zeros, which are another colour for its weights than for ours."""
    torch.manual_seed(4)
    model = timm.create_model("tf_efficientnet_lite0", num_classes=5).eval()
    torch.save(model.state_dict(), tmp_path / "lite.pth")
    out = tmp_path / "lite.safetensors"
    recipe = ImportRecipe(name="lite", kind="timm", network=EFFICIENTNET, crop=CROP, colours=given)
    import_weights(recipe, tmp_path / "lite.pth", str(out))
    image = torch.randint(0, 256, (2, 3, CROP, CROP), generator=torch.Generator().manual_seed(0)).float()
    mean, deviation = (
        torch.tensor(v)[:, None, None]
        for v in ((given.mean, given.deviation) if given else ([127.5] * 3, [127.5] * 3))
    )
    with torch.no_grad():
        expected = model.forward_head(model.forward_features((image - mean) / deviation), pre_logits=True)
        found = load_model(out)[0].eval().hidden(normalise(image[:, None], KINDS["frames"], CROP))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


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
        networks=scale["networks"]
        | {"spatial": {"backbone": "resnet18"}, "slow_fusion": scale["networks"]["spatial"]},
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
    layers = tiny_scale()["networks"]
    scale_with(tmp_path, networks=layers | {"spatial": {"backbone": "resnet18"}})
    with pytest.raises(UserError, match=r"the run slow-fusion .* give it a network of layers"):
        Plan(load_config(tmp_path / "config")).check()
    own = {"spatial": {"backbone": "resnet18"}, "slow_fusion": layers["spatial"]}
    scale_with(tmp_path, networks=layers | own)
    plan = Plan(load_config(tmp_path / "config"))
    plan.check()
    trained = plan.networks.train_stream("slow-fusion", "demo_a", 1, 0).recipe
    assert trained.network == plan.scale.networks["slow_fusion"] and trained.run.network is None
    scale_with(tmp_path, networks=layers | {"spatial": {"backbone": "resnet18"}})
    benchmark = tmp_path / "config/benchmark.yaml"
    content = yaml.safe_load(benchmark.read_text())
    rows = content["tables"]["table1b"]["rows"]
    content["tables"]["table1b"]["rows"] = [row for row in rows if row.get("run") != "slow-fusion"]
    # As docs/experiments.md says: claim 11 is the one that needs it.
    content["claims"] = [claim for claim in content["claims"] if claim["number"] != 11]
    benchmark.write_text(yaml.safe_dump(content))
    Plan(load_config(tmp_path / "config")).check()


def test_a_model_may_be_read_by_whom_the_umask_lets(tmp_path):
    description = Description(run=ONE_FRAME, network=SQUEEZENET, crop=CROP, short_side=CROP, heads={})
    save_model(description.build(), description, tmp_path / "model.safetensors")
    (tmp_path / "any").touch()
    assert (tmp_path / "model.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode

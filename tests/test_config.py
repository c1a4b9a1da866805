"""Bad configurations are refused with a message that names the file and the key."""

import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.plan.datasets import planned_dataset
from twostream.plan.plan import Plan


@pytest.fixture
def config(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path / "config"


def edit(file: Path, keys: str, value: object) -> None:
    content = yaml.safe_load(file.read_text())
    *path, last = keys.split(".")
    place = content
    for key in path:
        place = place[int(key) if isinstance(place, list) else key]
    place[last] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def refusal(config: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_config(config)
    return str(caught.value)


CAFFE = {"kind": "caffe", "name": "weights", "file": "weights.caffemodel"}
TORCHVISION = CAFFE | {"kind": "torchvision"}


@pytest.mark.parametrize(
    ("file", "key", "value", "said"),
    [
        ("config.yaml", "devise", "cpu", "devise: unknown key"),
        ("config.yaml", "seed", "one", "seed: Input should be a valid integer"),
        ("config.yaml", "scale", "demoo", "there is no"),
        ("scale/demo.yaml", "training.bacth", 32, "training.bacth: unknown key"),
        ("scale/demo.yaml", "training.batch", "32", "training.batch: Input should be a valid integer"),
        ("scale/demo.yaml", "schedules.scratch.rate", "1e-3", "schedules.scratch.rate"),
        ("config.yaml", "gpus", 2, "gpus: more than one needs `device: cuda`"),
        ("config.yaml", "workers", -1, "workers: "),
        ("config.yaml", "seeds", 0, "seeds: "),
        ("benchmark.yaml", "two_stream", "flow-10", "two_stream: there is no fusion 'flow-10'"),
        (
            "benchmark.yaml",
            "fusions.one",
            {"spatial": "spatial-last-d05", "method": "average"},
            "fusions.one: a fusion is of two streams or more",
        ),
        (
            "benchmark.yaml",
            "fusions.odd",
            {"spatial": "spatial-last-d05", "sound": "flow-10", "method": "average"},
            "fusions.odd: there is no stream 'sound'; streams: spatial, temporal",
        ),
        (
            "benchmark.yaml",
            "fusions.swapped",
            {"spatial": "flow-10", "temporal": "flow-5", "method": "average"},
            "fusions.swapped.spatial: there is no spatial run 'flow-10'",
        ),
        ("benchmark.yaml", "verdicts.marginal", 9.0, "verdicts: marginal must not be larger than by_far"),
        ("benchmark.yaml", "claims.0.comparisons.0.expected", "worse", "claims.0.comparisons.0.expected"),
        ("benchmark.yaml", "claims.1.comparisons.0.splits", [4], "splits: primary has only 3 at this scale"),
        (
            "benchmark.yaml",
            "claims.1.comparisons.0.than",
            "flow-15",
            "than: no table has a number of the paper's for 'flow-15'",
        ),
        (
            "benchmark.yaml",
            "claims.6.comparisons.0.than",
            ["flow-10-raw", "flow-15"],
            "number 7 (Mean subtraction helps): than: no table has a number of the paper's for 'flow-15'",
        ),
        (
            "benchmark.yaml",
            "claims.6.comparisons.0.than",
            "flow-10-raw",
            "claims.6.comparisons.0: `run` and `than` must name as many runs",
        ),
        (
            "benchmark.yaml",
            "paper_recall.Archery",
            [42, 41],
            "paper_recall.Archery: a class's videos got right",
        ),
        ("benchmark.yaml", "claims.6.comparisons.0.run", [], "claims.6.comparisons.0.run: List should have"),
        (
            "benchmark.yaml",
            "claims.12.comparisons.0.paper_splits",
            [2],
            "for 'flow-10', primary dataset, paper_splits [2]; if you took",
        ),
        ("scale/demo.yaml", "training.crop", 65, "crop must not be larger"),
        ("scale/demo.yaml", "training.flow_short_side", 55, "crop must not be larger than training.flow"),
        ("scale/demo.yaml", "roles.primary", "ucf", "roles.primary: there is no dataset 'ucf'"),
        (
            "scale/demo.yaml",
            "pretrained.dataset",
            "demo_a",
            "pretrained.dataset: the dataset 'demo_a' does not",
        ),
        ("scale/demo.yaml", "pretrained.dataset", "x", "pretrained.dataset: there is no dataset 'x'"),
        ("scale/demo.yaml", "pretrained.kind", "onnx", "pretrained"),
        ("scale/demo.yaml", "pretrained", TORCHVISION, "pretrained.kind torchvision is for a backbone"),
        (
            "scale/demo.yaml",
            "pretrained",
            CAFFE,
            "pretrained.kind caffe is for networks without batch normalisation",
        ),
        ("scale/demo.yaml", "pretrained", CAFFE | {"file": None}, "pretrained: give one of `sources`"),
        ("scale/demo.yaml", "pretrained", CAFFE | {"sources": [{"url": "x"}]}, "pretrained.sources.0.url: "),
        (
            "scale/demo.yaml",
            "networks.spatial.full",
            512,
            "networks.spatial.full: Input should be a valid array",
        ),
        (
            "scale/demo.yaml",
            "networks.temporal",
            {"backbone": "resnet5"},
            "networks.temporal.backbone: torchvision has no",
        ),
        (
            "scale/demo.yaml",
            "networks.temporal",
            {"backbone": "resnet18", "full": []},
            "networks.temporal.full: unknown key",
        ),
        (
            "scale/demo.yaml",
            "networks.temporal",
            {"backbone": "resnet_18", "library": "timm"},
            "networks.temporal.backbone: timm has no classification model 'resnet_18'; it has",
        ),
        (
            "scale/demo.yaml",
            "networks.temporal",
            {"backbone": "tf_efficientnet_lite0"},
            "torchvision has no classification model 'tf_efficientnet_lite0'; timm has one (`library: timm`)",
        ),
        ("scale/demo.yaml", "networks", {}, "networks: "),
        (
            "scale/demo.yaml",
            "networks.temporal",
            "x",
            "networks: temporal: is to be like 'x', which has no settings",
        ),
        (
            "scale/demo.yaml",
            "pretrained.network",
            "x",
            "pretrained.network: there is no network 'x'; networks",
        ),
        ("benchmark.yaml", "pretraining.network", "x", "pretraining: which network is trained, `pretrained"),
        (
            "benchmark.yaml",
            "runs.flow-5.network",
            "x",
            "runs.flow-5.network: there is no network 'x'; networks:",
        ),
        ("scale/demo.yaml", "datasets.demo_b.auxiliary", "x", "datasets.demo_b.auxiliary: there is no"),
        ("scale/demo.yaml", "datasets.demo_a.source.train_groups", 99, "train_groups must be smaller"),
        ("benchmark.yaml", "tables.table4.rows.7.splits", [4], "has only 3 at this scale"),
        ("scale/demo.yaml", "datasets.demo_b.auxiliary", "demo_b", "cannot be its own"),
        ("scale/demo.yaml", "training.batch", 1, "training.batch"),
        ("benchmark.yaml", "datasets", {"primary": "x"}, "datasets.secondary: this key is missing"),
        ("benchmark.yaml", "pretraining.layers", "last", "pretraining"),
        ("benchmark.yaml", "runs.slow-fusion.input.length", 12, "the length of frames is 1 or 11"),
        ("benchmark.yaml", "runs.slow-fusion.initialisation", "images", "slow fusion has other layers"),
        ("benchmark.yaml", "runs.flow-5.initialisation", "flow-10", "another input"),
        ("benchmark.yaml", "fusions.multitask-svm.spatial", "flow-10", "there is no spatial run"),
        ("benchmark.yaml", "shared_classes.demo_a.Nothing", "x", "the dataset has no class Nothing"),
        ("benchmark.yaml", "runs.flow-10.dropout", 1.5, "runs.flow-10.dropout"),
        ("benchmark.yaml", "runs.flow-10.input.kind", "frames", "runs.flow-10"),
        ("benchmark.yaml", "runs.flow-10-finetuned.initialisation", "flow-11", "there is no run 'flow-11'"),
        ("benchmark.yaml", "fusions.multitask-svm.temporal", "flow-x", "fusions.multitask-svm.temporal"),
        (
            "benchmark.yaml",
            "tables.table3.rows.0.run",
            "nobody",
            "there is no run, fusion or method 'nobody'",
        ),
        ("benchmark.yaml", "tables.table3.rows.0.run", None, "a row needs either `run`"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_key(config, file, key, value, said):
    edit(config / file, key, value)
    message = refusal(config)
    assert said in message
    assert Path(file).name in message


def with_layers(config: Path, **first: object) -> Path:
    """The scale file, with weights from Caffe for a network of Caffe's kind; `first` changes a layer."""
    file = config / "scale/demo.yaml"
    edit(file, "pretrained", CAFFE)
    edit(file, "networks.spatial.normalisation", "local_response")
    for key, value in first.items():
        edit(file, f"networks.spatial.convolutions.0.{key}", value)
    return file


def test_a_caffe_network_whose_first_convolution_has_padding_is_refused(config):
    with_layers(config)
    load_config(config)
    with_layers(config, padding=1)
    assert "demo.yaml: pretrained.kind caffe is for networks whose first convolution" in refusal(config)


def test_weights_named_as_a_dataset_are_refused(config):
    edit(with_layers(config), "pretrained.name", "demo_a")
    assert "demo.yaml: pretrained.name: a dataset has this name" in refusal(config)


def test_a_run_on_flow_may_start_from_images(config):
    edit(config / "benchmark.yaml", "runs.flow-5.initialisation", "images")
    load_config(config)


def of_its_own(scale: Path) -> None:
    """Give the temporal stream other layers than the spatial one."""
    layers = yaml.safe_load(scale.read_text())["networks"]["spatial"]
    edit(scale, "networks.temporal", layers | {"full": [256]})


def test_weights_are_for_one_network_and_runs_that_have_its_layers(config):
    scale, benchmark = config / "scale/demo.yaml", config / "benchmark.yaml"
    edit(benchmark, "runs.flow-5.initialisation", "images")
    of_its_own(scale)
    assert "runs.flow-5.initialisation: the run's network, temporal, has other layers" in refusal(config)
    edit(scale, "pretrained.network", "temporal")
    assert "runs.spatial-last-d05.initialisation: the run's network, spatial, has other" in refusal(config)
    edit(scale, "pretrained.network", "spatial")
    edit(benchmark, "runs.flow-5.network", "spatial")
    load_config(config)


def test_a_run_starts_from_one_with_the_same_network(config):
    of_its_own(config / "scale/demo.yaml")
    load_config(config)
    edit(config / "benchmark.yaml", "runs.flow-10-finetuned.network", "spatial")
    assert "the run 'flow-10' has another network, so its layers do not fit" in refusal(config)


def test_a_scale_without_a_network_for_a_stream_is_refused(config):
    file = config / "scale/demo.yaml"
    edit(file, "networks", {"spatial": yaml.safe_load(file.read_text())["networks"]["spatial"]})
    assert (
        "runs.flow-10.network: there is no network 'temporal'; networks: spatial (a temporal run"
        in refusal(config)
    )


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("source.protocol", "ucf-101", "datasets.ucf101.source.protocol: Input should be 'ucf101' or"),
        ("source.videos", {}, "datasets.ucf101.source.videos: give either `sources` (to fetch an archive)"),
        ("source.videos.folder", "mine", "datasets.ucf101.source.videos: give either `sources`"),
        ("source.lists.folder", 7, "datasets.ucf101.source.lists.folder: Input should be a valid string"),
        (
            "source.lists.sources.0.md5",
            "7",
            "datasets.ucf101.source.lists.sources.0.md5: String should match",
        ),
        ("source.mirrors", [], "datasets.ucf101.source.mirrors: unknown key"),
        ("splits", 2, "datasets.ucf101: an official dataset has 3 splits"),
        ("media", "images", "datasets.ucf101: an official dataset holds videos"),
    ],
)
def test_a_mistake_in_an_official_dataset_is_named(config, key, value, said):
    edit(config / "scale/paper.yaml", f"datasets.ucf101.{key}", value)
    with pytest.raises(UserError) as caught:
        load_config(config, {"scale": "paper"})
    assert said in str(caught.value)


def test_a_batch_that_cannot_be_shared_out_is_refused_before_any_job(config):
    edit(config / "scale/demo.yaml", "training.batch", 33)
    with pytest.raises(UserError, match=r"demo\.yaml: training\.batch: 33 cannot be shared out .* 2 task"):
        Plan(load_config(config)).check()


def test_a_key_given_twice_is_refused(config):
    file = config / "benchmark.yaml"
    file.write_text(file.read_text() + "\nfusions: {}\n")
    assert "'fusions' is given twice" in refusal(config)


def test_the_default_configuration_is_the_demo_scale_on_a_cpu():
    config = load_config(ROOT / "config")
    assert (config.scale_name, config.device) == ("demo", "cpu")


def test_every_run_is_in_a_table_or_a_fusion():
    benchmark = load_config(ROOT / "config").benchmark
    used = {row.run for table in benchmark.all_tables.values() for row in table.rows}
    used |= {run for f in benchmark.fusions.values() for run in f.streams.values()}
    assert set(benchmark.runs) <= used


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "\xff"])
def test_a_file_that_holds_no_keys_is_refused(config, text):
    (config / "config.yaml").write_bytes(text.encode("latin-1"))
    assert "config.yaml" in refusal(config)


METHOD = {"mine": {"title": "Mine", "dataset": "demo_a", "splits": [1]}}


def test_a_method_may_be_a_stream_but_not_one_of_the_final_model(config):
    fusion = {"spatial": "mine", "temporal": "flow-10", "method": "average"}
    edit(config / "benchmark.yaml", "methods", METHOD)
    edit(config / "benchmark.yaml", "fusions.with-mine", fusion)
    assert load_config(config).benchmark.fusions["with-mine"].streams["spatial"] == "mine"
    edit(config / "benchmark.yaml", "two_stream", "with-mine")
    assert (
        "two_stream: the fusion 'with-mine' must be of a spatial and a temporal run, trained here"
        in refusal(config)
    )


def test_a_users_path_may_begin_at_home_and_is_not_empty(config, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for kind in ("segments", "folder"):
        source = {"kind": kind, "folder": "~/My videos", "list": "~/list.csv"}
        edit(config / "scale/demo.yaml", "datasets.demo_b.source", source)
        found = load_config(config).scale.datasets["demo_b"].source
        assert (found.folder, found.list) == (f"{tmp_path}/My videos", f"{tmp_path}/list.csv")
    edit(config / "scale/demo.yaml", "datasets.demo_b.source.folder", "")
    assert "datasets.demo_b.source.folder" in refusal(config)


@pytest.mark.parametrize("kind", ["folder", "segments"])
@pytest.mark.parametrize(
    "file", ["demo_b.csv", "../videos/demo_b.csv", "demo_b.skipped.csv", "demo_b.record.json"]
)
def test_a_users_list_is_not_where_the_index_is_written(config, file, kind):
    source = {"kind": kind, "folder": str(ROOT / "tests"), "list": f"data/videos/{file}"}
    edit(config / "scale/demo.yaml", "datasets.demo_b.source", source)
    with pytest.raises(UserError, match=r"demo_b\.source\.list: .* is where the index of this dataset"):
        planned_dataset("demo_b", load_config(config)).recipe()

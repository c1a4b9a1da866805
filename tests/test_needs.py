"""What jobs say they need: memory, time and GPUs, worked out by hand, and above what was measured."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from conftest import ENVIRONMENT, call, copy_project
from torch import Tensor, nn

from twostream.config.flow import ALGORITHMS, FlowAlgorithmName
from twostream.config.loading import load_config
from twostream.files import UserError
from twostream.networks.input_format import channels
from twostream.networks.network import SLOW_FUSION, StreamNetwork
from twostream.plan.datasets import dataset_of
from twostream.plan.gpus import check_gpus, gpus_here
from twostream.plan.needs import Needs, needs_of
from twostream.plan.plan import Plan
from twostream.plan.rates import EXPECTED, UPPER
from twostream.plan.sizes import BACKBONE_SIDE, BACKBONES, NetworkSize, network_size
from twostream.plan.sizes import SLOW_FUSION as PLANNED_SLOW_FUSION
from twostream.provenance.steps import Step, with_upstream

FLOW = "data/flow/demo_b/forward/0.zip"

# Memory (MB) and seconds of jobs of the default scale, on a busy AMD EPYC (Zen 4), and the worst of each.
MEASURED = {
    "generate_videos": (117, 5),
    "extract_frames": (117, 1),
    "extract_flow": (858, 21),
    "pretrain": (962, 24),
    "train_stream": (1014, 43),
    "score_videos": (1037, 14),
    "fuse_streams": (175, 2),
    "make_table": (95, 1),
    "check_claims": (162, 5),
    "plot_flow": (162, 2),
    "plot_filters": (733, 3),
    "plot_confusion": (142, 1),
    "plot_recall": (123, 1),
    "plot_fusion_weight": (123, 3),
    "score_trial": (981, 10),
    "compare_trial": (92, 1),
    "plot_curves": (164, 3),
}


def plan_of(**choices: object) -> Plan:
    return Plan(load_config(overrides=choices))


def needed(plan: Plan, step: Step, dataset: str | None = None, **indexed: int) -> Needs:
    return needs_of(step, dataset, plan.config, indexed)


def training(plan: Plan, run: str) -> Needs:
    return needed(plan, plan.networks.train_stream(run, plan.scale.roles.primary, 1, 0))


def test_a_small_training_worked_out_by_hand() -> None:
    # Convolutions give 16 x 18 x 18, 32 x 9 x 9 and three times 32 x 4 x 4 values: 9,312. Weights are
    # 3 x 16 x 25, 16 x 32 x 9, three times 32 x 32 x 9, and 32 x 2 x 2 x 512: 98,992.
    plan = plan_of()
    size = network_size(plan.scale.networks["spatial"], plan.benchmark.runs["spatial-scratch-d05"], 56)
    assert (size.weights, size.values) == (98_992, 9_312)
    assert size.columns == 75 * 18**2 + 144 * 9**2 + 3 * 288 * 4**2
    assert size.products == 1_200 * 18**2 + 4_608 * 9**2 + 27_648 * 4**2 + 65_536
    # 2,000 MB; 13 MB of weights and values; 0.6 MB of input. 600 iterations take under two minutes.
    assert training(plan, "spatial-scratch-d05") == Needs(mem_mb=2_100, runtime=10, gpu=0)


def test_a_training_of_the_paper_worked_out_by_hand() -> None:
    # 90,492,800 weights, 1,573,216 values, 15,212,660 columns, 2,613,787,520 products. MB: 2,000 + 1,086
    # (three of each weight) + 16,110 (ten of each value, batch 256) + 514 (two batches of 20 x 224 x 224
    # bytes each). 80,000 iterations of 133.8 s (three times the products, 1.5e10 a second), 77.9 s (20 ns a
    # column) and 1.3 s (to read 2,560 fields of 240 x 320).
    assert training(plan_of(scale="paper"), "flow-10") == Needs(mem_mb=19_800, runtime=283_980, gpu=0)


def test_a_training_of_the_paper_on_a_gpu_takes_about_the_papers_day() -> None:
    # MB: 4,000 + 1,086 + 16 workers' 500 + 34 batches of 257. Minutes: 80,000 iterations of 1.074 + 0.08 s.
    plan = plan_of(scale="paper", device="cuda", workers=16)
    assert training(plan, "flow-10") == Needs(mem_mb=21_900, runtime=1_560, gpu=1)


def test_more_workers_take_more_memory_and_less_time() -> None:
    few, many = (training(plan_of(scale="paper", device="cuda", workers=n), "flow-10") for n in (1, 8))
    assert many.mem_mb > few.mem_mb + 7 * 500 and many.runtime < few.runtime


def test_more_gpus_share_the_work_and_each_takes_its_memory() -> None:
    one, four = (
        training(plan_of(scale="paper", device="cuda", workers=4, gpus=n), "flow-10") for n in (1, 4)
    )
    assert (one.gpu, four.gpu) == (1, 4)
    assert one.mem_mb * 2 < four.mem_mb and four.runtime < one.runtime / 3


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_gpus_are_for_networks_and_brox_flow(device: str) -> None:
    plan = plan_of(scale="demo", device=device, gpus=2 if device == "cuda" else 1)
    steps = with_upstream([*plan.results(), *plan.figures()])
    asked = {step.script: needed(plan, step, dataset_of(step, plan.config)).gpu for step in steps}
    trained = {
        **{"pretrain": 2, "train_stream": 2},
        **{"score_videos": 1, "score_trial": 1, "extract_flow": 1},
    }
    assert {rule: gpu for rule, gpu in asked.items() if gpu} == (trained if device == "cuda" else {})


def flow_needs(dataset: str, choices: dict[str, str], **flow: object) -> Needs:
    """What a dataset's flow needs with other settings of the scale's flow."""
    config = load_config(overrides=choices)
    settings = config.scale.flow.model_copy(update=flow)
    scale = config.scale.model_copy(update={"flow": settings})
    plan = Plan(config.model_copy(update={"scale": scale}))
    return needed(plan, plan.extraction.extract_flow(dataset, "forward"), dataset)


def test_flow_of_opencv_asks_for_no_gpu() -> None:
    assert flow_needs("demo_a", {"device": "cuda"}, method="tvl1").gpu == 0


def test_flow_of_frames_of_half_the_side_takes_about_a_quarter_of_the_time() -> None:
    whole, half = (
        flow_needs("ucf101", {"scale": "paper"}, method="tvl1", short_side=side) for side in (None, 120)
    )
    # Run times of hours are rounded up to an hour.
    assert whole.runtime / 4 <= half.runtime < whole.runtime / 4 + 60


def test_all_jobs_of_the_default_scale_were_measured_to_take_less_than_half() -> None:
    plan = plan_of()
    steps = list(with_upstream([*plan.results(), *plan.figures()]))
    assert {step.script for step in steps} == set(MEASURED)
    for step in steps:
        (megabytes, seconds), found = MEASURED[step.script], needed(plan, step, dataset_of(step, plan.config))
        assert 2 * megabytes < found.mem_mb < 4_000, step.outputs[0]
        assert 2 * seconds < 60 * found.runtime == 600, step.outputs[0]


def test_what_is_not_indexed_is_taken_to_be_as_large_as_the_papers() -> None:
    plan = plan_of(scale="paper")
    step = plan.extraction.extract_flow("ucf101", "forward")
    assert plan.videos.dataset("ucf101").size(None).count == 13_320
    # 64 shards; 209 videos of 194 frames, 90 ms each: 3,650 s.
    assert needed(plan, step, "ucf101").runtime == 70
    assert needed(plan, step, "ucf101", ucf101=64).runtime == 10
    assert needed(plan, step, "ucf101", ucf101=133_200).runtime == 660


def test_the_small_scales_trainings_were_measured_to_take_less() -> None:
    # Seconds an iteration: slow fusion in a whole training, the backbone (its CPU time) in steps alone.
    plan = plan_of(scale="small")
    for run, seconds in {"slow-fusion": 0.85, "spatial-scratch-d05": 2.94, "spatial-last-d05": 1.08}.items():
        step = plan.networks.train_stream(run, plan.scale.roles.primary, 1, 0)
        assert needed(plan, step).runtime * 60 > 1.5 * seconds * step.recipe.schedule.iterations, run


def torch_size(network: nn.Module, forward: Callable[[Tensor], Tensor], one: Tensor) -> NetworkSize:
    """What a network does with one input, as its layers say."""
    counts = Counter({"weights": sum(p.numel() for p in network.parameters() if p.ndim > 1)})

    def count(layer: nn.Module, given: tuple[Tensor], made: Tensor) -> None:
        counts["products"] += made.numel() * layer.weight[0].numel()
        if isinstance(layer, nn.Conv2d):
            places = made[:, 0].numel()
            counts["values"] += made.numel()
            counts["columns"] += places * given[0].shape[1] * layer.kernel_size[0] ** 2

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    network.eval()
    forward(one)
    return NetworkSize(**counts)


def test_the_network_is_as_large_as_torch_makes_it() -> None:
    plan = plan_of()
    assert PLANNED_SLOW_FUSION == SLOW_FUSION
    for run in plan.benchmark.runs.values():
        network = StreamNetwork(plan.scale.networks[run.network_name], run, {}, 56)
        made = torch_size(network, network.hidden, torch.zeros(1, channels(run.input), 56, 56))
        assert network_size(plan.scale.networks[run.network_name], run, 56) == made


@pytest.mark.parametrize("name", BACKBONES)
def test_a_known_backbone_is_as_large_as_its_library_makes_it(name: str) -> None:
    with torch.device("meta"):
        network = timm.create_model(name, num_classes=0)
        made = torch_size(network, network, torch.zeros(1, 3, BACKBONE_SIDE, BACKBONE_SIDE))
    assert BACKBONES[name] == made


@pytest.mark.parametrize(
    ("visible", "count"), [("", 0), ("0", 1), ("0, 2,3", 3), ("0,-1,1", 1), ("GPU-1f,GPU-2e", 2)]
)
def test_visible_gpus_are_counted(visible: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus_here() == count


def test_else_those_of_the_driver_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("twostream.plan.gpus.LISTED", tmp_path / "gpus")
    assert gpus_here() == 0
    for number in range(2):
        (tmp_path / f"gpus/0000:0{number}:00.0").mkdir(parents=True)
    assert gpus_here() == 2


def test_asking_for_more_gpus_than_there_are_is_an_error() -> None:
    check_gpus(2, here=2)
    with pytest.raises(UserError, match="this machine has 1 GPU and a job asks for 4"):
        check_gpus(4, here=1)


def test_without_a_gpu_a_call_stops_before_any_job_and_a_dry_run_plans(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    arguments = ("snakemake", "--cores", "2", "--config", "device=cuda", "--", FLOW)
    stopped = call(project, *arguments, CUDA_VISIBLE_DEVICES="")
    assert stopped.returncode and "this machine has no GPU and a job asks for 1" in stopped.stdout
    assert not (project / "data/videos").exists()
    plan = call(project, "snakemake", "-n", *arguments[1:], CUDA_VISIBLE_DEVICES="")
    assert plan.returncode == 0 and "gpu=1, mem_mb=4100" in plan.stdout


def test_jobs_are_held_back_by_the_gpus_of_this_machine_or_by_the_users_limit(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    call(project, "snakemake", "--cores", "2", "--", "data/videos/demo_a.csv", "data/videos/demo_b.csv")
    # In place of Python's, one that takes down when a job begins and ends.
    shim = tmp_path / "bin/python"
    shim.parent.mkdir()
    shim.write_text(
        f"#!/bin/sh\necho begins >> {tmp_path}/seen\nsleep 1\necho ends >> {tmp_path}/seen\nexit 1\n"
    )
    shim.chmod(0o755)
    flows = [FLOW, FLOW.replace("demo_b", "demo_a")]
    call_it = ("snakemake", "--cores", "2", "--keep-going", "--config", "device=cuda")
    path = f"{shim.parent}{os.pathsep}{ENVIRONMENT['PATH']}"

    def seen(visible: str, *limit: str) -> list[str]:
        (tmp_path / "seen").unlink(missing_ok=True)
        call(project, *call_it, *limit, "--", *flows, PATH=path, CUDA_VISIBLE_DEVICES=visible)
        return (tmp_path / "seen").read_text().split()

    assert seen("0") == ["begins", "ends"] * 2
    assert seen("0,1") == ["begins"] * 2 + ["ends"] * 2
    assert seen("0,1", "--resources", "gpu=1") == ["begins", "ends"] * 2
    assert seen("", "--resources", "gpu=2") == ["begins"] * 2 + ["ends"] * 2


# Pairs of 320 x 240 a second on one core (docs/extending.md; Brox by 10 inner iterations: docs/flow.md).
@pytest.mark.parametrize(
    ("method", "pairs"),
    [
        ("brox", 43 / 1.58),
        ("dis", 29),
        ("farneback", 74),
        ("tvl1", 43 / 64),
        ("raft_small", 1.8),
        ("raft_large", 0.5),
    ],
)
def test_flow_is_given_half_as_much_time_again_as_was_measured(
    method: FlowAlgorithmName, pairs: float
) -> None:
    assert UPPER.cpu.pair * ALGORITHMS[method].slower > 1.5 / pairs
    assert EXPECTED.cpu.pair * ALGORITHMS[method].slower == pytest.approx(1 / pairs, rel=0.05)

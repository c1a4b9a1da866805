"""Projects so small that an emulator runs all their jobs in minutes; between them, every kind of job.

Each is a folder with the configuration alone, made from the one in config/: the paper's own runs, on drawn
videos of a few pixels, by networks of a few channels.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# First, as it sets the arithmetic that libraries read as they load.
import twostream  # noqa: F401

# isort: split

import numpy as np
import yaml

from twostream import paths

ROOT = Path(__file__).resolve().parent.parent
Settings = dict[str, Any]

# Every look and every motion once.
PRIMARY = {
    "DiscAround": {"look": "disc", "motion": "circle"},
    "SquareAcross": {"look": "square", "motion": "horizontal"},
    "TriangleSpin": {"look": "triangle", "motion": "spin"},
    "CrossPulse": {"look": "cross", "motion": "pulse"},
}
SECONDARY = {
    "BarsZigzag": {"look": "bars", "motion": "zigzag"},
    "CrescentUpDown": {"look": "crescent", "motion": "vertical"},
    "RingSlant": {"look": "ring", "motion": "diagonal"},
    "StarSwing": {"look": "star", "motion": "swing"},
}
METHOD = "other-network"
BACKBONE = "shufflenet_v2_x0_5"
WEIGHTS = "config/weights.pth"


@dataclass(frozen=True)
class Project:
    """A tiny project: what it is for, its runs (and fusions) on the primary and the secondary dataset, and
    what it changes in the configuration."""

    name: str
    primary: frozenset[str]
    secondary: frozenset[str] = frozenset()
    change: Callable[[Settings, Settings, Settings], None] = lambda config, scale, benchmark: None
    targets: tuple[str, ...] = ("all",)

    def write(self, folder: Path) -> None:
        """Write the configuration, and what a user would have put beside it, into a folder."""
        config, scale, benchmark = (
            yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
            for name in ("config", "scale/demo", "benchmark")
        )
        make_tiny(scale, small=not self.secondary)
        benchmark["shared_classes"] = {"demo_a": {"DiscAround": "CrescentUpDown"}}
        self.change(config, scale, benchmark)
        keep_runs(benchmark, {"primary": self.primary, "secondary": self.secondary})
        for name, content in (("config", config), ("scale/demo", scale), ("benchmark", benchmark)):
            file = folder / f"config/{name}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(yaml.safe_dump(content, sort_keys=False))
        if benchmark["methods"]:
            write_given_scores(folder, scale["datasets"]["demo_a"])
        if scale["pretrained"]["kind"] == "torchvision":
            write_weights(folder / WEIGHTS)


def make_tiny(scale: Settings, small: bool) -> None:
    """Leave of a scale what takes seconds; `small`: still fewer videos."""
    first, second, stills = (scale["datasets"][name] for name in ("demo_a", "demo_b", "demo_stills"))
    # Larger and smaller than `short_side`, so that frames are resized both ways.
    shape = {"height": 36, "width": 44, "clips": 1}
    first["source"] |= {**shape, "classes": PRIMARY, "groups": 3, "train_groups": 2}
    second["source"] |= {"height": 28, "width": 34, "clips": 1, "classes": SECONDARY}
    second["source"] |= {"groups": 2, "train_groups": 1}
    if small:
        first["source"]["classes"] = dict(list(PRIMARY.items())[:2])
    looks = {
        what["look"].title(): {"look": what["look"]} for what in (*PRIMARY.values(), *SECONDARY.values())
    }
    stills["source"] |= {**shape, "classes": looks, "groups": 2, "train_groups": 1}
    for dataset in (first, second, stills):
        dataset["shards"] = 1
    scale["frames"]["short_side"] = 32
    scale["flow"]["brox"] |= {"smallest_side": 12, "inner_iterations": 2, "solver_iterations": 3}
    channels = (16, 32, 24)
    # The others are like it.
    network = scale["networks"]["spatial"]
    layers = network["convolutions"][:3]
    network["convolutions"] = [layer | {"channels": n} for layer, n in zip(layers, channels, strict=True)]
    network["full"] = [48]
    scale["training"] |= {"batch": 8, "crop": 28}
    for schedule in scale["schedules"].values():
        schedule |= {"iterations": 3, "drops": [2]}
    scale["testing"]["frames"] = 2


def keep_runs(benchmark: Settings, kept: dict[str, frozenset[str]]) -> None:
    """Leave of the tables the rows of these runs, on split 1, and of the claims what these tables decide."""
    for table in benchmark["tables"].values():
        table["rows"] = [
            row for row in table["rows"] if row.get("run") in kept[row["dataset"]] and row["splits"] == [1]
        ]
    benchmark["tables"] = {name: table for name, table in benchmark["tables"].items() if table["rows"]}
    for claim in benchmark["claims"]:
        claim["comparisons"] = [
            c for c in claim["comparisons"] if _compared(c) <= kept[c["dataset"]] and c["splits"] == [1]
        ]
    benchmark["claims"] = [claim for claim in benchmark["claims"] if claim["comparisons"]]


def _compared(comparison: Settings) -> set[str]:
    """The runs of a comparison, which may be of several pairs."""
    sides = (comparison["run"], comparison["than"])
    return {run for side in sides for run in ([side] if isinstance(side, str) else side)}


def write_given_scores(folder: Path, dataset: Settings) -> None:
    """Write scores of a method that was not trained here, for all videos of the primary dataset."""
    source = dataset["source"]
    names = sorted(source["classes"])
    videos = [
        f"{name}/v_{name}_g{group + 1:02d}_c01.avi" for name in names for group in range(source["groups"])
    ]
    scores = np.random.default_rng(0).integers(1, 9, (len(videos), len(names))).astype(float)
    file = folder / paths.GIVEN.format(method=METHOD, dataset="demo_a", split=1)
    file.parent.mkdir(parents=True)
    scores /= scores.sum(axis=1, keepdims=True)
    np.savez(file, videos=np.array(videos), scores=scores, classes=np.array(names))


def write_weights(file: Path) -> None:
    """Write weights of a backbone as if somebody had trained them."""
    import torch
    import torchvision

    torch.manual_seed(0)
    torch.save(torchvision.models.get_model(BACKBONE, weights=None).state_dict(), file)


def _with_method(config: Settings, scale: Settings, benchmark: Settings) -> None:
    benchmark["methods"] = {METHOD: {"title": "Another network", "dataset": "demo_a", "splits": [1]}}


def _local_response(config: Settings, scale: Settings, benchmark: Settings) -> None:
    config["seeds"] = 2
    scale["flow"]["method"] = "dis"
    scale["networks"]["spatial"]["normalisation"] = "local_response"
    scale["training"] |= {
        "flow_short_side": 30,
        "biases_as_caffe": True,
        "rgb_jitter": 0,
        "pca_lighting": 0.1,
    }
    scale["testing"]["views"] = 10


def _tvl1(config: Settings, scale: Settings, benchmark: Settings) -> None:
    scale["flow"]["method"] = "tvl1"
    # It takes a hundred times as long as the others.
    scale["datasets"]["demo_a"]["source"] |= {
        "groups": 2,
        "train_groups": 1,
        "classes": dict([*PRIMARY.items()][:1]),
    }


def _strided(config: Settings, scale: Settings, benchmark: Settings) -> None:
    """A strided second convolution, wide enough for oneDNN to sum in blocks that depend on the caches."""
    scale["flow"] |= {"method": "farneback", "encoding": "clip20"}
    scale["frames"]["short_side"] = 48
    scale["training"] |= {"batch": 2, "crop": 44}
    scale["testing"]["frames"] = 1
    first, second, _ = scale["networks"]["spatial"]["convolutions"]
    first |= {"stride": 1, "pooled": False}
    second |= {"channels": 512, "kernel": 5, "stride": 2}


def _backbone(config: Settings, scale: Settings, benchmark: Settings) -> None:
    scale["flow"]["method"] = "dis"
    scale["networks"] |= {"spatial": {"backbone": BACKBONE}, "slow_fusion": scale["networks"]["spatial"]}
    scale["pretrained"] = {"kind": "torchvision", "name": "published", "file": WEIGHTS}


SPATIAL = ("spatial-finetuned-d05", "spatial-last-d05", "slow-fusion")
FLOW = ("flow-10", "flow-10-multitask", "trajectory-10", "bidirectional-10")
FUSIONS = ("flow-average", "multitask-average", "multitask-svm")
EVERYTHING = Project(
    # It has no label in what is told.
    name="",
    primary=frozenset((*SPATIAL, *FLOW, *FUSIONS)),
    secondary=frozenset(("flow-10", "flow-10-finetuned", "flow-10-added-classes", "flow-10-multitask")),
    change=_with_method,
    targets=("all", "figures"),
)
TEMPORAL = frozenset(("flow-10", "bidirectional-10"))
STRIDED = Project("strided", TEMPORAL, change=_strided)
PROJECTS = [
    EVERYTHING,
    Project("local response", TEMPORAL | {"spatial-last-d05"}, change=_local_response),
    Project(
        "TV-L1",
        TEMPORAL,
        change=_tvl1,
        targets=(*paths.flow_shards("demo_a", "forward", 1), *paths.flow_shards("demo_a", "backward", 1)),
    ),
    STRIDED,
    Project("backbone", TEMPORAL | {"spatial-finetuned-d05"}, change=_backbone),
]
# Without figures; and of the strided network a training alone.
MODEL = paths.MODEL.format(folder="temporal", run="flow-10", dataset="demo_a", split=1, seed=0)
QUICK = [replace(EVERYTHING, targets=("all",)), replace(STRIDED, targets=(MODEL,))]

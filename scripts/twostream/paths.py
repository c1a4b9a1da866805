"""Where each artefact lies, from the repository root: the patterns that rules and library share."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Literal

Direction = Literal["forward", "backward"]

VIDEOS = "data/videos/{dataset}"
# Those that must not be passed on: a folder of their own, which DVC never pushes.
OFFICIAL_VIDEOS = "data/official/{dataset}"
INDEX = "data/videos/{dataset}.csv"
SKIPPED = "data/videos/{dataset}.skipped.csv"
# By the published weights' name, or by the protocol of an official dataset: several may be of one archive.
ARCHIVES = "data/archives/{dataset}"
CHECKSUMS = "config/checksums/{dataset}.json"
FRAMES = "data/frames/{dataset}/{shard}.zip"
FLOW = "data/flow/{dataset}/{direction}/{shard}.zip"
# By another algorithm than the scale's.
OTHER_FLOW = "data/flow/{dataset}/{direction}-{algorithm}/{shard}.zip"
PRETRAINED = "models/pretrained/{dataset}.safetensors"
IMPORTED = "models/pretrained/{weights}.safetensors"
MODEL = "models/{folder}/{run}/{dataset}-split{split}-seed{seed}.safetensors"
SCORES = "scores/{folder}/{run}/{dataset}-split{split}-seed{seed}.npz"
TRIAL = "scores/{folder}/{run}/{dataset}-split{split}-seed{seed}.{trial}.csv"
FUSED = "scores/fused/{fusion}/{dataset}-split{split}-seed{seed}.npz"
# What a method that was not trained here brings, and what of it is in the form of all scores.
GIVEN = "methods/{method}/{dataset}-split{split}.npz"
OTHERS = "scores/others/{method}/{dataset}-split{split}.npz"
TABLE = "results/{table}.csv"
CLAIMS = "results/claims.csv"
METHODS = "results/methods.csv"
TRIAL_TABLE = "results/{trial}.csv"
FIGURE_FLOW = "figures/flow.png"
FIGURE_FILTERS = "figures/filters.png"
FIGURE_CONFUSION = "figures/confusion.png"
FIGURE_RECALL = "figures/recall.png"
FIGURE_FUSION_WEIGHT = "figures/fusion_weight.png"
FIGURE_CURVES = "figures/curves.png"
PAGE = "report/{page}.html"
REPORT = "report/report.html"
DESCRIPTION = "report/datasets/{dataset}.html"

# The files that an artefact's path tells apart, by their rule. An index is made by one of several rules, by
# the kind of its dataset; its path does not tell which, so that all of them go by one name here.
ARTEFACTS = {
    "index": INDEX,
    "extract_frames": FRAMES,
    "extract_flow": FLOW,
    "extract_other_flow": OTHER_FLOW,
    "pretrain": PRETRAINED,
    "import_weights": IMPORTED,
    "train_stream": MODEL,
    "score_videos": SCORES,
    "score_trial": TRIAL,
    "fuse_streams": FUSED,
    "import_scores": OTHERS,
    "make_table": TABLE,
    "check_claims": CLAIMS,
    "compare_methods": METHODS,
    "compare_trial": TRIAL_TABLE,
    "plot_flow": FIGURE_FLOW,
    "plot_filters": FIGURE_FILTERS,
    "plot_confusion": FIGURE_CONFUSION,
    "plot_recall": FIGURE_RECALL,
    "plot_fusion_weight": FIGURE_FUSION_WEIGHT,
    "plot_curves": FIGURE_CURVES,
    "write_page": PAGE,
    "describe_dataset": DESCRIPTION,
    "write_report": REPORT,
}

# The spec of an artefact that is to be made, for its job.
SPEC = "scratch/specs/{artefact}/{spec}.json"

# How the run went that made an artefact: what DVC must not hash, as it is another each time.
RUN = "scratch/runs/{artefact}.json"

# The files of a drawn dataset, while it is drawn and since.
DRAWN = "scratch/drawn/{dataset}.json"

# Where artefacts go that the configuration no longer names.
ASIDE = Path("scratch/set-aside")

# Where the jobs of a call of Snakemake, a process of this number, ask for a process to run in.
JOBS = "scratch/jobs-{process}.socket"

# In place of a split's number: the whole dataset, all its splits, training and test; or the whole of it
# without the recordings in the test part of another's split.
WHOLE = "all"
WITHOUT = "all-without-{dataset}-split{split}"

# What a wildcard stands for, where it is not any name.
# The folder of a run is its stream's, and no fusion's.
WILDCARDS = {
    "folder": r"(?!fused/|others/)[^/.]+",
    "dataset": r"\w+",
    "direction": "forward|backward",
    "split": rf"[1-9]\d*|{WHOLE}(?:-without-\w+-split[1-9]\d*)?",
    "seed": r"\d+",
}


def parse_path(file: str | Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each key of ARTEFACTS that a file may be one of by its path, with the wildcards' values."""
    for rule, pattern in ARTEFACTS.items():
        if found := re.fullmatch(_expression(pattern), str(file)):
            yield rule, found.groupdict()


def parse_without(split: str) -> tuple[str, int] | None:
    """The dataset and split that a value of the wildcard `split` is without; None if it is without none."""
    found = re.fullmatch(_expression(WITHOUT), split)
    return (found["dataset"], int(found["split"])) if found else None


@cache
def _expression(pattern: str) -> str:
    def group(wildcard: re.Match[str]) -> str:
        return f"(?P<{wildcard[1]}>{WILDCARDS.get(wildcard[1], '[^/.]+')})"

    return re.sub(r"\\{(\w+)\\}", group, re.escape(pattern))


def artefacts_here() -> list[str]:
    """All files in this folder that are artefacts by their path, sorted."""
    patterns = {re.sub(r"{\w+}", "*", pattern) for pattern in ARTEFACTS.values()}
    files = {str(file) for pattern in patterns for file in Path().glob(pattern)}
    return sorted(file for file in files if any(parse_path(file)))


def companion_files(artefact: str | Path) -> list[str]:
    """The artefact, and what of a curve, a report on skipped videos and metrics its job wrote with it."""
    path = str(artefact)
    others = (sidecar_csv(path), str(Path(path).with_suffix(".skipped.csv")), metrics(path))
    return [path, *(file for file in others if file != path and Path(file).exists())]


def frame_shards(dataset: str, shards: int) -> list[str]:
    """The shards with a dataset's frames."""
    return [FRAMES.format(dataset=dataset, shard=shard) for shard in range(shards)]


def flow_shards(dataset: str, direction: Direction, shards: int, algorithm: str | None = None) -> list[str]:
    """The shards with a dataset's optical flow in one direction, by an algorithm if it is not the scale's."""
    place = {"dataset": dataset, "direction": direction, "algorithm": algorithm}
    pattern = OTHER_FLOW if algorithm else FLOW
    return [pattern.format(**place, shard=s) for s in range(shards)]


def record(artefact: str | Path) -> str:
    """The record beside an artefact: where it comes from."""
    return str(Path(artefact).with_suffix(".record.json"))


def run_file(artefact: str | Path) -> str:
    """How the run went that made an artefact: a scratch file, or beside what the workflow has not made."""
    if any(parse_path(artefact)):
        return RUN.format(artefact=artefact)
    return str(Path(artefact).with_suffix(".run.json"))


def sidecar_csv(model: str) -> str:
    """The training curve beside a model."""
    return str(Path(model).with_suffix(".csv"))


def checkpoint(model: str) -> str:
    """What a training that was killed goes on from; a scratch file."""
    return f"scratch/{Path(model).with_suffix('.checkpoint')}"


def metrics(table: str) -> str:
    """A table's accuracies for DVC, in a folder of their own."""
    path = Path(table)
    return str(path.parent / "metrics" / f"{path.stem}.json")

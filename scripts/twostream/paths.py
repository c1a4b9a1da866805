"""Where each artefact lies, from the repository root: the patterns that rules and library share."""

from pathlib import Path
from typing import Literal

Direction = Literal["forward", "backward"]

VIDEOS = "data/videos/{dataset}"
INDEX = "data/videos/{dataset}.csv"
SKIPPED = "data/videos/{dataset}.skipped.csv"
ARCHIVES = "data/archives/{dataset}"
CHECKSUMS = "config/checksums/{dataset}.json"
FRAMES = "data/frames/{dataset}/{shard}.zip"
FLOW = "data/flow/{dataset}/{direction}/{shard}.zip"
PRETRAINED = "models/pretrained/{dataset}.safetensors"
IMPORTED = "models/pretrained/{weights}.safetensors"
MODEL = "models/{folder}/{run}/{dataset}-split{split}-seed{seed}.safetensors"
SCORES = "scores/{folder}/{run}/{dataset}-split{split}-seed{seed}.npz"
FUSED = "scores/fused/{fusion}/{dataset}-split{split}-seed{seed}.npz"
TABLE = "results/{table}.csv"

# Beside no artefact: scratch files that tell Snakemake which are current (see `provenance`).
MARKER = "scratch/markers/{artefact}"

# In place of a split's number: the whole dataset, all its splits, training and test.
WHOLE = "all"


def frame_shards(dataset: str, shards: int) -> list[str]:
    """The shards with a dataset's frames."""
    return [FRAMES.format(dataset=dataset, shard=shard) for shard in range(shards)]


def flow_shards(dataset: str, direction: Direction, shards: int) -> list[str]:
    """The shards with a dataset's optical flow in one direction."""
    return [FLOW.format(dataset=dataset, direction=direction, shard=s) for s in range(shards)]


def record(artefact: str | Path) -> str:
    """The record beside an artefact: where it comes from."""
    return str(Path(artefact).with_suffix(".record.json"))


def curve(model: str) -> str:
    """The training curve beside a model."""
    return str(Path(model).with_suffix(".csv"))


def checkpoint(model: str) -> str:
    """What a training that was killed goes on from; a scratch file."""
    return f"scratch/{Path(model).with_suffix('.checkpoint')}"


def metrics(table: str) -> str:
    """A table's numbers as plain metrics, beside it."""
    return str(Path(table).with_suffix(".json"))

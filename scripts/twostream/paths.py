"""Where each artefact lies, relative to the repository root: the names that rules and scripts share."""

from pathlib import Path
from typing import Literal

Direction = Literal["forward", "backward"]


def videos(dataset: str) -> str:
    """The folder of a generated or downloaded dataset's videos."""
    return f"data/videos/{dataset}"


def index(dataset: str) -> str:
    """The index of a dataset: a row for each video."""
    return f"data/videos/{dataset}.csv"


def skipped(dataset: str) -> str:
    """The report on videos that were left out of the index, with the reason for each."""
    return f"data/videos/{dataset}-skipped.csv"


def frame_shards(dataset: str, shards: int) -> list[str]:
    """The shards with a dataset's frames."""
    return [f"data/frames/{dataset}/{shard}.zip" for shard in range(shards)]


def flow_shards(dataset: str, direction: Direction, shards: int) -> list[str]:
    """The shards with a dataset's optical flow in one direction."""
    return [f"data/flow/{dataset}/{direction}/{shard}.zip" for shard in range(shards)]


def pretrained(images: str) -> str:
    """The spatial network trained on still images."""
    return f"models/pretrained/{images}.safetensors"


def trained_on(dataset: str, split: int | None, seed: int) -> str:
    """The part of a name that says what was trained or tested on; split None is the whole set."""
    return f"{dataset}-split{split or 'all'}-seed{seed}"


def model(folder: str, run: str, dataset: str, split: int | None, seed: int) -> str:
    """The trained network of a run."""
    return f"models/{folder}/{run}/{trained_on(dataset, split, seed)}.safetensors"


def scores(folder: str, run: str, dataset: str, split: int, seed: int) -> str:
    """The score file of a run or (folder `fused`) of a fusion."""
    return f"scores/{folder}/{run}/{trained_on(dataset, split, seed)}.npz"


def table(name: str) -> str:
    """A table of the paper."""
    return f"results/{name}.csv"


def record(artefact: str | Path) -> str:
    """The record beside an artefact: where it comes from."""
    return str(Path(artefact).with_suffix(".record.json"))

"""How many bytes artefacts take on disk: estimates from the sizes that a scale names.

The bytes of images are as measured on real clips of UCF-101 in JPEG of the qualities that all scales name (95
for frames, 90 for fields); at other qualities they are others.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from twostream.config.recipes import (
    FlowRecipe,
    FramesRecipe,
    FusionRecipe,
    ImportRecipe,
    ImportScoresRecipe,
    ScoringRecipe,
    TrainingRecipe,
    TrialRecipe,
)
from twostream.config.settings import Config
from twostream.files import UserError
from twostream.plan.datasets import DatasetSize, dataset_of, planned_dataset, size_of
from twostream.plan.durations import flow_size
from twostream.plan.sizes import FLOAT, network_size, pixels_at
from twostream.provenance.steps import Step

# full-scale.md: 29 kB a frame of 256 x 341, 11.4 kB a field of 240 x 320. At a shorter side of 128 it was 9.7
# kB (the 58,086 frames of config/scale/small.yaml) and 4.6 kB (105,911 fields), so that bytes grow by these
# powers of the pixels; frames and fields of the default scale, 64 x 80, then come out within a tenth.
FRAME_BYTES, FRAME_PIXELS, FRAME_POWER = 29e3, 256 * 341, 0.79
FIELD_BYTES, FIELD_PIXELS, FIELD_POWER = 11.4e3, 240 * 320, 0.72
# A row of a score file: a video's name, label, part and group, and its score for each class.
ROW_BYTES, SCORE_BYTES = 268, 8
# What a call of Snakemake should find free in the folder for temporary files.
TEMPORARY_BYTES = 1_000_000


def kept_bytes(steps: Iterable[Step], config: Config, indexed: Mapping[str, int]) -> dict[str, float]:
    """Return the bytes (0 or more) of what these steps keep, by what it is, when the disk is at its fullest.

    It is so while trainings are at work. Not counted are tables, figures, records and logs, some megabytes.
    `indexed` is as for `needs_of`.
    """
    folders: dict[str, float] = {}
    kept = dict.fromkeys(("frames", "flow", "models", "checkpoints", "scores"), 0.0)
    for step in steps:
        dataset = dataset_of(step, config)
        held = size_of(dataset, config, indexed)
        if dataset and step.script == (planned := planned_dataset(dataset, config)).rule:
            folders |= planned.kept(held)
        for kind, count in _kept(step, held, config).items():
            kept[kind] += count
    return {"videos": sum(folders.values()), **kept}


def _kept(step: Step, held: DatasetSize, config: Config) -> dict[str, float]:
    match step.recipe:
        case FramesRecipe(frames=frames):
            pixels = pixels_at(frames.short_side)
            each = FRAME_BYTES * (pixels / FRAME_PIXELS) ** FRAME_POWER
            return {"frames": held.count * held.frames * each}
        case FlowRecipe(flow=flow):
            pixels = flow_size(held, flow.short_side).pixels
            each = FIELD_BYTES * (pixels / FIELD_PIXELS) ** FIELD_POWER
            return {"flow": held.count * (held.frames - 1) * each}
        case TrainingRecipe() as recipe:
            size = network_size(recipe.network, recipe.run, recipe.training.crop)
            # The weights; and with their momentum while it is at work, which all trainings may be at once.
            return {"models": size.weights * FLOAT, "checkpoints": 2 * size.weights * FLOAT}
        case ImportRecipe() as recipe:
            size = network_size(recipe.network, config.benchmark.pretraining, recipe.crop)
            return {"models": size.weights * FLOAT}
        case TrialRecipe():
            return {}  # How each video comes out, in some hundred kilobytes.
        case ScoringRecipe() | FusionRecipe() | ImportScoresRecipe():
            return {"scores": held.count * (ROW_BYTES + SCORE_BYTES * held.classes)}
    return {}


# Where what is kept lies, each perhaps a link to another disk.
PLACES = {
    "videos": "data",
    "frames": "data/frames",
    "flow": "data/flow",
    "models": "models",
    "checkpoints": "scratch",
    "scores": "scores",
}


def check_temporary_folder() -> None:
    """Raise UserError if temporary files cannot be written, as Snakemake itself does to choose its jobs."""
    folder = os.environ.get("TMPDIR") or tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile(dir=folder if Path(folder).is_dir() else None) as file:
            file.write(bytes(TEMPORARY_BYTES))
    except OSError as error:
        raise UserError(
            f"{folder}: temporary files cannot be written ({error.strerror}); make room there, or set"
            " TMPDIR to another folder"
        ) from None


def check_room(steps: Iterable[Step], config: Config, indexed: Mapping[str, int]) -> None:
    """Raise UserError if what these steps have yet to make does not fit on the disks that it is to lie on."""
    wanted: dict[int, float] = {}
    places: dict[int, Path] = {}
    for step in steps:
        missing = sum(not Path(output).exists() for output in step.outputs) / len(step.outputs)
        for kind, count in kept_bytes([step], config, indexed).items():
            place = _existing(Path(PLACES[kind]))
            disk = place.stat().st_dev
            wanted[disk] = wanted.get(disk, 0.0) + missing * count
            places.setdefault(disk, place)
    for disk, place in places.items():
        free = shutil.disk_usage(place).free
        if wanted[disk] > free:
            raise UserError(
                f"{place.resolve()}: has {free / 1e9:.0f} GB free, and this call may need"
                f" {wanted[disk] / 1e9:.0f} GB there (`python scripts/forecast.py` says for what); make room,"
                " or make data/frames, data/flow or models a link to a larger disk"
            )


def _existing(place: Path) -> Path:
    return place if place.exists() else _existing(place.parent)

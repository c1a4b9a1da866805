"""What tests of DVC do with a colleague's clone."""

import json
from pathlib import Path

import yaml
from conftest import jobs_in, planned, said

from twostream.plan.dvc_stages import PLANNED

TABLES = ("results/table2.csv", "results/table3.csv")
RUN = "bidirectional-10"
# What is made again when that run is edited.
ITS_JOBS = {"train_stream": 1, "score_videos": 1, "fuse_streams": 1, "make_table": 1}
# And by DVC, which makes the figures too.
ALL_ITS_JOBS = ITS_JOBS | {"plot_curves": 1, "plot_fusion_weight": 1}
DROPOUT = f"config/benchmark.yaml:runs.{RUN}.dropout"
MODEL = f"models/temporal/{RUN}/demo_a-split1-seed0.safetensors"


def set_dropout(folder: Path, value: float, of: str = RUN) -> None:
    file = folder / "config/benchmark.yaml"
    content = yaml.safe_load(file.read_text())
    content["runs"][of]["dropout"] = value
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def replace(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def tables(folder: Path) -> list[bytes]:
    return [(folder / table).read_bytes() for table in TABLES]


def is_clean(folder: Path) -> bool:
    return "Data and pipelines are up to date" in said(folder, "dvc", "status")


def all_is_done(folder: Path) -> bool:
    return planned(folder) == {} and is_clean(folder) and not jobs_in(said(folder, "dvc", "repro"))


def was_made_with(folder: Path, dropout: float) -> bool:
    """Whether the lock and the record of the run's model agree on its dropout."""
    lock = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    planned_as = {out["path"]: out["md5"] for out in lock["plan"]["outs"]}
    taken_as = {dep["path"]: dep["md5"] for dep in lock["temporal"]["deps"]}
    file = PLANNED.format(stage="temporal")
    record = json.loads((folder / MODEL).with_suffix(".record.json").read_text())
    in_lock = lock["plan"]["params"]["config/benchmark.yaml"]["runs"][RUN]["dropout"]
    return planned_as[file] == taken_as[file] and in_lock == record["recipe"]["run"]["dropout"] == dropout

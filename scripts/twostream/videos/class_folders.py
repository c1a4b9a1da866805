"""Folders of videos in the layouts of datasets: what class, recording and part a file's place tells."""

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from twostream.config.sources import Media
from twostream.files import UserError
from twostream.videos.listing import find_videos

GROUP = re.compile(r"_g(\d+)_")
FOLDS = 3
# Folders above the classes that say what their videos are for.
PARTS = {
    "train": "train",
    "training": "train",
    "val": "test",
    "valid": "test",
    "validation": "test",
    "test": "test",
    "testing": "test",
}


def from_class_folders(folder: Path, media: Media, splits: int) -> pd.DataFrame:
    """Return file, class, group and parts of videos in class folders.

    Layouts are those of UCF-101 (`CLASS/v_CLASS_g01_c01.avi`: `_g<number>_` is the group), of UCF-11
    (`CLASS/RECORDING/clip.avi`: a group is a folder) and of Kinetics (`train/CLASS/`, `val/CLASS/`: one
    split, whose test part is all that is not for training). A file that tells no group is one of its own.
    Without folders for training and testing, the groups of a class are dealt out in turn: split s tests on
    the s-th of every three.
    """
    files = find_videos(folder, media)
    below = _parts(folder, files, splits)
    table = pd.DataFrame({"file": files})
    places = [PurePosixPath(*PurePosixPath(file).parts[int(below) :]) for file in files]
    for file, place in zip(files, places, strict=True):
        if len(place.parts) < 2:
            raise UserError(f"{folder}: {file} lies in no class folder")
    table["class"] = [place.parts[0] for place in places]
    table["group"] = [_group(place) for place in places]
    if below:
        table["split1"] = [PARTS[PurePosixPath(file).parts[0].lower()] for file in files]
        return table
    if splits > FOLDS:
        raise UserError(f"{folder}: class folders make at most {FOLDS} splits; list more in a CSV")
    order = table.groupby("class")["group"].transform(
        lambda groups: groups.map({group: i for i, group in enumerate(sorted(set(groups)))})
    )
    for split in range(1, splits + 1):
        table[f"split{split}"] = ["test" if i % FOLDS == split - 1 else "train" for i in order]
    return table


def _group(place: PurePosixPath) -> str:
    if match := GROUP.search(place.name):
        return match[1]
    recording = place.parts[1:-1]
    return "/".join(recording) if recording else place.stem


def _parts(folder: Path, files: list[str], splits: int) -> bool:
    """Whether the classes lie below folders for training and testing; UserError if that is only half so."""
    tops = {PurePosixPath(file).parts[0] for file in files}
    meant = {top: PARTS[top.lower()] for top in tops if top.lower() in PARTS}
    if not meant or set(meant.values()) != {"train", "test"}:
        return False
    if others := sorted(tops - set(meant)):
        raise UserError(
            f"{folder}: has folders for training and testing ({', '.join(sorted(meant))}) and also"
            f" {others[0]}; put all videos below the former, or list them in a CSV"
        )
    if splits != 1:
        raise UserError(f"{folder}: folders for training and testing are one split; set `splits: 1`")
    return True

"""Folders of videos in the layouts of datasets: what class, recording and part a file's place tells."""

import re
from pathlib import Path, PurePosixPath

import pandas as pd

from twostream.config.sources import Media
from twostream.files import UserError
from twostream.videos.listing import find_videos

GROUP = re.compile(r"_g(\d+)_")
FOLDS = 3
# Folders above or below the classes that say what their videos are for.
PARTS = {
    "train": "train",
    "training": "train",
    "val": "test",
    "valid": "test",
    "validation": "test",
    "dev": "test",
    "eval": "test",
    "evaluation": "test",
    "test": "test",
    "testing": "test",
}
# What such a name may say besides: `train_set`, `test-videos`.
BESIDES = {"set", "data", "dataset", "split", "clips", "frames", "images", "videos"}


def from_class_folders(folder: Path, media: Media, splits: int) -> pd.DataFrame:
    """Return file, class, group and parts of videos in class folders.

    Layouts are those of UCF-101 (`CLASS/v_CLASS_g01_c01.avi`: `_g<number>_` is the group), of UCF-11
    (`CLASS/RECORDING/clip.avi`: a group is a folder) and of Kinetics (`train/CLASS/`, `val/CLASS/`, or
    `CLASS/train/`, `CLASS/val/`: one split, whose test part is all that is not for training). A file that
    tells no group is one of its own. Without folders for training and testing, the groups of a class are
    dealt out in turn: split s tests on the s-th of every three. Raises UserError if a layout is half so.
    """
    files = find_videos(folder, media)
    depth = _depth_of_parts(folder, files)
    table = pd.DataFrame({"file": files})
    places = [_without(PurePosixPath(file), depth) for file in files]
    for file, place in zip(files, places, strict=True):
        if len(place.parts) < 2:
            raise UserError(f"{folder}: {file} lies in no class folder")
    table["class"] = [place.parts[0] for place in places]
    if depth is not None:
        if splits != 1:
            raise UserError(f"{folder}: folders for training and testing are one split; set `splits: 1`")
        parts = [_part(PurePosixPath(file).parts[depth]) for file in files]
        # Files of equal names in both parts are two: their names tell no recording.
        table["group"] = [_group(place, f"{part} ") for place, part in zip(places, parts, strict=True)]
        table["split1"] = parts
        return table
    table["group"] = [_group(place) for place in places]
    if splits > FOLDS:
        raise UserError(f"{folder}: class folders make at most {FOLDS} splits; list more in a CSV")
    order = table.groupby("class")["group"].transform(
        lambda groups: groups.map({group: i for i, group in enumerate(sorted(set(groups)))})
    )
    for split in range(1, splits + 1):
        table[f"split{split}"] = ["test" if i % FOLDS == split - 1 else "train" for i in order]
    return table


def _without(file: PurePosixPath, depth: int | None) -> PurePosixPath:
    """A file's path without the folder that says what it is for."""
    return file if depth is None else PurePosixPath(*file.parts[:depth], *file.parts[depth + 1 :])


def _group(place: PurePosixPath, alone: str = "") -> str:
    if match := GROUP.search(place.name):
        return match[1]
    recording = place.parts[1:-1]
    return "/".join(recording) if recording else f"{alone}{place.stem}"


def _part(name: str) -> str | None:
    """What videos in a folder of this name are for, if it tells."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    told = [word.removesuffix("set") for word in words if word not in BESIDES]
    return PARTS.get(told[0]) if len(told) == 1 else None


def _depth_of_parts(folder: Path, files: list[str]) -> int | None:
    """Where in its path a file's folder for training or testing comes: 0, 1 below its class, or nowhere."""
    for depth in (0, 1):
        names = [file.parts[depth] for file in map(PurePosixPath, files) if len(file.parts) > depth + 1]
        meant = {name: part for name in names if (part := _part(name))}
        if not meant:
            continue
        # Loose files are refused by name later.
        others = sorted(set(names) - set(meant))
        shown = ", ".join(sorted(meant))
        if set(meant.values()) != {"train", "test"}:
            if depth == 0 and (same := _classes_in_common(files, set(meant), set(others))):
                raise UserError(
                    f"{folder}: has a folder {shown}, and {same} both in it and in {others[0]}; if {shown} is"
                    " no class, call the other part's folder `val` or `test`, or list the videos in a CSV"
                )
            continue
        if others:
            raise UserError(
                f"{folder}: has folders for training and testing ({shown}) and also"
                f" {others[0]}; put all videos below the former, or list them in a CSV"
            )
        return depth
    return None


def _classes_in_common(files: list[str], tops: set[str], others: set[str]) -> str:
    """A folder's name that is found both below some folders and below others; empty if there is none."""
    below: dict[bool, set[str]] = {True: set(), False: set()}
    for path in map(PurePosixPath, files):
        if len(path.parts) > 2 and path.parts[0] in tops | others:
            below[path.parts[0] in tops].add(path.parts[1])
    return min(below[True] & below[False], default="")

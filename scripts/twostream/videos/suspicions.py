"""What looks like a dataset and tests nothing: refused of a user's own videos, warned of in official ones."""

import unicodedata
from pathlib import Path

import pandas as pd

from twostream.files import UserError

NAMED = 3


def refuse_suspicious(index: pd.DataFrame, folder: Path) -> None:
    """Raise UserError if there is one class, two that are one, or a video on both sides of a split."""
    classes = sorted(index["class"].unique())
    if len(classes) < 2:
        raise UserError(
            f"{folder}: has one class only, {classes[0]}, so that there is nothing to tell apart; videos of"
            " each class lie in a folder of their own, or a list says their class"
        )
    alike: dict[str, str] = {}
    for name in classes:
        known = alike.setdefault(_plain(name), name)
        if known != name:
            raise UserError(f"{folder}: the classes {known!r} and {name!r} are written alike; make them one")
    if repeated := repeated_across(index):
        raise UserError(
            f"{folder}: the same video, byte for byte, is to train on and to test on:"
            f" {'; '.join(repeated[:NAMED])}; delete one of each pair, or list them for one part"
        )


def repeated_across(index: pd.DataFrame) -> list[str]:
    """Return the videos that are on both sides of a split under two names, in words."""
    found = []
    splits = [column for column in index if str(column).startswith("split")]
    for _, same in index[index["sha256"].duplicated(keep=False)].groupby("sha256", sort=False):
        for split in splits:
            sides = [same["file"][same[split] == part] for part in ("train", "test")]
            if all(len(side) for side in sides):
                found.append(f"{sides[0].iloc[0]} and {sides[1].iloc[0]} ({split})")
                break
    return found


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())

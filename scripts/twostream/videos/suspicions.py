"""What looks like a dataset and tests nothing: refused of a user's own videos, warned of in official ones."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from twostream.files import UserError
from twostream.videos.index import splits_of

NAMED = 3


def refuse_alike(table: pd.DataFrame, folder: Path) -> None:
    """Raise UserError if there is one class, two that are one, or a recording of two spellings split."""
    classes = sorted(table["class"].unique())
    if len(classes) == 1:
        raise UserError(
            f"{folder}: has one class only, {classes[0]}, so that there is nothing to tell apart; videos of"
            " each class lie in a folder of their own, or a list says their class"
        )
    if pair := _alike(classes):
        raise UserError(
            f"{folder}: the classes {pair[0]!r} and {pair[1]!r} are written alike; make them one, or give"
            " them names that tell them apart"
        )
    # A file that is a group of its own is called as it is, which tells no recording.
    told = table[
        [not str(g).endswith(Path(file).stem) for file, g in zip(table["file"], table["group"], strict=True)]
    ]
    for split in splits_of(table):
        for name, of_class in told[told[split] != "none"].groupby("class"):
            sides = of_class.groupby("group")[split].first()
            for first, second in _pairs_alike(sorted(sides.index)):
                if sides[first] != sides[second]:
                    raise UserError(
                        f"{folder}: the groups {first!r} and {second!r} of {name} are written alike, and are"
                        f" on both sides of {split}; if they are one recording, give them one name"
                    )


def refuse_repeated(index: pd.DataFrame, folder: Path) -> None:
    """Raise UserError if a video, by its bytes, is on both sides of a split."""
    if repeated := repeated_across(index):
        raise UserError(
            f"{folder}: the same video, byte for byte, is to train on and to test on:"
            f" {'; '.join(repeated[:NAMED])}; delete one of each pair, or list them for one part"
        )


def refuse_two_classes(index: pd.DataFrame, folder: Path) -> None:
    """Raise UserError if a video, by its bytes, is of two classes."""
    if repeated := [
        " and ".join(same.drop_duplicates("class")["file"].iloc[:2])
        for same in _repeated(index)
        if same["class"].nunique() > 1
    ]:
        raise UserError(
            f"{folder}: the same video, byte for byte, is of two classes: {'; '.join(repeated[:NAMED])};"
            " delete it where it does not belong"
        )


def repeated_videos(index: pd.DataFrame) -> list[str]:
    """Return the videos that are there under several names, in words."""
    return [" and ".join(same["file"].iloc[:2]) for same in _repeated(index)]


def refuse_text(files: Iterable[str], folder: Path) -> None:
    """Raise UserError if one of the files is written text, which FFmpeg makes a film of."""
    for file in files:
        with (folder / file).open("rb") as stream:
            start = stream.read(4096)
        if all(byte >= ord(" ") or byte in b"\t\n\f\r" for byte in start):
            raise UserError(f"{folder / file}: is text, and no video; take it out of the list")


def repeated_across(index: pd.DataFrame) -> list[str]:
    """Return the videos that are on both sides of a split under two names, in words."""
    found = []
    for same in _repeated(index):
        for split in splits_of(index):
            sides = [same["file"][same[split] == part] for part in ("train", "test")]
            if all(len(side) for side in sides):
                found.append(f"{sides[0].iloc[0]} and {sides[1].iloc[0]} ({split})")
                break
    return found


def _repeated(index: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each video that has several."""
    repeated = index[index["sha256"].duplicated(keep=False)]
    return [same for _, same in repeated.groupby("sha256", sort=False)]


def _alike(names: list[str]) -> tuple[str, str] | None:
    return next(_pairs_alike(names), None)


def _pairs_alike(names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is written like an earlier one, after that."""
    known: dict[str, str] = {}
    for name in names:
        if (first := known.setdefault(_plain(name), name)) != name:
            yield first, name


def _plain(name: str) -> str:
    """A name without what is easily written otherwise: case, forms of letters, blanks, zeros before a number.

    Signs between digits stay: 1-1 is not 11.
    """
    same = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(char for char in same if unicodedata.category(char) != "Cf")
    joined = re.sub(r"(?<!\d)[\s_-]+|[\s_-]+(?!\d)", "", seen.strip())
    number = re.fullmatch(r"0*(\d+?)(?:\.0+)?", joined)
    return number[1] if number else joined

"""The score file: the joint between what costs GPU hours and what takes seconds.

A `.npz` with these arrays, for the training and the test part of one split of one dataset:

- `videos` [videos]: names, each once
- `labels` [videos]: the true class, from 0
- `parts` [videos]: `train` or `test`
- `groups` [videos]: clips of one group come from one recording; intervals resample groups
- `scores` [videos, classes]: non-negative, each row sums to 1
- `classes` [classes]: names, in the order of the labels

The file says all that tables, fusion and intervals need, whoever made the scores. Those of methods that
were not trained here come from files that say less (see `external`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import numpy as np

from twostream.files import UserError, atomic_write
from twostream.npz import write_npz


@dataclass(frozen=True)
class Scores:
    """The content of a score file; the arrays are described above."""

    videos: np.ndarray
    labels: np.ndarray
    parts: np.ndarray
    groups: np.ndarray
    scores: np.ndarray
    classes: np.ndarray

    def part(self, name: str) -> "Scores":
        """Return the rows of one part."""
        rows = self.parts == name
        per_video = {f.name: getattr(self, f.name)[rows] for f in fields(self)[:-1]}
        return Scores(**per_video, classes=self.classes)

    def right(self) -> np.ndarray:
        """Return 1.0 for each video whose highest score is its class's, and else 0.0, [videos]."""
        right: np.ndarray = (self.scores.argmax(axis=1) == self.labels).astype(float)
        return right

    def accuracy(self) -> float:
        """Return the share of videos whose highest score is their class's, in %."""
        return float(100 * self.right().mean())

    def accuracies(self) -> dict[str, float]:
        """Return the accuracy of each part that there is, in %."""
        parts = [part for part in ("train", "test") if part in self.parts]
        return {part: round(self.part(part).accuracy(), 2) for part in parts}


def write_scores(scores: Scores, path: str | Path) -> None:
    """Check and write a score file; equal scores give equal bytes."""
    check(scores, str(path))
    with atomic_write(path) as part, part.open("wb") as stream:
        write_npz(stream, {f.name: getattr(scores, f.name) for f in fields(scores)})


def read_scores(path: str | Path) -> Scores:
    """Read and check a score file; raise UserError that says what is wrong with it."""
    try:
        with np.load(path, allow_pickle=False) as content:
            scores = Scores(**{f.name: content[f.name] for f in fields(Scores)})
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: is not a score file: {error}") from None
    check(scores, str(path))
    return scores


def reader_of(files: Iterable[str]) -> Callable[[str], Scores]:
    """Return a function that gives the scores in one of these files, each read once.

    It raises UserError for any other file, also where that is there.
    """
    given = {Path(file) for file in files}

    @cache
    def read(file: str) -> Scores:
        if Path(file) not in given:
            raise UserError(f"--scores: {file} is missing, which the recipe names; name it too")
        return read_scores(file)

    return read


def check(scores: Scores, where: str) -> None:
    """Raise UserError, naming `where`, if scores are not of the form above."""
    count = len(scores.videos)
    for field in fields(scores):
        array = getattr(scores, field.name)
        if field.name != "classes" and len(array) != count:
            raise UserError(f"{where}: `{field.name}` has {len(array)} rows, `videos` {count}")
    problems = {
        "`videos` names a video twice": len(set(scores.videos.tolist())) < count,
        "`parts` holds more than train and test": not set(scores.parts.tolist()) <= {"train", "test"},
        "`scores` is not [videos, classes]": scores.scores.shape != (count, len(scores.classes)),
        "`labels` are not whole numbers from 0 to classes - 1": not _labels_fit(scores),
    }
    wrong = [problem for problem, found in problems.items() if found]
    if not wrong and not np.isfinite(scores.scores).all():
        wrong = ["`scores` holds values that are not finite"]
    if not wrong and (scores.scores.min(initial=0) < 0 or not _sums_to_one(scores.scores)):
        wrong = ["a row of `scores` is negative somewhere or does not sum to 1 (logits need a softmax)"]
    if wrong:
        raise UserError(f"{where}: {wrong[0]}")


def _labels_fit(scores: Scores) -> bool:
    whole = np.issubdtype(scores.labels.dtype, np.integer)
    return whole and bool(((scores.labels >= 0) & (scores.labels < len(scores.classes))).all())


def _sums_to_one(scores: np.ndarray) -> bool:
    return bool(np.allclose(scores.sum(axis=1), 1, atol=1e-3))

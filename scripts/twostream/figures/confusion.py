"""What is taken for what: confusion matrix and recalls of a score file's test part (section 6)."""

import numpy as np
import pandas as pd

from twostream.files import UserError
from twostream.scores.score_file import Scores, read_scores

# In place of a class, where all of a class's videos are right.
NONE = "none"


def read_test_part(path: str) -> Scores:
    """Return the test part of a score file; raise UserError if the file has none, or is damaged."""
    scores = read_scores(path).part("test")
    if not len(scores.videos):
        raise UserError(f"{path}: has no test video; score a split that tests some")
    return scores


def predictions(scores: Scores) -> pd.DataFrame:
    """Return a row for each video: the names of its class (`actual`) and of the highest score's."""
    found = scores.classes[scores.scores.argmax(axis=1)]
    return pd.DataFrame({"actual": scores.classes[scores.labels], "predicted": found})


def confusion_matrix(scores: Scores) -> np.ndarray:
    """Return how many videos of each class (rows) were taken for each (columns), int [classes, classes]."""
    counts = np.zeros((len(scores.classes),) * 2, int)
    np.add.at(counts, (scores.labels, scores.scores.argmax(axis=1)), 1)
    return counts


def shares(counts: np.ndarray) -> np.ndarray:
    """Return a confusion matrix in % of each true class's videos; nan for a class without videos."""
    videos = counts.sum(axis=1, keepdims=True).astype(float)
    return 100 * counts / np.where(videos > 0, videos, np.nan)


def by_class(scores: Scores) -> pd.DataFrame:
    """Return a row for each class, in the classes' order: how well it was recognised.

    Columns: `class`; `videos`; `recall` (%, nan for a class without videos); `confused_with`, the wrong
    class that most of its videos were taken for (of equals the first, NONE if all are right); and
    `confused_videos`, how many.
    """
    counts = confusion_matrix(scores)
    wrong = counts - np.diag(np.diag(counts))
    most, videos = wrong.argmax(axis=1), wrong.max(axis=1)
    return pd.DataFrame(
        {
            "class": scores.classes,
            "videos": counts.sum(axis=1),
            "recall": np.diag(shares(counts)),
            "confused_with": np.where(videos > 0, scores.classes[most], NONE),
            "confused_videos": videos,
        }
    )

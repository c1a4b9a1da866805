"""Score files of methods that were not trained here, checked against the dataset's index.

Such a file is a `.npz` with these arrays (methods/README.md shows how to write one):

- `videos` [videos]: names as in the index's column `file`; all test videos of the split, and all of its
  training videos or none (fusion by an SVM learns from them)
- `scores` [videos, classes]: non-negative, each row sums to 1
- `classes` [classes]: the dataset's class names, in the order of the scores' columns

`labels`, `parts` and `groups`, as a score file of ours has them, are taken from the index; where the
file has labels or parts, they must be the same.
"""

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.lib.npyio import NpzFile

from twostream.files import UserError
from twostream.scores.score_file import Scores, check
from twostream.videos.index import class_names, part, recordings

NEEDED = ("videos", "scores", "classes")
# Of each array NumPy's kinds, the number of dimensions, and both in words.
FORMS = {
    "videos": ("U", 1, "texts, one a video"),
    "scores": ("fiu", 2, "numbers, [videos, classes]"),
    "classes": ("U", 1, "texts, one a class"),
    "labels": ("iu", 1, "whole numbers, one a video"),
    "parts": ("U", 1, "texts, one a video"),
}


def read_given(file: str | Path, index: pd.DataFrame, split: int) -> Scores:
    """Return the scores in a file of that form, in our order: training videos, test videos, classes by name.

    Raises UserError that names the file and says what is wrong with it.
    """
    content = _arrays(file)
    columns = _columns(file, content["classes"], class_names(index))
    expected = _expected(file, index, split, content["videos"])
    place = {video: i for i, video in enumerate(content["videos"].tolist())}
    rows = [place[video] for video in expected["file"]]
    scores = Scores(
        videos=np.array(expected["file"].tolist()),
        labels=expected["label"].to_numpy(),
        parts=np.array(expected[f"split{split}"].tolist()),
        groups=np.array(recordings(expected)),
        scores=content["scores"][rows][:, columns].astype(np.float64),
        classes=np.array(class_names(index)),
    )
    check(scores, str(file))
    if "labels" in content and not _same_labels(content, rows, scores):
        raise UserError(f"{file}: `labels` are not those of the index; leave them out, or mend them")
    if "parts" in content and (content["parts"][rows] != scores.parts).any():
        raise UserError(f"{file}: `parts` are not those of split {split}; is it the file of another split?")
    return scores


def _same_labels(content: dict[str, np.ndarray], rows: list[int], scores: Scores) -> bool:
    named = dict(enumerate(content["classes"].tolist()))
    given = [named.get(label) for label in content["labels"][rows].tolist()]
    return given == scores.classes[scores.labels].tolist()


def _arrays(file: str | Path) -> dict[str, np.ndarray]:
    try:
        found = np.load(file, allow_pickle=False)
        # A lone array has no names.
        content = {name: found[name] for name in found.files} if isinstance(found, NpzFile) else {}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        hint = "; save texts as such: videos.astype(str)" if "Object arrays" in str(error) else ""
        raise UserError(f"{file}: is not a file of scores: {error}{hint}") from None
    missing = [f"`{name}`" for name in NEEDED if name not in content]
    if missing:
        raise UserError(f"{file}: lacks {', '.join(missing)}; methods/README.md has the format")
    _check_forms(file, content)
    if len(set(content["videos"].tolist())) < len(content["videos"]):
        raise UserError(f"{file}: `videos` names a video twice")
    return content


def _check_forms(file: str | Path, content: dict[str, np.ndarray]) -> None:
    for name in FORMS.keys() & content.keys():
        kinds, dimensions, what = FORMS[name]
        array = content[name]
        if array.dtype.kind not in kinds or array.ndim != dimensions:
            raise UserError(
                f"{file}: `{name}` is an array of {array.dtype} and the shape {array.shape}, where"
                f" methods/README.md has {what}"
            )
    videos, classes = len(content["videos"]), len(content["classes"])
    if content["scores"].shape != (videos, classes):
        raise UserError(
            f"{file}: `scores` has the shape {content['scores'].shape}, where {videos} `videos` and"
            f" {classes} `classes` make {(videos, classes)}"
        )
    for name in {"labels", "parts"} & content.keys():
        if len(content[name]) != videos:
            raise UserError(f"{file}: `{name}` has {len(content[name])} rows, `videos` {videos}")


def _expected(file: str | Path, index: pd.DataFrame, split: int, videos: np.ndarray) -> pd.DataFrame:
    """The rows of the index that the file must have scores for: the test part, or both."""
    given = set(videos.tolist())
    train, test = (part(index, split, name) for name in ("train", "test"))
    has_train = bool(given & set(train["file"]))
    expected = pd.concat([train, test]) if has_train else test
    missing = [video for video in expected["file"] if video not in given]
    if missing:
        raise UserError(
            f"{file}: has no scores for {len(missing)} of the {len(expected)} videos of split {split}:"
            f" {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}; names are those in the column"
            f" `file` of the dataset's index, and the file's are like {sorted(given)[0] if given else 'none'}"
        )
    strangers = sorted(given - set(expected["file"]))
    if strangers:
        raise UserError(
            f"{file}: has scores for {len(strangers)} videos that are not in split {split}: {strangers[0]}"
            f"{', ...' if len(strangers) > 1 else ''}"
        )
    return expected


def _columns(file: str | Path, given: np.ndarray, classes: list[str]) -> list[int]:
    """Where each class of the dataset is among those of the file."""
    place = {name: i for i, name in enumerate(given.tolist())}
    lacks, strange = sorted(set(classes) - set(place)), sorted(set(place) - set(classes))
    if lacks or strange or len(given) != len(classes):
        wrong = [f"lacks {name}" for name in lacks[:1]] + [f"has {name}" for name in strange[:1]]
        wrong = wrong or ["has one twice"]
        raise UserError(f"{file}: `classes` are not the dataset's {len(classes)}: it {' and '.join(wrong)}")
    return [place[name] for name in classes]

"""Fusion of the two streams' scores by averaging (section 4); `svm` and `weighting` hold other ways."""

from dataclasses import replace

from twostream.files import UserError
from twostream.scores.score_file import Scores


def average(spatial: Scores, temporal: Scores) -> Scores:
    """Return the mean of two score files for the same videos; raise UserError if they differ.

    Of a part that one of them lacks, as others' score files may the training part, it has no scores.
    """
    spatial, temporal = common_parts(spatial, temporal)
    temporal = matched(spatial, temporal)
    return replace(spatial, scores=(spatial.scores + temporal.scores) / 2)


def common_parts(first: Scores, second: Scores) -> tuple[Scores, Scores]:
    """Return two score files without the part, training or test, that only one of them has."""
    parts = set(first.parts.tolist()) & set(second.parts.tolist())
    if len(parts) == 1:
        (part,) = parts
        return first.part(part), second.part(part)
    return first, second


def matched(first: Scores, second: Scores) -> Scores:
    """Return `second` with its videos in the order of `first`; raise UserError if they differ."""
    if first.classes.tolist() != second.classes.tolist():
        raise UserError("the two score files have different classes")
    place = {video: i for i, video in enumerate(second.videos.tolist())}
    missing = set(first.videos.tolist()) ^ set(place)
    if missing:
        raise UserError(f"{sorted(missing)[0]} and {len(missing) - 1} more are in one score file only")
    order = [place[video] for video in first.videos.tolist()]
    if (first.labels != second.labels[order]).any() or (first.parts != second.parts[order]).any():
        raise UserError("the two score files disagree about labels or about the split")
    return replace(first, scores=second.scores[order])

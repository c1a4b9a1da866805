"""Fusion of the two streams' scores by averaging (section 4); `svm` holds the other way."""

from dataclasses import replace

from twostream.files import UserError
from twostream.scores import Scores


def average(spatial: Scores, temporal: Scores) -> Scores:
    """Return the mean of two score files for the same videos; raise UserError if they differ."""
    temporal = matched(spatial, temporal)
    return replace(spatial, scores=(spatial.scores + temporal.scores) / 2)


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

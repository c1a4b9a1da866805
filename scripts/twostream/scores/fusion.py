"""Fusion of streams' scores by averaging (section 4); `svm` and `weighting` hold other ways."""

from dataclasses import replace

from twostream.files import UserError
from twostream.scores.score_file import Scores


def average(*streams: Scores) -> Scores:
    """Return the mean of score files for the same videos; raise UserError if they differ.

    Of a part that one of them lacks, as others' score files may the training part, it has no scores.
    """
    first, *others = aligned(*streams)
    total = first.scores
    for other in others:
        total = total + other.scores
    return replace(first, scores=total / len(streams))


def aligned(*streams: Scores) -> list[Scores]:
    """Return score files of the parts that all have, with their videos in the order of the first.

    Raises UserError if there are fewer than two, or their videos differ.
    """
    if len(streams) < 2:
        raise UserError("fusing takes the score files of two streams or more")
    first, *others = common_parts(*streams)
    return [first, *(matched(first, other) for other in others)]


def common_parts(*streams: Scores) -> list[Scores]:
    """Return score files without the part, training or test, that one of them lacks."""
    parts = set.intersection(*(set(scores.parts.tolist()) for scores in streams))
    if len(parts) == 1:
        (part,) = parts
        return [scores.part(part) for scores in streams]
    return list(streams)


def matched(first: Scores, second: Scores) -> Scores:
    """Return `second` with its videos in the order of `first`; raise UserError if they differ."""
    if first.classes.tolist() != second.classes.tolist():
        raise UserError("the score files have different classes")
    place = {video: i for i, video in enumerate(second.videos.tolist())}
    missing = set(first.videos.tolist()) ^ set(place)
    if missing:
        raise UserError(f"{sorted(missing)[0]} and {len(missing) - 1} more are in one score file only")
    order = [place[video] for video in first.videos.tolist()]
    if (first.labels != second.labels[order]).any() or (first.parts != second.parts[order]).any():
        raise UserError("the score files disagree about labels or about the split")
    return replace(first, scores=second.scores[order])

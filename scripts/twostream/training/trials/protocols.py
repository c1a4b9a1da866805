"""The testing protocols that accuracies are published with, all on the inputs of one model.

The paper tests on 25 frames of a video and 10 crops of each, and averages their scores (section 4). Others
test on fewer, or count each frame by itself; mixing the two is a common reason why numbers do not match.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from twostream.config.scale import Testing
from twostream.training.trial import Subject, untouched


def outcomes(subject: Subject) -> Iterator[dict[str, Any]]:
    """Yield how each video comes out by each protocol, the paper's own last.

    The ways are told apart by `counted` (`clip`: each frame's class is counted by itself; `video`: that of
    their mean scores), `frames` and `crops` of a video.
    """
    for video, (scores,) in zip(subject.videos, subject.scores([untouched]), strict=True):
        values = scores.double().cpu().numpy()
        for way, right in by_protocol(values, video.label, subject.recipe.testing):
            yield video.outcome(right, **way)


def by_protocol(
    scores: np.ndarray, label: int, testing: Testing
) -> Iterator[tuple[dict[str, str | int], float]]:
    """Yield each protocol, the paper's own last, and the share that is right by it.

    `scores` [crops, frames, classes] are the softmax scores of a video's inputs, the first crop being the
    centre. A single frame is the middle one.
    """
    frames, crops = testing.frames, testing.views
    for count in (1, crops):
        of_frames = scores[:count].mean(axis=0)
        right = float((of_frames.argmax(axis=-1) == label).mean())
        yield {"counted": "clip", "frames": frames, "crops": count}, right
    for used, count in ((1, 1), (frames, 1), (frames, crops)):
        chosen = scores[:count, [frames // 2]] if used == 1 else scores[:count]
        right = float(chosen.mean(axis=(0, 1)).argmax() == label)
        yield {"counted": "video", "frames": used, "crops": count}, right

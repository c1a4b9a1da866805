"""The testing protocols that accuracies are published with, all on the inputs of one model.

The paper tests on 25 frames of a video and 10 crops of each, and averages their scores (section 4). Others
test on fewer, or count each frame by itself; mixing the two is a common reason why numbers do not match.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from twostream.config.recipes import ScoringRecipe
from twostream.config.scale import Testing
from twostream.extraction.dataset_files import DatasetFiles
from twostream.training.scoring import scores_of_inputs
from twostream.videos.index import class_names, part, read_index


def score_protocols(
    recipe: ScoringRecipe, dataset: DatasetFiles, model: str, device_name: str, workers: int
) -> pd.DataFrame:
    """Return how each test video of a split comes out by each protocol; a row for each video and protocol.

    Columns: `video`, `group`; `counted` (`clip`: each frame's class is counted by itself; `video`: that of
    their mean scores), `frames` and `crops` of a video; `right`, the share (0..1) of what is counted that
    gets its class.
    """
    index = read_index(dataset.index)
    tested, classes = part(index, recipe.split, "test"), len(class_names(index))
    scores = scores_of_inputs(recipe, dataset, tested["file"].to_list(), model, device_name, workers)
    rows: list[dict[str, Any]] = []
    for video, of_inputs in zip(tested.to_dict("records"), scores, strict=True):
        content = {"video": video["file"], "group": f"{video['class']}/{video['group']}"}
        # Added classes come after the dataset's own, and no video can be one of them.
        values = of_inputs[..., :classes].double().cpu().numpy()
        rows += [content | outcome for outcome in outcomes(values, video["label"], recipe.testing)]
    return pd.DataFrame(rows)


def outcomes(scores: np.ndarray, label: int, testing: Testing) -> Iterator[dict[str, Any]]:
    """Yield `counted`, `frames`, `crops` and `right` of each protocol, the paper's own last.

    `scores` [crops, frames, classes] are the softmax scores of a video's inputs, the first crop being the
    centre. A single frame is the middle one.
    """
    frames, crops = testing.frames, testing.views
    for count in (1, crops):
        of_frames = scores[:count].mean(axis=0)
        right = float((of_frames.argmax(axis=-1) == label).mean())
        yield {"counted": "clip", "frames": frames, "crops": count, "right": right}
    for used, count in ((1, 1), (frames, 1), (frames, crops)):
        chosen = scores[:count, [frames // 2]] if used == 1 else scores[:count]
        right = float(chosen.mean(axis=(0, 1)).argmax() == label)
        yield {"counted": "video", "frames": used, "crops": count, "right": right}

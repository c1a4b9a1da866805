"""Scoring of videos: softmax scores averaged over frames and crops (section 4, testing)."""

import numpy as np
import torch
from tqdm import tqdm

from twostream import paths
from twostream.config import Testing
from twostream.devices import use_device
from twostream.index import class_names, part, read_index
from twostream.inputs import Batch, VideoReader, open_reader, prepare, square_side
from twostream.models import Description, load_model
from twostream.networks import TwoStreamNetwork
from twostream.recipes import ScoringRecipe
from twostream.scores import Scores
from twostream.store import Stored


def score_videos(recipe: ScoringRecipe, model: str, device_name: str) -> Scores:
    """Return the scores of a trained model for the training and test part of a split."""
    device = use_device(device_name)
    network, description = load_model(model)
    network.to(device).eval()
    index = read_index(paths.INDEX.format(dataset=recipe.dataset))
    classes = class_names(index)
    reader = open_reader(description.run.input, recipe.dataset, recipe.shards)
    rows, parts = [], []
    for name in ("train", "test"):
        found = part(index, recipe.split, name)
        rows.append(found)
        parts += [name] * len(found)
    files = [file for found in rows for file in found["file"]]
    # Added classes come after the dataset's own in the head, and no video can be one of them.
    scores = [
        score_video(network, description, reader, file, recipe.dataset, recipe.testing, device)[
            : len(classes)
        ]
        for file in tqdm(files, "scoring")
    ]
    values = np.stack(scores).astype(np.float64)
    groups = [f"{c}/{g}" for found in rows for c, g in zip(found["class"], found["group"], strict=True)]
    return Scores(
        videos=np.array(files),
        labels=np.array([label for found in rows for label in found["label"]]),
        parts=np.array(parts),
        groups=np.array(groups),
        scores=values / values.sum(axis=1, keepdims=True),
        classes=np.array(classes),
    )


@torch.inference_mode()
def score_video(
    network: TwoStreamNetwork,
    description: Description,
    reader: VideoReader,
    video: str,
    head: str,
    testing: Testing,
    device: torch.device,
) -> np.ndarray:
    """Return a video's scores [classes of the head]: the mean of its inputs' softmax scores."""
    positions = reader.positions(video)
    starts = [positions[i] for i in equal_spacing(len(positions), testing.frames)]
    stored = reader.read(video, starts)
    height, width = stored.images.shape[-2:]
    side = square_side(description.crop, description.short_side, height, width)
    total = torch.zeros(len(description.heads[head]), device=device)
    for top, left, flip in views(height, width, side, testing.views):
        batch = _view(stored, top, left, side, flip).to(device)
        x = prepare(batch, description.run.input, description.crop)
        total += network(x, head).softmax(dim=1).mean(dim=0)
    return (total / testing.views).cpu().numpy()


def equal_spacing(count: int, wanted: int) -> list[int]:
    """Return `wanted` of `count` positions at equal spacing, both ends included, some repeated."""
    return np.rint(np.linspace(0, count - 1, wanted)).astype(int).tolist()


def views(height: int, width: int, side: int, count: int) -> list[tuple[int, int, bool]]:
    """Return top, left and mirroring of the test crops: centre, and for 10 also the corners."""
    bottom, right = height - side, width - side
    places = [(bottom // 2, right // 2)]
    if count == 10:
        places += [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    return [(top, left, flip) for top, left in places for flip in (False, True)]


def _view(stored: Stored, top: int, left: int, side: int, flip: bool) -> Batch:
    count = len(stored.images)
    return Batch(
        images=torch.from_numpy(stored.images),
        ranges=torch.from_numpy(stored.ranges),
        top=torch.full((count,), top),
        left=torch.full((count,), left),
        side=torch.full((count,), side),
        flip=torch.full((count,), flip),
        jitter=torch.zeros(count, 3),
    )

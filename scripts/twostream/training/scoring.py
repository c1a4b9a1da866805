"""Scoring of videos: softmax scores averaged over frames and crops (section 4, testing)."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from twostream.config.recipes import ScoringRecipe
from twostream.devices import mixed_precision, to_device, use_device
from twostream.extraction.dataset_files import DatasetFiles
from twostream.networks.model_file import Description, load_model
from twostream.networks.network import StreamNetwork
from twostream.progress import ProgressBar
from twostream.scores.score_file import Scores
from twostream.training.batch import Batch
from twostream.training.data_loader import iterate_batches
from twostream.training.preprocessing import prepare
from twostream.training.reader import VideoReader, open_reader
from twostream.training.squares import square_side
from twostream.videos.index import class_names, part, read_index, recordings


def score_videos(
    recipe: ScoringRecipe, dataset: DatasetFiles, model: str, device_name: str, workers: int
) -> Scores:
    """Return the scores of a trained model for the training and test part of a split.

    `workers` other processes read and decode the videos.
    """
    index = read_index(dataset.index)
    classes = class_names(index)
    rows, parts = [], []
    for name in ("train", "test"):
        found = part(index, recipe.split, name)
        rows.append(found)
        parts += [name] * len(found)
    files = [file for found in rows for file in found["file"]]
    # Added classes come after the dataset's own in the head, and no video can be one of them.
    scores = [
        mean_over_inputs(of_inputs)[: len(classes)]
        for of_inputs in scores_of_inputs(recipe, dataset, files, model, device_name, workers)
    ]
    values = np.stack(scores).astype(np.float64)
    groups = [recording for found in rows for recording in recordings(found)]
    return Scores(
        videos=np.array(files),
        labels=np.array([label for found in rows for label in found["label"]]),
        parts=np.array(parts),
        groups=np.array(groups),
        scores=values / values.sum(axis=1, keepdims=True),
        classes=np.array(classes),
    )


def scores_of_inputs(
    recipe: ScoringRecipe, dataset: DatasetFiles, files: list[str], model: str, device_name: str, workers: int
) -> Iterator[Tensor]:
    """Yield for each video the softmax scores of all its inputs, as `score_inputs` returns them."""
    device = use_device(device_name)
    network, description = load_model(model)
    to_device(network, device)
    network.eval()
    reader = open_reader(description.run.input, dataset)
    # One video a batch, as it comes.
    inputs = TestVideos(reader, files, recipe.testing.frames)
    videos = iterate_batches(inputs, device, workers, batch_size=None)
    for stored in ProgressBar(videos, "scoring", len(files)):
        yield score_inputs(network, description, stored, recipe.dataset, recipe.testing.views, device)


class TestVideos(Dataset[tuple[Tensor, Tensor]]):
    """The inputs that videos are tested on: images and ranges, [frames, length, ...] as in `Stored`.

    Each frame or field of a video is decoded once, however many inputs it is part of.
    """

    def __init__(self, reader: VideoReader, files: list[str], frames: int) -> None:
        self._reader, self._files, self._frames = reader, files, frames

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        video = self._files[number]
        positions = self._reader.positions(video)
        starts = [positions[i] for i in equal_spacing(len(positions), self._frames)]
        stored = self._reader.read(video, starts)
        return torch.from_numpy(stored.images), torch.from_numpy(stored.ranges)


@torch.inference_mode()
def score_video(
    network: StreamNetwork,
    description: Description,
    stored: tuple[Tensor, Tensor],
    head: str,
    view_count: int,
    device: torch.device,
) -> np.ndarray:
    """Return a video's scores [classes of the head]: the mean of its inputs' softmax scores.

    `stored` holds images and ranges of its inputs, as `TestVideos` gives them.
    """
    return mean_over_inputs(score_inputs(network, description, stored, head, view_count, device))


def mean_over_inputs(scores: Tensor) -> np.ndarray:
    """Return the mean [classes] of the scores of a video's inputs, as `score_inputs` returns them."""
    total = torch.zeros_like(scores[0, 0])
    for of_crop in scores:
        total += of_crop.mean(dim=0)
    return (total / len(scores)).cpu().numpy()


@torch.inference_mode()
def score_inputs(
    network: StreamNetwork,
    description: Description,
    stored: tuple[Tensor, Tensor],
    head: str,
    view_count: int,
    device: torch.device,
) -> Tensor:
    """Return the softmax scores of a video's inputs, [crops, frames, classes of the head], on the device.

    `stored` is as for `score_video`; the crops are in the order of `views`.
    """
    images, ranges = (part.to(device, non_blocking=True) for part in stored)
    height, width = images.shape[-2:]
    side = square_side(description.crop, description.short_side, height, width)
    scores = []
    for top, left, flip in views(height, width, side, view_count):
        batch = _view(images, ranges, top, left, side, flip)
        x = prepare(batch, description.run.input, description.crop)
        with mixed_precision(device):
            logits = network({head: x})[head]
        scores.append(logits.float().softmax(dim=1))
    return torch.stack(scores)


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


def _view(images: Tensor, ranges: Tensor, top: int, left: int, side: int, flip: bool) -> Batch:
    count = len(images)
    return Batch(
        images=images,
        ranges=ranges,
        top=torch.full((count,), top),
        left=torch.full((count,), left),
        side=torch.full((count,), side),
        flip=torch.full((count,), flip),
        jitter=torch.zeros(count, 3, device=images.device),
    )

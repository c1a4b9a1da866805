"""Anyone's video, classified with the trained models of both streams.

It takes the way of a dataset's videos: frames and flow through the store, then `scoring`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twostream import paths
from twostream.config.scale import Frames, Scale, Testing
from twostream.config.settings import Config
from twostream.config.streams import DIRECTIONS
from twostream.devices import to_device, use_device
from twostream.extraction.flow import write_flow
from twostream.extraction.shards import (
    FIELD_BYTES,
    FRAME_BYTES,
    WrittenShard,
    check_free_disk,
    write_shard,
)
from twostream.extraction.store import ShardWriter, Store
from twostream.files import UserError, sha256
from twostream.networks.model_file import Description, load_model
from twostream.networks.network import StreamNetwork
from twostream.plan.memo import NoSuchStepError
from twostream.plan.plan import Plan
from twostream.provenance.staleness import is_current
from twostream.training.reader import VideoReader
from twostream.training.scoring import TestVideos, score_video
from twostream.videos.damage import tell_damaged
from twostream.videos.decoding import BadVideoError, read_frames, rescale, why_unusable
from twostream.videos.index import class_names, read_index


@dataclass(frozen=True)
class Models:
    """Which trained models to use: those of a fusion's runs, for a split of a dataset."""

    fusion: str
    dataset: str
    split: int
    seed: int


@dataclass(frozen=True)
class Verdict:
    """What a stream, or all together, say of a video: the score [classes] of each class; sum 1."""

    name: str
    classes: list[str]
    scores: np.ndarray

    def best(self, count: int) -> list[tuple[str, float]]:
        """Return the classes with the highest scores, best first; fewer if there are fewer."""
        order = np.argsort(-self.scores, kind="stable")[:count]
        return [(self.classes[i], float(self.scores[i])) for i in order]


def find_models(models: Models, config: Config, snakemake: str) -> dict[str, str]:
    """Return the model file of each stream's run, in the fusion's order.

    `snakemake` is the call that makes files. Raises UserError if the configuration has no such models,
    or if one is not there.
    """
    scale, fusions = config.scale, config.benchmark.fusions
    if models.fusion not in fusions:
        raise UserError(f"--fusion {models.fusion}: there is none; fusions: {', '.join(fusions)}")
    of_videos = [name for name, dataset in scale.datasets.items() if dataset.media != "images"]
    if models.dataset not in of_videos:
        raise UserError(
            f"--dataset {models.dataset}: is no dataset of videos at the scale {config.scale_name};"
            f" those are {', '.join(of_videos)}"
        )
    splits = scale.datasets[models.dataset].splits
    if not 1 <= models.split <= splits:
        raise UserError(f"--split {models.split}: {models.dataset} has the splits 1 to {splits}")
    runs = fusions[models.fusion].streams.values()
    for run in runs:
        if run not in config.benchmark.runs:
            raise UserError(f"--fusion {models.fusion}: {run} was not trained here; choose another fusion")
    files = {run: _model_file(run, models, config) for run in runs}
    missing = {run: file for run, file in files.items() if not Path(file).exists()}
    if missing:
        _refuse_missing(missing, models, config, snakemake)
    return files


def _model_file(run: str, models: Models, config: Config) -> str:
    return paths.MODEL.format(
        folder=config.benchmark.runs[run].folder,
        run=run,
        dataset=models.dataset,
        split=models.split,
        seed=models.seed,
    )


def _refuse_missing(missing: dict[str, str], models: Models, config: Config, snakemake: str) -> None:
    networks = Plan(config).networks
    for run in missing:
        try:
            networks.train_stream(run, models.dataset, models.split, models.seed)
        except NoSuchStepError as error:
            raise UserError(f"{error}; or choose another fusion with --fusion") from None
    raise UserError(
        f"{' and '.join(missing.values())}: not trained yet; this makes what is missing:\n"
        f"  {snakemake} -- {' '.join(missing.values())}"
    )


def check_video(video: Path) -> None:
    """Raise BadVideoError if a file is not there, is no video, or has fewer than two frames."""
    if video.is_dir():
        raise BadVideoError(f"{video}: is a folder; name a video in it")
    if problem := why_unusable(video):
        raise BadVideoError(f"{video}: {problem}; give a video of at least two frames")


def stale(models: Models, config: Config) -> list[str]:
    """Return those model files that configuration and code as they are now would make otherwise."""
    fusion = config.benchmark.fusions[models.fusion]
    networks = Plan(config).networks
    steps = [
        networks.train_stream(run, models.dataset, models.split, models.seed)
        for run in fusion.streams.values()
    ]
    return [step.outputs[0] for step in steps if not is_current(step.outputs[0], step.spec)]


def is_trained_on(video: Path, dataset: str, split: int) -> bool:
    """Whether a video is, by its bytes, a training video of a split."""
    file = Path(paths.INDEX.format(dataset=dataset))
    if not file.exists():
        return False
    index = read_index(file)
    return sha256(video) in set(index["sha256"][index[f"split{split}"] == "train"])


def classify(
    video: Path, files: dict[str, str], dataset: str, scale: Scale, device: str, scratch: Path
) -> list[Verdict]:
    """Return the verdicts of each stream's model, and of all averaged.

    `files` are those of `find_models`, and `dataset` is the one they were trained on. In the folder
    `scratch` the video's frames and flow are stored (`forward_flow` has the place). Raises UserError if
    a model cannot be used, or the video cannot be read.
    """
    use_device(device)
    loaded = {run: load_model(file) for run, file in files.items()}
    own = [_own_classes(description, dataset) for _, description in loaded.values()]
    if any(classes != own[0] for classes in own):
        raise UserError(
            f"{' and '.join(files.values())}: were trained on other classes of {dataset} each; one is older"
            " than the index, so call snakemake for both"
        )
    verdicts: list[Verdict] = []
    damaged: dict[str, str] = {}
    for run, (network, description) in loaded.items():
        reader = _stored(video, description, scale, device, scratch, damaged)
        scores = _scores(video.name, reader, network, description, dataset, scale.testing, device)
        kept = scores[: len(own[0])].astype(np.float64)
        verdicts.append(Verdict(f"{description.run.stream} ({run})", own[0], kept / kept.sum()))
    tell_damaged(damaged, video.parent)
    average = np.mean([verdict.scores for verdict in verdicts], axis=0)
    return [*verdicts, Verdict("fused by averaging", own[0], average)]


def _own_classes(description: Description, dataset: str) -> list[str]:
    """The dataset's own classes: in a head they come first, and a video can be none of those added."""
    if description.run.auxiliary != "added_classes":
        return description.heads[dataset]
    return class_names(read_index(paths.INDEX.format(dataset=dataset)))


def _scores(
    video: str,
    reader: VideoReader,
    network: StreamNetwork,
    description: Description,
    head: str,
    testing: Testing,
    device_name: str,
) -> np.ndarray:
    """A video's scores as `score_videos` has them, [classes of the head]."""
    device = use_device(device_name)
    to_device(network, device)
    network.eval()
    stored = TestVideos(reader, [video], testing.frames)[0]
    return score_video(network, description, stored, head, testing.views, device)


def _stored(
    video: Path, description: Description, scale: Scale, device: str, scratch: Path, damaged: dict[str, str]
) -> VideoReader:
    """Store what a network sees of the video as that of a dataset is stored, and return its reader.

    If the video is damaged, `damaged` is given how.
    """
    what = description.run.input
    stores = {}
    for name in what.extracted:
        shard = scratch / f"{name}.zip"
        if name == "frames":
            settings = Frames(short_side=description.short_side, quality=scale.frames.quality)
            written = _write_frames(video, settings, shard)
        else:
            folder, files, flow = video.parent, [video.name], scale.flow_by(description.run.flow)
            check_free_disk(folder, files, shard, FIELD_BYTES, len(what.extracted), flow.short_side)
            written = write_flow(folder, files, flow, DIRECTIONS[name], shard, device)
        damaged |= written.damaged
        stores[name] = Store([shard])
    return VideoReader(what, stores)


def _write_frames(video: Path, settings: Frames, shard: Path) -> WrittenShard:
    def add(writer: ShardWriter, name: str) -> str:
        damage: list[str] = []
        read = read_frames(video, damaged=damage.append)
        writer.add_frames(name, (rescale(frame, settings.short_side) for frame in read))
        return "".join(damage)

    check_free_disk(video.parent, [video.name], shard, FRAME_BYTES, 1, settings.short_side)
    return write_shard([video.name], shard, settings.quality, add, "frames")


def forward_flow(scratch: Path) -> Store:
    """Return the store with the forward flow of the video, which `classify` left in `scratch`.

    Raises UserError if no stream of the fusion sees any.
    """
    shard = scratch / "flow.zip"
    if not shard.exists():
        raise UserError("--out: shows flow, and no stream of this fusion sees any; choose another --fusion")
    return Store([shard])


def readable(verdicts: list[Verdict], count: int = 5) -> str:
    """Return the best classes of each verdict side by side, as text in columns."""
    columns = []
    for verdict in verdicts:
        lines = [verdict.name]
        lines += [f"{100 * score:5.1f}%  {name}" for name, score in verdict.best(count)]
        width = max(map(len, lines))
        columns.append([line.ljust(width) for line in lines])
    return "\n".join("   ".join(row).rstrip() for row in zip(*columns, strict=True))

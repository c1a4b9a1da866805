"""What the plan asks of datasets; what kind a dataset is, is asked here and nowhere else.

To add a kind: a model of its source in `config/sources.py`, a class for it below with a line in BY_SOURCE,
its rule in `workflow/rules/videos.smk`, its script, and its module in `videos/`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from twostream import paths
from twostream.config.recipes import Data, GeneratorRecipe, IndexRecipe, OfficialRecipe
from twostream.config.settings import Config
from twostream.config.sources import Dataset, Folder, Generated, Official, Segments
from twostream.files import UserError
from twostream.plan.rates import Rates
from twostream.provenance.steps import Step
from twostream.videos.listing import listing_digest
from twostream.videos.subsets import read_subset, subset_digest

if TYPE_CHECKING:
    import pandas as pd

Source = TypeVar("Source", bound=BaseModel)


@dataclass(frozen=True)
class DatasetSize:
    """How many videos (or images), frames of each on average, pixels of a frame, and classes."""

    count: int
    frames: int
    pixels: int
    classes: int

    def with_count(self, indexed: int | None) -> "DatasetSize":
        """Return the size with as many videos as are indexed, if they are."""
        return self if indexed is None else replace(self, count=indexed)


# The user's are taken to be like UCF-101's, images like ImageNet's, until they are indexed and counted.
OFFICIAL = {
    "ucf101": DatasetSize(13_320, 194, 320 * 240, 101),
    "hmdb51": DatasetSize(6_766, 93, 320 * 240, 51),
}
USERS = {
    **dict.fromkeys(("videos", "raw-frames"), OFFICIAL["ucf101"]),
    "images": DatasetSize(1_281_167, 1, 500 * 375, 1_000),
}
DRAWN_FRAMES = 31  # of a generated video: 26 to 35.
LISTED_RATE = 25  # frames a second of a video that segments are listed of, until it is indexed.
# Bytes on disk: of the official archives, which hold videos as they are, and for each pixel of what
# is drawn (measured at 64 x 80).
OFFICIAL_BYTES = {"ucf101": 7.0e9, "hmdb51": 2.0e9}
DRAWN_BYTES = {"videos": 0.6, "images": 2.0}


@dataclass(frozen=True)
class PlannedDataset(ABC, Generic[Source]):
    """What the plan asks of a dataset; a class for each kind of source."""

    name: str
    settings: Dataset
    source: Source
    on_bad_video: str

    rule: ClassVar[str]
    """The rule, and the script, that makes its index."""
    has_known_size: ClassVar[bool] = True
    """Whether its size is known before it is indexed."""
    may_be_shared: ClassVar[bool] = True
    """Whether DVC may keep copies of its videos and push them."""

    @property
    def folder(self) -> str:
        """The folder that the files in its index are relative to."""
        return (paths.VIDEOS if self.may_be_shared else paths.OFFICIAL_VIDEOS).format(dataset=self.name)

    @abstractmethod
    def recipe(self) -> BaseModel:
        """What its videos depend on."""

    @abstractmethod
    def options(self) -> list[str]:
        """What its script is passed beside the recipe: where videos come from and go to."""

    @abstractmethod
    def size(self, indexed: int | None) -> DatasetSize:
        """What it holds, with as many videos as `indexed` says if it is (None: it is not)."""

    @abstractmethod
    def seconds(self, size: DatasetSize, rates: Rates) -> float:
        """How long it takes (s) to have and index its videos."""

    @abstractmethod
    def kept(self, size: DatasetSize) -> dict[str, float]:
        """The bytes that its videos, and their archive, take below each folder that is not the user's own."""

    def skipped_options(self) -> list[str]:
        """The option that names its report on videos that were left out, if its rule writes one."""
        return ["--skipped", paths.SKIPPED.format(dataset=self.name)]

    def data(self, paper: str) -> Data:
        """Whether it is drawn, or the dataset that the paper calls `paper`, or neither."""
        return "other"

    def refuse_own(self, file: str | None, key: str) -> None:
        """Raise UserError if a file that the user names is one that is written for the dataset."""
        index = paths.INDEX.format(dataset=self.name)
        written = (index, paths.record(index), paths.SKIPPED.format(dataset=self.name))
        if file and Path(file).resolve() in (Path(own).resolve() for own in written):
            raise UserError(
                f"datasets.{self.name}.{key}: {file} is where the index of this dataset, or what goes with"
                " it, is written; give your list another name or place"
            )

    def recordings(self) -> str | None:
        """The collection of recordings that its clips were cut from, where others may be cut from it too.

        Datasets of one collection call a recording by the same class and group.
        """
        return None


class GeneratedDataset(PlannedDataset[Generated]):
    """Videos or still images that are drawn."""

    rule = "generate_videos"

    def recipe(self) -> GeneratorRecipe:
        media, splits = self.settings.media, self.settings.splits
        return GeneratorRecipe(dataset=self.name, media=media, splits=splits, source=self.source)

    def options(self) -> list[str]:
        return ["--folder", self.folder]

    def size(self, indexed: int | None) -> DatasetSize:
        frames = DRAWN_FRAMES if self.settings.media == "videos" else 1
        count = len(self.source.classes) * self.source.groups * self.source.clips
        pixels = self.source.height * self.source.width
        return DatasetSize(count, frames, pixels, len(self.source.classes))

    def seconds(self, size: DatasetSize, rates: Rates) -> float:
        return rates.drawn * size.count * size.frames * size.pixels / (64 * 80)

    def kept(self, size: DatasetSize) -> dict[str, float]:
        return {self.folder: DRAWN_BYTES[self.settings.media] * size.count * size.frames * size.pixels}

    def skipped_options(self) -> list[str]:
        return []

    def data(self, paper: str) -> Data:
        return "generated"


class FolderDataset(PlannedDataset[Folder]):
    """Videos or still images that the user has."""

    rule = "index_folder"
    has_known_size = False

    @property
    def folder(self) -> str:
        return self.source.folder

    def recipe(self) -> IndexRecipe:
        media, splits = self.settings.media, self.settings.splits
        self.refuse_own(self.source.list, "source.list")
        index = paths.INDEX.format(dataset=self.name)
        listing = listing_digest(self.source, media, index)
        return IndexRecipe(media=media, splits=splits, listing=listing)

    def options(self) -> list[str]:
        listed = ["--list", self.source.list] if self.source.list else []
        return ["--folder", self.folder, *listed, "--on-bad-video", self.on_bad_video]

    def size(self, indexed: int | None) -> DatasetSize:
        return USERS[self.settings.media].with_count(indexed)

    def seconds(self, size: DatasetSize, rates: Rates) -> float:
        return (rates.listed + rates.frame * size.frames) * size.count

    def kept(self, size: DatasetSize) -> dict[str, float]:
        return {}


class OfficialDataset(PlannedDataset[Official]):
    """A published dataset, fetched, or found where the user has it."""

    rule = "download_videos"
    may_be_shared = False

    @property
    def folder(self) -> str:
        return self.source.videos.folder or super().folder

    def recipe(self) -> OfficialRecipe:
        self.refuse_own(self.source.subset, "source.subset")
        subset = self.source.subset
        return OfficialRecipe(protocol=self.source.protocol, subset=subset_digest(subset) if subset else None)

    def options(self) -> list[str]:
        source = self.source.model_dump_json(exclude_defaults=True)
        return ["--dataset", self.name, "--source", source, "--on-bad-video", self.on_bad_video]

    def size(self, indexed: int | None) -> DatasetSize:
        whole = OFFICIAL[self.source.protocol]
        if not self.source.subset:
            return whole.with_count(indexed)
        listed = read_subset(self.source.subset)
        classes = {row["file"].partition("/")[0] for row in listed}
        return replace(whole, count=len(listed), classes=len(classes)).with_count(indexed)

    def seconds(self, size: DatasetSize, rates: Rates) -> float:
        # Of an archive, the whole is fetched, whatever part of it is wanted.
        whole = OFFICIAL[self.source.protocol].count
        return rates.fetched * (whole if self.source.videos.sources else size.count)

    def kept(self, size: DatasetSize) -> dict[str, float]:
        if not self.source.videos.sources:
            return {}
        # Datasets of one protocol have one archive.
        protocol = self.source.protocol
        archive, share = OFFICIAL_BYTES[protocol], size.count / OFFICIAL[protocol].count
        return {paths.ARCHIVES.format(dataset=protocol): archive, self.folder: share * archive}

    def data(self, paper: str) -> Data:
        whole = self.source.subset is None
        return "paper" if whole and self.source.protocol == paper else "other"

    def recordings(self) -> str:
        return self.source.protocol


class SegmentsDataset(PlannedDataset[Segments]):
    """Segments of videos that the user has, or that are fetched by their addresses."""

    rule = "index_segments"
    may_be_shared = False

    @property
    def folder(self) -> str:
        return self.source.folder or super().folder

    def recipe(self) -> IndexRecipe:
        self.refuse_own(self.source.list, "source.list")
        # Only here, as pandas, which it loads, takes longer than a plan.
        from twostream.videos.segment_list import segments_digest

        index = paths.INDEX.format(dataset=self.name)
        listing = segments_digest(self.source, self._listed()["file"], Path(self.folder), index)
        return IndexRecipe(media=self.settings.media, splits=self.settings.splits, listing=listing)

    def options(self) -> list[str]:
        source = self.source.model_dump_json(exclude_defaults=True)
        options = ["--dataset", self.name, "--source", source, "--folder", self.folder]
        return [*options, "--on-bad-video", self.on_bad_video]

    def size(self, indexed: int | None) -> DatasetSize:
        listed = self._listed()
        frames = round(LISTED_RATE * float((listed["end"] - listed["start"]).sum()) / max(1, len(listed)))
        known = DatasetSize(len(listed), frames, USERS["videos"].pixels, listed["class"].nunique())
        return known.with_count(indexed)

    def seconds(self, size: DatasetSize, rates: Rates) -> float:
        fetched = rates.fetched if self.source.fetch or not self.source.folder else 0.0
        return (rates.listed + rates.frame * size.frames + fetched) * size.count

    def kept(self, size: DatasetSize) -> dict[str, float]:
        each = OFFICIAL_BYTES["ucf101"] / OFFICIAL["ucf101"].count
        return {} if self.source.folder else {self.folder: each * size.count}

    def _listed(self) -> "pd.DataFrame":
        file = Path(self.source.list)
        changed = file.stat().st_mtime_ns if file.exists() else 0
        return _read_once(file, self.settings.splits, Path(self.folder), changed)


@cache
def _read_once(file: Path, splits: int, folder: Path, changed: int) -> "pd.DataFrame":
    """A list of segments; one of many takes seconds to read, and the plan asks for it again and again."""
    from twostream.videos.segment_list import read_segments

    return read_segments(file, splits, folder)


BY_SOURCE: dict[type[BaseModel], type[PlannedDataset[Any]]] = {
    Generated: GeneratedDataset,
    Folder: FolderDataset,
    Official: OfficialDataset,
    Segments: SegmentsDataset,
}


def planned_dataset(name: str, config: Config) -> PlannedDataset[Any]:
    """Return what the plan asks of a dataset, by the kind of its source."""
    settings = config.scale.datasets[name]
    return BY_SOURCE[type(settings.source)](name, settings, settings.source, config.on_bad_video)


def size_of(dataset: str | None, config: Config, indexed: Mapping[str, int]) -> DatasetSize:
    """Return what a dataset holds, nothing without one; `indexed` has how many videos those have that are."""
    if dataset is None:
        return DatasetSize(0, 0, 0, 0)
    return planned_dataset(dataset, config).size(indexed.get(dataset))


def dataset_of(step: Step, config: Config) -> str | None:
    """Return the dataset that a step is for, by the path of what it makes; None if it is for none."""
    found = (wildcards.get("dataset") for _, wildcards in paths.parse_path(step.outputs[0]))
    return next((name for name in found if name in config.scale.datasets), None)

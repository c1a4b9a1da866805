"""What a file in config/scale holds: the data, the networks, the schedules; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from twostream.config.types import MD5, SHA256, Count, Fraction, Name, Positive, Strict

Look = Literal[
    "disc", "square", "triangle", "star", "cross", "ring", "bars", "crescent"
]  # fmt: skip
Motion = Literal[
    "horizontal", "vertical", "diagonal", "circle", "spin", "swing", "pulse", "zigzag"
]  # fmt: skip


class GeneratedClass(Strict):
    """A class of a generated set: what it looks like and, in videos, how it moves."""

    look: Look
    motion: Motion | None = None


class Generated(Strict):
    """Videos, or still images of the looks alone, drawn from a seed."""

    kind: Literal["generated"]
    seed: Annotated[int, Field(ge=0)]
    height: Count
    width: Count
    classes: dict[Name, GeneratedClass]
    groups: Count
    clips: Count
    train_groups: Count

    @model_validator(mode="after")
    def leaves_test_groups(self) -> Self:
        if self.train_groups >= self.groups:
            raise ValueError("train_groups must be smaller than groups, or no group is left to test on")
        return self


class Folder(Strict):
    """Videos (or images) that the user has: class folders, or a CSV that lists them."""

    kind: Literal["folder"]
    folder: str
    list: str | None = None


class Mirror(Strict):
    """Where an archive can be had, and what is known of it: its bytes, and one checksum.

    Sources of one archive may hold the same videos in different bytes, a ZIP and a RAR for instance.
    """

    url: Annotated[str, Field(pattern=r"^https?://")]
    size: Count | None = None
    sha256: SHA256 | None = None
    md5: MD5 | None = None

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if self.name in ("", ".", ".."):
            raise ValueError("the url must end in the name of a file")
        if self.sha256 and self.md5:
            raise ValueError("give sha256 or md5, not both")
        return self

    @property
    def name(self) -> str:
        """The file's name, which is the end of the url."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name


class Archive(Strict):
    """An archive and its sources, the preferred one first."""

    sources: Annotated[list[Mirror], Field(min_length=1)]


class Origin(Strict):
    """Where files are to be had: the sources of an archive, or the folder that the user has them in."""

    sources: list[Mirror] = Field(default_factory=list)
    folder: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def is_one_of_two(self) -> Self:
        if bool(self.sources) == bool(self.folder):
            raise ValueError("give either `sources` (to fetch an archive) or `folder` (where you have it)")
        return self

    @property
    def archive(self) -> Archive:
        """The archive of these sources, where there is no folder."""
        return Archive(sources=self.sources)


class Official(Strict):
    """A published dataset, or some of its videos, and the lists that say which videos are in which split.

    `subset` is a CSV that lists the videos, if not all are wanted; if it says all that the official lists
    say of them, these may be left out.
    """

    kind: Literal["official"]
    protocol: Literal["ucf101", "hmdb51"]
    subset: Annotated[str, Field(min_length=1)] | None = None
    videos: Origin
    lists: Origin | None = None

    @model_validator(mode="after")
    def has_lists(self) -> Self:
        if self.lists is None and self.subset is None:
            raise ValueError("say under `lists` where the official lists are; only a `subset` may do without")
        return self


OFFICIAL_SPLITS = 3


DataSource = Annotated[Generated | Folder | Official, Field(discriminator="kind")]


class Dataset(Strict):
    """Videos or images, their splits, and into how many shards they are packed."""

    media: Literal["videos", "images"] = "videos"
    source: DataSource
    splits: Count
    shards: Count
    auxiliary: Name | None = None

    @model_validator(mode="after")
    def moves(self) -> Self:
        if isinstance(self.source, Generated) and self.media == "videos":
            still = [name for name, c in self.source.classes.items() if c.motion is None]
            if still:
                raise ValueError(f"videos need a motion for each class; none for {', '.join(still)}")
        return self

    @model_validator(mode="after")
    def is_as_published(self) -> Self:
        if isinstance(self.source, Official):
            if self.splits != OFFICIAL_SPLITS:
                raise ValueError(f"an official dataset has {OFFICIAL_SPLITS} splits: say `splits: 3`")
            if self.media != "videos":
                raise ValueError("an official dataset holds videos: leave `media` out")
        return self


class Roles(Strict):
    """Which datasets of this scale stand for those of the paper; there may be one alone."""

    primary: Name
    secondary: Name | None = None

    def dataset(self, role: Literal["primary", "secondary"]) -> str | None:
        """The dataset that has a role, if one has."""
        return self.primary if role == "primary" else self.secondary


class Frames(Strict):
    """How frames are stored: shorter side in px, JPEG quality."""

    short_side: Count
    quality: Annotated[int, Field(ge=1, le=100)]


class BroxSettings(Strict):
    """Parameters of Brox et al. (2004), for intensities in [0, 1].

    alpha: weight of the smoothness term. gamma: weight of the gradient constancy relative to
    brightness constancy. scale: size of a pyramid level relative to the next finer one.
    smallest_side: no level but the full-size one has a shorter side, in pixels. inner_iterations:
    updates of the robust weights per level. solver_iterations: red-black SOR sweeps per update.
    omega: over-relaxation.
    """

    alpha: Annotated[float, Field(gt=0)] = 0.197
    gamma: Annotated[float, Field(ge=0)] = 50.0
    scale: Annotated[float, Field(gt=0, lt=1)] = 0.8
    smallest_side: Count = 16
    inner_iterations: Count = 5
    solver_iterations: Count = 10
    omega: Annotated[float, Field(gt=0, lt=2)] = 1.95


FlowAlgorithmName = Literal["brox", "tvl1", "farneback", "dis"]
FLOW_ALGORITHMS: tuple[FlowAlgorithmName, ...] = get_args(FlowAlgorithmName)
# The others compute on the CPU, whatever the device.
ON_GPU: frozenset[FlowAlgorithmName] = frozenset({"brox"})


class Flow(Strict):
    """How flow is computed, and stored as JPEG."""

    method: FlowAlgorithmName
    encoding: Literal["range", "clip20"]
    quality: Annotated[int, Field(ge=1, le=100)]
    brox: BroxSettings = BroxSettings()

    @property
    def module(self) -> str:
        """The name of the algorithm's module."""
        return f"twostream.flow.algorithms.{self.method}"

    def of_its_algorithm(self) -> "Flow":
        """Return the settings with those of other algorithms at their defaults, as nothing reads them."""
        fields = type(self).model_fields
        others = fields.keys() & set(FLOW_ALGORITHMS) - {self.method}
        return self.model_copy(update={name: fields[name].get_default() for name in others})


class Convolution(Strict):
    """A convolution, followed by ReLU, and by normalisation and 3x3 pooling if it says so."""

    channels: Count
    kernel: Count
    stride: Count = 1
    padding: Annotated[int, Field(ge=0)] = 0
    normalised: bool = False
    pooled: bool = False


class Network(Strict):
    """The layers below the softmax layer."""

    convolutions: Annotated[list[Convolution], Field(min_length=1)]
    full: list[Count]
    normalisation: Literal["local_response", "batch"]


Library = Literal["torchvision", "timm"]


class Backbone(Strict):
    """A network of a library, by its name there, in place of our own layers."""

    backbone: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    library: Library = "torchvision"


NETWORK_KINDS = ("layers", "backbone")


def _kind_of_network(given: Any) -> str:
    named = isinstance(given, Backbone) or (isinstance(given, dict) and "backbone" in given)
    return NETWORK_KINDS[named]


NetworkSettings = Annotated[
    Annotated[Network, Tag("layers")] | Annotated[Backbone, Tag("backbone")],
    Discriminator(_kind_of_network),
]


class StillImages(Strict):
    """Weights trained here, on the still images of a dataset, for the network of that name."""

    kind: Literal["images"]
    dataset: Name
    network: Name = "spatial"


Format = Literal["caffe", "torchvision", "timm"]
Colour = Annotated[list[float], Field(min_length=3, max_length=3)]


class Colours(Strict):
    """What a network's publishers made of R, G, B in 0..255: less `mean`, divided by `deviation`."""

    mean: Colour
    deviation: Annotated[list[Positive], Field(min_length=3, max_length=3)]


class PackagedFile(Strict):
    """A file that a Python package brings along: the package's name, the file's, and its SHA-256."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    file: Annotated[str, Field(min_length=1)]
    sha256: SHA256


class PublishedWeights(Strict):
    """Weights that others published, for the network of that name.

    `name` names the model that is made of them. They are fetched from `sources`, or are a `file` of the
    user's, or of a `package`.
    """

    kind: Format
    name: Name
    network: Name = "spatial"
    sources: list[Mirror] = Field(default_factory=list)
    file: Annotated[str, Field(min_length=1)] | None = None
    package: PackagedFile | None = None
    colours: Colours | None = None

    @model_validator(mode="after")
    def has_one_origin(self) -> Self:
        if sum(map(bool, (self.sources, self.file, self.package))) != 1:
            raise ValueError(
                "give one of `sources` (to fetch the file), `file` (where you have it) and `package`"
                " (an installed one that holds it)"
            )
        if self.colours and self.kind == "caffe":
            raise ValueError("colours are for backbones: those of Caffe models are known")
        return self


def weights_must_fit(weights: Format, network: NetworkSettings) -> None:
    """Raise ValueError if a network's weights cannot come from a file of this format."""
    if isinstance(network, Backbone):
        if weights != network.library:
            raise ValueError(f"pretrained.kind {weights} is not for a backbone of {network.library}")
        return
    if weights != "caffe":
        raise ValueError(f"pretrained.kind {weights} is for a backbone, and caffe for a network of layers")
    if network.normalisation == "batch":
        raise ValueError("pretrained.kind caffe is for networks without batch normalisation")
    if network.convolutions[0].padding:
        # Caffe pads its first layer with the mean colour of its images, and we with that of ours.
        raise ValueError("pretrained.kind caffe is for networks whose first convolution has no padding")


class Training(Strict):
    """What all trainings share: batch (videos), crop (px), SGD, jitter of colours.

    flow_short_side: the shorter side (px) that a crop of flow is measured against; if not given, that of
    frames. rgb_jitter: standard deviation, of 255, of a number added to each colour. pca_lighting: standard
    deviation of the coefficient of each principal component of colours (Krizhevsky et al. 2012, section 4.1).
    biases_as_caffe: biases learn at twice the rate and do not decay.
    """

    batch: Annotated[int, Field(ge=2)]
    crop: Count
    flow_short_side: Count | None = None
    momentum: Fraction
    weight_decay: Annotated[float, Field(ge=0)]
    biases_as_caffe: bool = False
    rgb_jitter: Annotated[float, Field(ge=0)]
    pca_lighting: Annotated[float, Field(ge=0)] = 0.0


class Schedule(Strict):
    """A learning rate, divided by ten after each of `drops` iterations."""

    rate: Positive
    drops: list[Count]
    iterations: Count


class Schedules(Strict):
    """The schedule of each kind of training."""

    pretraining: Schedule
    scratch: Schedule
    finetuning: Schedule
    last_layer: Schedule


class Testing(Strict):
    """Inputs a video, at equal spacing, and crops of each (section 4, testing)."""

    frames: Count
    views: Literal[2, 10]


class SVM(Strict):
    """The costs C that cross-validation over so many folds chooses from, by the one-standard-error rule."""

    costs: Annotated[list[Positive], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]


Pretrained = Annotated[StillImages | PublishedWeights, Field(discriminator="kind")]


class Scale(Strict):
    """All that a file in config/scale sets."""

    datasets: dict[Name, Dataset]
    roles: Roles
    frames: Frames
    flow: Flow
    networks: Annotated[dict[Name, NetworkSettings], Field(min_length=1)]
    pretrained: Pretrained
    training: Training
    schedules: Schedules
    testing: Testing
    svm: SVM

    @field_validator("networks", mode="before")
    @classmethod
    def resolve_names(cls, networks: Any) -> Any:
        """Put the settings of a network in place of its name, where another is said to be like it."""
        if not isinstance(networks, dict):
            return networks
        own = {name: settings for name, settings in networks.items() if not isinstance(settings, str)}
        unknown = [name for name, other in networks.items() if isinstance(other, str) and other not in own]
        if unknown:
            raise ValueError(f"{unknown[0]}: is to be like {networks[unknown[0]]!r}, which has no settings")
        return {name: own[other] if isinstance(other, str) else other for name, other in networks.items()}

    def short_side(self, reads: Literal["frames", "flow"]) -> int:
        """Return the shorter side (px) that a crop of frames or of flow is measured against."""
        own = self.training.flow_short_side if reads == "flow" else None
        return own or self.frames.short_side

    @model_validator(mode="after")
    def crop_fits(self) -> Self:
        if self.training.crop > self.frames.short_side:
            raise ValueError("training.crop must not be larger than frames.short_side")
        if self.training.crop > self.short_side("flow"):
            raise ValueError("training.crop must not be larger than training.flow_short_side")
        return self

    @model_validator(mode="after")
    def pretrained_fits(self) -> Self:
        name = self.pretrained.network
        if name not in self.networks:
            raise ValueError(f"pretrained.network: {no_network(name, self)}")
        if isinstance(self.pretrained, PublishedWeights):
            weights_must_fit(self.pretrained.kind, self.networks[name])
        return self


def no_network(name: str, scale: Scale) -> str:
    """Return what to say of a name that no network of a scale has."""
    return f"there is no network {name!r}; networks: {', '.join(scale.networks)}"

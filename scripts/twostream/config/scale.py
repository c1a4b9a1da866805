"""What a file in config/scale holds: the data, the networks, the schedules; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from twostream.config.flow import Flow, FlowAlgorithmName
from twostream.config.networks import NetworkSettings, Pretrained, PublishedWeights, weights_must_fit
from twostream.config.sources import Dataset
from twostream.config.types import Count, Fraction, Name, Positive, Strict, given_as

DatasetName = Annotated[Name, given_as("a dataset")]


class Roles(Strict):
    """Which datasets of this scale stand for those of the paper; there may be one alone."""

    primary: DatasetName
    """The dataset that stands for UCF-101 in the tables."""
    secondary: DatasetName | None = None
    """The dataset that stands for HMDB-51 in the tables."""

    def dataset(self, role: Literal["primary", "secondary"]) -> str | None:
        """The dataset that has a role, if one has."""
        return self.primary if role == "primary" else self.secondary


class Frames(Strict):
    """How frames are stored."""

    short_side: Count
    """Frames are rescaled so that their shorter side has so many pixels; crops of flow, which is kept at the
    video's own size, are rescaled alike, unless `training.flow_short_side` says otherwise."""
    quality: Annotated[int, Field(ge=1, le=100)]
    """The quality of the JPEG files."""


class Training(Strict):
    """What all trainings share."""

    batch: Annotated[int, Field(ge=2)]
    """Videos in a batch; tasks share it out equally."""
    crop: Count
    """Side of the square input, at most `frames.short_side`."""
    flow_short_side: Count | None = None
    """A crop of flow covers `crop` of so many pixels of the field's shorter side, whatever its size; not
    given: as many as `frames.short_side`, so that both streams see equal parts of a video. 240 cuts 224 x 224
    px out of 320 x 240, without resampling."""
    momentum: Fraction
    """The momentum of SGD."""
    weight_decay: Annotated[float, Field(ge=0)]
    """The weight decay of SGD."""
    biases_as_caffe: bool = False
    """Whether biases learn at twice the rate and without weight decay, as in Caffe's published networks; else
    they are like weights."""
    rgb_jitter: Annotated[float, Field(ge=0)]
    """Standard deviation of the number added to each colour of a training input, of 255."""
    pca_lighting: Annotated[float, Field(ge=0)] = 0.0
    """Standard deviation (AlexNet: 0.1) of the coefficient of each of ImageNet's principal components of
    colour, which are added to a training input (Krizhevsky et al. 2012, section 4.1); 0: none."""


class Schedule(Strict):
    """A learning rate, and how it falls."""

    rate: Positive
    """The learning rate."""
    drops: Annotated[list[Count], given_as("a list of iterations")]
    """The rate is divided by ten after each of these iterations."""
    iterations: Count
    """How many iterations the training has."""


class Schedules(Strict):
    """The schedule of each kind of training."""

    pretraining: Schedule
    """For the network that is trained on still images (`pretrained.kind: images`)."""
    scratch: Schedule
    """For a run from scratch."""
    finetuning: Schedule
    """For a run that starts from other weights."""
    last_layer: Schedule
    """For one that starts from other weights, and trains the last layer alone."""


class Testing(Strict):
    """Inputs a video, at equal spacing, and crops of each (section 4, testing)."""

    frames: Count
    """How many inputs a video, at equal spacing."""
    views: Literal[2, 10]
    """Crops of each: 2 (centre and its mirror image) or 10 (four corners too)."""


class SVM(Strict):
    """How the SVM's cost is chosen: by cross-validation and the one-standard-error rule."""

    costs: Annotated[list[Positive], Field(min_length=1), given_as("a list of numbers above 0")]
    """The costs C that cross-validation over groups of the training part chooses from. Chosen is the smallest
    C whose accuracy is within one standard error (over folds) of the best."""
    folds: Annotated[int, Field(ge=2)]
    """The folds of that cross-validation."""


def _or_the_name_of_another(schema: dict[str, Any]) -> None:
    """Let a schema have what `resolve_names` takes."""
    networks = schema["patternProperties"]
    for pattern, network in networks.items():
        networks[pattern] = {"anyOf": [network, {"type": "string"}]}


class Scale(Strict):
    """All that a file in config/scale sets."""

    datasets: dict[Name, Dataset]
    """Videos and images, each dataset under a name of letters, digits and `_`."""
    roles: Roles
    """Which datasets stand for the paper's; there may be one alone."""
    frames: Frames
    """How frames are stored."""
    flow: Flow
    """How flow is computed and stored."""
    networks: Annotated[
        dict[Name, NetworkSettings], Field(min_length=1, json_schema_extra=_or_the_name_of_another)
    ]
    """Networks by name; a name in place of a network's keys says that it is like that one."""
    pretrained: Pretrained
    """What runs with `initialisation: images` start from."""
    training: Training
    """What all trainings share."""
    schedules: Schedules
    """How long each kind of training takes, at which rates."""
    testing: Testing
    """What of each test video is scored."""
    svm: SVM
    """How runs are fused by an SVM."""

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

    def flow_by(self, algorithm: FlowAlgorithmName | None) -> Flow:
        """Return how flow is computed by an algorithm, all else as the scale says; by its own without one."""
        return self.flow.model_copy(update={"method": algorithm}) if algorithm else self.flow

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

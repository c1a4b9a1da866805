"""What a file in config/scale holds: the data, the networks, the schedules; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from twostream.config.flow import Flow, FlowAlgorithmName
from twostream.config.networks import NetworkSettings, Pretrained, PublishedWeights, weights_must_fit
from twostream.config.sources import Dataset
from twostream.config.types import Count, Fraction, Name, Positive, Strict


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


def _or_the_name_of_another(schema: dict[str, Any]) -> None:
    """Let a schema have what `resolve_names` takes."""
    networks = schema["patternProperties"]
    for pattern, network in networks.items():
        networks[pattern] = {"anyOf": [network, {"type": "string"}]}


class Scale(Strict):
    """All that a file in config/scale sets."""

    datasets: dict[Name, Dataset]
    roles: Roles
    frames: Frames
    flow: Flow
    networks: Annotated[
        dict[Name, NetworkSettings], Field(min_length=1, json_schema_extra=_or_the_name_of_another)
    ]
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

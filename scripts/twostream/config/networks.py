"""A scale's networks, and the weights that those of images start from."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from twostream.config.sources import Mirror
from twostream.config.types import SHA256, Count, Name, Positive, Strict, UserPath


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
    file: UserPath | None = None
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


Pretrained = Annotated[StillImages | PublishedWeights, Field(discriminator="kind")]

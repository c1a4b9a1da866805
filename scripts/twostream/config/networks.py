"""A scale's networks, and the weights that those of images start from."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from twostream.config.sources import Mirror
from twostream.config.types import SHA256, Count, Name, Positive, Strict, UserPath, given_as


class Convolution(Strict):
    """A convolution, followed by ReLU, and by normalisation and 3x3 pooling if it says so."""

    channels: Count
    """How many channels it gives."""
    kernel: Count
    """The side of its kernel, in pixels."""
    stride: Count = 1
    """By how many pixels the kernel moves."""
    padding: Annotated[int, Field(ge=0)] = 0
    """How many pixels are added on each side."""
    normalised: bool = False
    """Whether a normalisation follows."""
    pooled: bool = False
    """Whether pooling follows: 3x3, stride 2, ceil mode."""


class Network(Strict):
    """The layers below the softmax layer."""

    convolutions: Annotated[list[Convolution], Field(min_length=1)]
    """The layers, each followed by ReLU."""
    full: Annotated[list[Count], given_as("a list of widths")]
    """Widths of the fully connected layers before the softmax layer, each followed by the run's dropout."""
    normalisation: Literal["local_response", "batch"]
    """`local_response` (AlexNet's, as the paper; the temporal network lacks the second) or `batch` (after the
    convolutions with `normalised: true` and each fully connected layer)."""


Library = Literal["torchvision", "timm"]


class Backbone(Strict):
    """A network of a library, by its name there, in place of our own layers."""

    backbone: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), given_as("a model of the library")]
    """A classification model by its name in `library` (`make pretrained` installs both), `resnet50` for
    instance. Its last layer makes room for the run's dropout and softmax layer; where that is a convolution
    (SqueezeNet), what is below it is averaged over the picture. Its other dropout is switched off; for flow,
    its first convolution gets more channels. Not for models that give several outputs (`googlenet`,
    `inception_v3`), nor for slow fusion."""
    library: Library = "torchvision"
    """Whose model it is."""


NETWORK_KINDS = ("layers", "backbone")


def _kind_of_network(given: Any) -> str:
    named = isinstance(given, Backbone) or (isinstance(given, dict) and "backbone" in given)
    return NETWORK_KINDS[named]


NetworkSettings = Annotated[
    Annotated[Network, Tag("layers")] | Annotated[Backbone, Tag("backbone")],
    Discriminator(_kind_of_network),
]


NetworkName = Annotated[Name, given_as("a network")]


class StillImages(Strict):
    """Weights trained here, on the still images of a dataset, for the network of that name."""

    kind: Literal["images"]
    """The network is trained here on a dataset."""
    dataset: Annotated[Name, given_as("a dataset")]
    """The dataset that it is trained on, which has `media: images`."""
    network: NetworkName = "spatial"
    """Which of `networks` it is for."""


Format = Literal["caffe", "torchvision", "timm"]
Colour = Annotated[list[float], Field(min_length=3, max_length=3), given_as("three numbers")]
Deviation = Annotated[list[Positive], Field(min_length=3, max_length=3), given_as("three numbers above 0")]


class Colours(Strict):
    """What a network's publishers made of R, G, B in 0..255: less `mean`, divided by `deviation`."""

    mean: Colour
    """What is taken from R, G and B, of 255."""
    deviation: Deviation
    """What they are then divided by, of 255."""


class PackagedFile(Strict):
    """A file that a Python package brings along."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"), given_as("a package")]
    """The package's name."""
    file: Annotated[str, Field(min_length=1), given_as("a path in it")]
    """The file in it."""
    sha256: SHA256
    """The file's checksum."""


class PublishedWeights(Strict):
    """Weights that others published: fetched from `sources`, or a `file` of the user's, or of a `package`."""

    kind: Format
    """`caffe`: a Caffe model (`.caffemodel`) of just the layers of the network, named conv1, conv2, ... and
    then, counting on, fc6, fc7; trained on B, G, R from 0 to 255 less 103.939, 116.779, 123.68. Without batch
    normalisation, and without padding in the first convolution. A run on frames that trains all layers from
    it trains the first one as Caffe would: its weights are 58 times Caffe's, as our inputs are 58 times
    smaller, so they learn at 58^2 times the rate, with 1/58^2 of the decay. `torchvision`, `timm`: a state
    dict (`.pth`) of the backbone of that library, for any number of classes. If its weights have other names,
    but are as many, of the same kinds and shapes and in the same order, they are taken in order."""
    name: Name
    """Names the model, `models/pretrained/<name>.safetensors`, and what is fetched, `data/archives/<name>/`.
    Give other weights another name: the place they come from is no part of any spec."""
    network: NetworkName = "spatial"
    """Which of `networks` it is for."""
    sources: list[Mirror] = Field(default_factory=list)
    """Where from: a list of `url`, each with `size` (bytes) and `sha256` or `md5` if known; tried in turn.
    What is not known is recorded in `config/checksums/<name>.json` at the first download, and checked ever
    after."""
    file: UserPath | None = None
    """In place of `sources`: the file, if you have it."""
    package: PackagedFile | None = None
    """In place of `sources`: an installed Python package that holds it. No code of the package is run."""
    colours: Colours | None = None
    """For backbones: what R, G and B were made of that the weights were trained on (less the mean, divided by
    the deviation). Without it, what the library says of its own weights of that model. A step before the
    first layer makes these colours of ours; it does not learn, and flow does not go through it."""

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

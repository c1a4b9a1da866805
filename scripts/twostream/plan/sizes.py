"""How large the things are that the configuration names: a dataset's videos, a network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from twostream import paths
from twostream.config.benchmark import Run
from twostream.config.scale import Backbone, Dataset, Generated, NetworkSettings, Official
from twostream.provenance.records import read_record


@dataclass(frozen=True)
class Videos:
    """How many videos (or images), frames of each on average, and pixels of a frame."""

    count: int
    frames: int
    pixels: int


# The user's are taken to be like UCF-101's, images like ImageNet's, until they are indexed and counted.
OFFICIAL = {"ucf101": Videos(13_320, 194, 320 * 240), "hmdb51": Videos(6_766, 93, 320 * 240)}
USERS = {"videos": OFFICIAL["ucf101"], "images": Videos(1_281_167, 1, 500 * 375)}
DRAWN_FRAMES = 31  # of a generated video: 26 to 35.


def videos_of(name: str, dataset: Dataset, indexed: Mapping[str, int]) -> Videos:
    """Return what a dataset holds; `indexed` has the number of videos of each one that is indexed."""
    source = dataset.source
    if isinstance(source, Generated):
        frames = DRAWN_FRAMES if dataset.media == "videos" else 1
        count = len(source.classes) * source.groups * source.clips
        return Videos(count, frames, source.height * source.width)
    like = OFFICIAL[source.protocol] if isinstance(source, Official) else USERS[dataset.media]
    return Videos(indexed.get(name, like.count), like.frames, like.pixels)


def videos_indexed(datasets: Iterable[str]) -> dict[str, int]:
    """Return how many videos each dataset has that is indexed."""
    records = {name: read_record(paths.INDEX.format(dataset=name)) for name in datasets}
    return {name: record["videos"] for name, record in records.items() if record and "videos" in record}


@dataclass(frozen=True)
class NetworkSize:
    """A network's weights, and for one input the values its convolutions give, and all multiplications."""

    weights: float
    values: float
    products: float


# A backbone's layers are torchvision's to know, which planning does not load: this is VGG-16, a large one.
BACKBONE, BACKBONE_SIDE = NetworkSize(weights=138e6, values=15e6, products=15.5e9), 224
# Of frames, which the first convolution of slow fusion sees; the later ones see fewer.
SLOW_FUSION_GROUPS = 4


def channels(run: Run) -> int:
    """Return the number of channels of a run's input (as `inputs.channels`, which needs torch)."""
    return run.input.length * (3 if run.input.kind == "frames" else 2)


def network_size(settings: NetworkSettings, run: Run, crop: int) -> NetworkSize:
    """Return the size of a run's network, less its softmax layer, for inputs of `crop` px."""
    if isinstance(settings, Backbone):
        share = (crop / BACKBONE_SIDE) ** 2
        return NetworkSize(BACKBONE.weights, BACKBONE.values * share, BACKBONE.products * share)
    side, width = crop, channels(run)
    weights = values = products = 0
    for layer in settings.convolutions:
        side = (side + 2 * layer.padding - layer.kernel) // layer.stride + 1
        kernels = width * layer.channels * layer.kernel**2
        weights += kernels
        products += kernels * side**2
        values += layer.channels * side**2
        width = layer.channels
        if layer.pooled:
            side = ceil((side - 3) / 2) + 1
    width *= side**2
    for units in settings.full:
        weights += width * units
        products += width * units
        width = units
    groups = SLOW_FUSION_GROUPS if run.input.is_slow_fusion else 1
    return NetworkSize(weights, values * groups, products * groups)

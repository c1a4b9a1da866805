"""How large the networks are that the configuration names, and the frames that they see."""

from dataclasses import dataclass
from math import ceil

from twostream.config.benchmark import Run
from twostream.config.networks import Backbone, NetworkSettings
from twostream.networks.input_format import channels

MB = 1_000_000
FLOAT = 4  # bytes


@dataclass(frozen=True)
class NetworkSize:
    """A network's weights, and what one input takes.

    values: those that its convolutions give. columns: those that they gather, each as often as a kernel
    covers it. products: all multiplications.
    """

    weights: float
    values: float
    columns: float
    products: float


# A backbone's layers are its library's to know, which planning does not load: of those that a scale names,
# for inputs of that side; others are taken to be as large as VGG-16, a large one. A test compares them.
BACKBONES = {
    "tf_efficientnet_lite0": NetworkSize(
        weights=3_328_992, values=6_737_696, columns=37_757_440, products=383_907_552
    )
}
OTHER_BACKBONE = NetworkSize(weights=138e6, values=15e6, columns=82e6, products=15.5e9)
BACKBONE_SIDE = 224
# That of `networks.network`, which planning does not load either; a test compares the two.
SLOW_FUSION = ((5, 2), (2, 2), (2, 1))


def network_size(settings: NetworkSettings, run: Run, crop: int) -> NetworkSize:
    """Return the size of a run's network, less its softmax layer, for inputs of `crop` px."""
    if isinstance(settings, Backbone):
        size, share = BACKBONES.get(settings.backbone, OTHER_BACKBONE), (crop / BACKBONE_SIDE) ** 2
        return NetworkSize(size.weights, size.values * share, size.columns * share, size.products * share)
    fused = SLOW_FUSION if run.input.is_slow_fusion else ()
    # A convolution of slow fusion sees groups of frames, each by the same weights; others see all at once.
    groups = run.input.length if fused else 1
    side, width = crop, channels(run.input) // groups
    weights = values = columns = products = 0
    for number, layer in enumerate(settings.convolutions):
        if number < len(fused):
            extent, stride = fused[number]
            groups, width = (groups - extent) // stride + 1, width * extent
        side = (side + 2 * layer.padding - layer.kernel) // layer.stride + 1
        covered, places = width * layer.kernel**2, side**2 * groups
        weights += covered * layer.channels
        values += places * layer.channels
        columns += places * covered
        products += places * covered * layer.channels
        width = layer.channels
        if layer.pooled:
            side = ceil((side - 3) / 2) + 1
    width *= side**2
    for units in settings.full:
        weights += width * units
        products += width * units
        width = units
    return NetworkSize(weights, values, columns, products)


def pixels_at(short_side: int) -> int:
    """Return the pixels of a frame with this shorter side (px): 4:3 is what most videos of the paper have."""
    return ceil(short_side**2 * 4 / 3)

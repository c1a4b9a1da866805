"""How large the networks are that the configuration names."""

from dataclasses import dataclass
from math import ceil

from twostream.config.benchmark import Run
from twostream.config.networks import Backbone, NetworkSettings
from twostream.networks.input_format import channels


@dataclass(frozen=True)
class NetworkSize:
    """A network's weights, and for one input the values its convolutions give, and all multiplications."""

    weights: float
    values: float
    products: float


# A backbone's layers are its library's to know, which planning does not load: this is VGG-16, a large one.
BACKBONE, BACKBONE_SIDE = NetworkSize(weights=138e6, values=15e6, products=15.5e9), 224
# Of frames, which the first convolution of slow fusion sees; the later ones see fewer.
SLOW_FUSION_GROUPS = 4


def network_size(settings: NetworkSettings, run: Run, crop: int) -> NetworkSize:
    """Return the size of a run's network, less its softmax layer, for inputs of `crop` px."""
    if isinstance(settings, Backbone):
        share = (crop / BACKBONE_SIDE) ** 2
        return NetworkSize(BACKBONE.weights, BACKBONE.values * share, BACKBONE.products * share)
    side, width = crop, channels(run.input)
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

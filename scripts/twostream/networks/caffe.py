"""Weights of a network that was trained with Caffe, as VGG_CNN_M_2048.caffemodel was published.

OpenCV reads the file. Caffe's networks see B, G, R in 0 to 255 less a mean; ours see R, G, B normalised
(`input_format`), so the first convolution is changed to give on our inputs what it gave on Caffe's.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from twostream.config.streams import PIXEL_MEAN, PIXEL_SCALE
from twostream.files import UserError
from twostream.networks.network import StreamNetwork

# R, G, B; the mean over ImageNet that the publishers of the VGG networks give.
CAFFE_MEAN = (123.68, 116.779, 103.939)


def caffe_weights(file: Path, network: StreamNetwork) -> dict[str, Tensor]:
    """Return the weights of a spatial `network` without heads from a Caffe model of the same layers.

    Its layers are conv1, conv2, ... and, counted on from there, fc6, fc7. They take fully connected
    inputs in the order channel, row, column, as ours do. The first convolution must have no padding:
    Caffe pads with its mean, and no weights can make up for another one.

    Raises UserError if the file is no Caffe model, or if a layer is missing or has another shape.
    """
    layers = _layers(network)
    found = _read(file, list(layers.values()))
    weights = {}
    for prefix, layer in layers.items():
        for kind, values in zip(("weight", "bias"), found[layer], strict=True):
            key = f"{prefix}.{kind}"
            weights[key] = _in_shape(values, network.state_dict()[key].shape, f"{layer} ({kind})", file)
    first = next(iter(layers))
    weights |= _for_our_colours(first, weights[f"{first}.weight"], weights[f"{first}.bias"])
    return weights


def _layers(network: StreamNetwork) -> dict[str, str]:
    """Return Caffe's name for each of our layers with weights, in order."""
    convolutions = [name for name, _ in network.features.named_children() if name.startswith("conv")]
    names = {f"features.{name}": name for name in convolutions}
    count = len(convolutions)
    return names | {f"full.{i}.0": f"fc{count + i + 1}" for i in range(len(network.full))}


def _read(file: Path, layers: list[str]) -> dict[str, list[np.ndarray]]:
    """Return weights and biases of the named layers, as they lie in the file."""
    # OpenCV finds weights by a layer's name. As convolutions, layers of any kind keep their shape.
    text = 'input: "data" input_dim: 1 input_dim: 3 input_dim: 1 input_dim: 1\n'
    for layer in layers:
        text += f'layer {{ name: "{layer}" type: "Convolution" bottom: "data" top: "{layer}"'
        text += " convolution_param { num_output: 1 kernel_size: 1 } }\n"
    with tempfile.TemporaryDirectory() as folder:
        prototxt = Path(folder) / "layers.prototxt"
        prototxt.write_text(text)
        try:
            net = cv2.dnn.readNetFromCaffe(str(prototxt), str(file))
        except cv2.error as error:
            raise UserError(f"{file}: cannot be read as a Caffe model: {error.err}") from None
    return {layer: _blobs(net, layer, file) for layer in layers}


def _blobs(net: cv2.dnn.Net, layer: str, file: Path) -> list[np.ndarray]:
    try:
        return [net.getParam(layer, number) for number in (0, 1)]
    except cv2.error:
        raise UserError(f"{file}: has no layer {layer} with weights and biases") from None


def _in_shape(values: np.ndarray, wanted: torch.Size, layer: str, file: Path) -> Tensor:
    """Return weights without the leading and trailing 1s that Caffe or OpenCV adds to their shape."""
    shape = list(values.shape)
    while len(shape) > len(wanted) and 1 in (shape[0], shape[-1]):
        shape.pop(0 if shape[0] == 1 else -1)
    if shape != list(wanted):
        has, needs = (" x ".join(map(str, sizes)) for sizes in (shape, wanted))
        raise UserError(f"{file}: {layer} is {has}, and should be {needs} for this scale's network and crop")
    return torch.from_numpy(values.reshape(wanted))


def _for_our_colours(layer: str, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    """Return a first layer's weights and biases for R, G, B that are normalised as ours are."""
    weight = weight.flip(1).double()
    between_means = torch.tensor(PIXEL_MEAN, dtype=torch.float64) - torch.tensor(CAFFE_MEAN)
    # A Caffe input is PIXEL_SCALE times ours, plus what lies between the means.
    shift = (weight * between_means[:, None, None]).sum(dim=(1, 2, 3))
    return {
        f"{layer}.weight": (weight * PIXEL_SCALE).float(),
        f"{layer}.bias": (bias.double() + shift).float(),
    }

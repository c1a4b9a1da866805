"""Caffe models, written here byte by byte, against OpenCV's own forward pass."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from caffe_files import Blobs, caffemodel

from twostream.config.loading import parse
from twostream.config.networks import Network
from twostream.config.streams import KINDS
from twostream.files import UserError
from twostream.networks.caffe import caffe_weights
from twostream.networks.network import StreamNetwork
from twostream.networks.published_weights import ONE_FRAME
from twostream.training.squares import normalise
from twostream.training.stackings.frames import jittered

# Two normalisations, sides that ceil and floor mode pool differently, and two full layers.
WITH_NORMALISATION = {
    "normalisation": "local_response",
    "convolutions": [
        {"channels": 6, "kernel": 5, "stride": 2, "normalised": True, "pooled": True},
        {"channels": 8, "kernel": 3, "padding": 1, "normalised": True, "pooled": True},
        {"channels": 7, "kernel": 3, "padding": 1},
    ],
    "full": [9, 5],
}
SMALLEST = {
    "normalisation": "local_response",
    "convolutions": [{"channels": 1, "kernel": 3}],
    "full": [4],
}
CROP = 35


def network_settings(content: dict) -> Network:
    return parse(Network, content, "test")


def built(content: dict) -> StreamNetwork:
    return StreamNetwork(network_settings(content), ONE_FRAME, {}, CROP).eval()


def random_blobs(content: dict) -> Blobs:
    """Weights such that the normalisations count: what reaches them is of the order of 100."""
    rng = np.random.default_rng(0)
    blobs: Blobs = {}
    inputs, side = 3, CROP
    for number, layer in enumerate(network_settings(content).convolutions, 1):
        shape = (layer.channels, inputs, layer.kernel, layer.kernel)
        weights = rng.normal(0, 2 / np.sqrt(np.prod(shape[1:])), shape)
        blobs[f"conv{number}"] = ("Convolution", [weights, rng.normal(0, 5, layer.channels)])
        inputs = layer.channels
        side = (side + 2 * layer.padding - layer.kernel) // layer.stride + 1
        side = -(-(side - 3) // 2) + 1 if layer.pooled else side
    inputs *= side**2
    for number, width in enumerate(content["full"], len(content["convolutions"]) + 1):
        weights = rng.normal(0, 1 / np.sqrt(inputs), (width, inputs))
        blobs[f"fc{number}"] = ("InnerProduct", [weights, rng.normal(0, 0.1, width)])
        inputs = width
    return blobs


# --- The reference: OpenCV runs the model by a deploy file like the published one ---


def layer(name: str, kind: str, below: str, **settings: object) -> str:
    params = " ".join(
        f"{key} {{ {' '.join(f'{k}: {v}' for k, v in values.items())} }}" for key, values in settings.items()
    )
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{below}" top: "{name}" {params} }}\n'


def normalisation(number: int, k: int) -> Iterator[tuple[str, str, dict]]:
    """AlexNet's local response normalisation, for which OpenCV's lacks k = 2: it computes with 1.

    x / (2 + a s)^b is 2^-b x / (1 + a/2 s)^b, so half of Caffe's alpha and a factor do the same.
    """
    shared = {"local_size": 5, "beta": 0.75, "k": k}
    if k == 1:
        yield f"norm{number}", "LRN", {"lrn_param": shared | {"alpha": 0.00025}}
        yield f"scale{number}", "Power", {"power_param": {"scale": 2**-0.75}}
    else:
        yield f"norm{number}", "LRN", {"lrn_param": shared | {"alpha": 0.0005}}


def deploy(content: dict, k: int = 1) -> str:
    text = f'input: "data" input_dim: 1 input_dim: 3 input_dim: {CROP} input_dim: {CROP}\n'
    layers: list[tuple[str, str, dict]] = []
    for number, c in enumerate(network_settings(content).convolutions, 1):
        shape = {"num_output": c.channels, "kernel_size": c.kernel, "stride": c.stride, "pad": c.padding}
        layers.append((f"conv{number}", "Convolution", {"convolution_param": shape}))
        layers.append((f"relu{number}", "ReLU", {}))
        if c.normalised:
            layers += normalisation(number, k)
        if c.pooled:
            pooling = {"pool": "MAX", "kernel_size": 3, "stride": 2}
            layers.append((f"pool{number}", "Pooling", {"pooling_param": pooling}))
    for number, width in enumerate(content["full"], len(content["convolutions"]) + 1):
        layers.append((f"fc{number}", "InnerProduct", {"inner_product_param": {"num_output": width}}))
        layers.append((f"relu{number}", "ReLU", {}))
    below = "data"
    for name, kind, settings in layers:
        text += layer(name, kind, below, **settings)
        below = name
    return text


def opencvs(model: Path, text: str, images: np.ndarray) -> np.ndarray:
    """The last hidden layer by OpenCV of RGB images [batch, 3, h, w], fed as Caffe's networks were."""
    prototxt = model.with_suffix(".prototxt")
    prototxt.write_text(text)
    net = cv2.dnn.readNetFromCaffe(str(prototxt), str(model))
    mean = np.array([103.939, 116.779, 123.68], np.float32)[:, None, None]
    net.setInput(images[:, ::-1].astype(np.float32) - mean)
    return net.forward()


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (4, 3, CROP, CROP)).astype(np.uint8)


def write(path: Path, blobs: Blobs, v1: bool = True) -> Path:
    path.write_bytes(caffemodel(blobs, v1))
    return path


@pytest.mark.parametrize("v1", [True, False], ids=["V1LayerParameter", "LayerParameter"])
@pytest.mark.parametrize("content", [WITH_NORMALISATION, SMALLEST], ids=["normalised", "smallest"])
def test_a_converted_network_gives_what_opencv_gives(tmp_path, images, content, v1):
    file = write(tmp_path / "net.caffemodel", random_blobs(content), v1)
    network = built(content)
    network.load_state_dict(caffe_weights(file, network))
    stored = torch.from_numpy(images)[:, None]
    frames = jittered(stored, torch.zeros(0), torch.zeros(4, 3), ONE_FRAME.input)
    inputs = normalise(frames, KINDS["frames"], CROP)
    made = network.hidden(inputs).detach().numpy()
    expected = opencvs(file, deploy(content), images)
    assert (expected > 0).mean() > 0.2 and expected.std() > 0.1
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5 * expected.max())


def test_opencv_computes_normalisation_without_caffes_k(tmp_path, images):
    """Why the reference is adapted: once OpenCV honours k, it can be had as published."""
    file = write(tmp_path / "net.caffemodel", random_blobs(WITH_NORMALISATION))
    two, seven = (opencvs(file, deploy(WITH_NORMALISATION, k), images) for k in (2, 7))
    assert (two == seven).all()
    assert np.abs(two / opencvs(file, deploy(WITH_NORMALISATION), images).clip(1e-6) - 1).max() > 0.1


def test_a_missing_layer_is_named(tmp_path):
    blobs = random_blobs(WITH_NORMALISATION)
    del blobs["conv2"]
    file = write(tmp_path / "net.caffemodel", blobs)
    with pytest.raises(UserError, match=r"net\.caffemodel: has no layer conv2"):
        caffe_weights(file, built(WITH_NORMALISATION))


@pytest.mark.parametrize(
    ("name", "part", "shape", "said"),
    [
        ("conv1", 0, (6, 3, 7, 7), r"conv1 \(weight\) is 6 x 3 x 7 x 7, and should be 6 x 3 x 5 x 5"),
        ("conv3", 1, (5,), r"conv3 \(bias\) is 5, and should be 7"),
        ("fc4", 0, (9, 80), r"fc4 \(weight\) is 9 x 80, and should be 9 x 112"),
        ("fc5", 0, (8, 9), r"fc5 \(weight\) is 8 x 9, and should be 5 x 9"),
    ],
)
@pytest.mark.parametrize("v1", [True, False])
def test_a_layer_of_another_shape_is_named_with_both_shapes(tmp_path, name, part, shape, said, v1):
    blobs = random_blobs(WITH_NORMALISATION)
    blobs[name][1][part] = np.zeros(shape)
    file = write(tmp_path / "net.caffemodel", blobs, v1)
    with pytest.raises(UserError, match=rf"net\.caffemodel: {said}"):
        caffe_weights(file, built(WITH_NORMALISATION))


@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", b"\x12\xff"])
def test_another_kind_of_file_is_refused(tmp_path, content):
    file = tmp_path / "net.caffemodel"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"net\.caffemodel: "):
        caffe_weights(file, built(SMALLEST))

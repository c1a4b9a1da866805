"""Model files: safetensors with a description, so that a file says by itself what it is."""

import json
from pathlib import Path

import torch
from pydantic import BaseModel, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from twostream.config.benchmark import Run
from twostream.config.networks import NetworkSettings
from twostream.config.streams import STREAMS
from twostream.files import UserError, atomic_write
from twostream.networks.network import StreamNetwork, first_convolution

COLOUR_STEP = "features.colours."


class Description(BaseModel):
    """What is needed to rebuild a network and to feed it."""

    run: Run
    network: NetworkSettings
    crop: int
    short_side: int
    heads: dict[str, list[str]]

    def build(self) -> StreamNetwork:
        """Return a network of this description, with random weights."""
        heads = {name: len(classes) for name, classes in self.heads.items()}
        return StreamNetwork(self.network, self.run, heads, self.crop)


def save_model(network: StreamNetwork, description: Description, path: str | Path) -> None:
    """Write weights and description; equal networks give equal bytes."""
    # One key, as safetensors does not keep the order of several.
    # The network is described by its layers, so that which name the scale has for it changes no byte.
    described = description.model_dump(exclude={"run": {"network"}})
    metadata = {"description": json.dumps(described, sort_keys=True)}
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    with atomic_write(path) as part:
        # It would be its owner's alone to read, whatever the umask.
        part.touch()
        mode = part.stat().st_mode
        save_file(weights, part, metadata)
        part.chmod(mode)


def load_model(path: str | Path) -> tuple[StreamNetwork, Description]:
    """Return a saved network and its description; raise UserError if the file is no such model."""
    weights, description = _read(path)
    network = description.build()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"{path}: is not a model of this project: {error}") from None
    return network, description


def copy_hidden_layers(path: str | Path, network: StreamNetwork) -> None:
    """Copy all layers below the heads from a saved model; raise UserError if they do not fit.

    A stream may have the first layer of another stream's model averaged over its channels, and that
    repeated for each of its own: the temporal one that of a model of frames, which has colours.
    """
    weights, description = _read(path)
    weights = {name: value for name, value in weights.items() if not name.startswith("heads.")}
    own = network.state_dict()
    first = f"{first_convolution(network)}.weight"
    averaged = STREAMS[network.stream].averages_first_layer and description.run.stream != network.stream
    if averaged and first in weights:
        weights |= _averaged(weights, own, first)
    try:
        network.load_state_dict({name: own[name] for name in own if name.startswith("heads.")} | weights)
    except RuntimeError as error:
        raise UserError(f"{path}: its layers do not fit this run: {error}") from None


def _averaged(weights: dict[str, Tensor], own: dict[str, Tensor], first: str) -> dict[str, Tensor]:
    """Return the first layer for another kind of channels, which no step to anyone's colours comes before.

    Its weights are those that it would have without that step, for colours as our networks see them.
    """
    step = {name: value for name, value in own.items() if name.startswith(COLOUR_STEP)}
    scale = weights.get(f"{COLOUR_STEP}scale", torch.ones(1, 1, 1))
    mean = (weights[first] * scale).mean(dim=1, keepdim=True)
    return step | {first: mean.expand(-1, own[first].shape[1], -1, -1)}


def _read(path: str | Path) -> tuple[dict[str, Tensor], Description]:
    try:
        # What stands against reading it, safetensors does not say.
        with open(path, "rb"), safe_open(path, "pt") as file:
            description = Description.model_validate_json(file.metadata()["description"])
            return {name: file.get_tensor(name) for name in file.keys()}, description  # noqa: SIM118
    except (OSError, KeyError, TypeError, ValidationError, SafetensorError) as error:
        raise UserError(f"{path}: is not a model of this project: {error}") from None

"""Networks of torchvision in place of our own: their layers, and their published weights.

torchvision is imported where it is used, as that takes seconds.
"""

import copy
import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from twostream.config.streams import PIXEL_MEAN, PIXEL_SCALE
from twostream.files import UserError

IMAGENET_CLASSES = 1000


def backbone_features(name: str, channels: int, crop: int) -> tuple[nn.Module, int]:
    """Return a torchvision model without its last linear layer, and how many values it then gives.

    The model has random weights, takes inputs of `channels` channels and `crop` x `crop` px, and drops
    nothing out. Raises UserError if torchvision has no such model, or if the model gives several
    outputs, ends in something else than a linear layer, or does not take such inputs.
    """
    features, _, width = _without_last_layer(name)
    _take_channels(features, channels)
    _switch_off_dropout(features)
    _try_out(name, features, width, (2, channels, crop, crop))
    return features, width


def torchvision_weights(file: Path, name: str) -> dict[str, Tensor]:
    """Return weights of `backbone_features(name, 3, ...)` from a file (.pth) with torchvision's own.

    The file holds a state dict of the whole model, its last layer for any number of classes. The first
    convolution is rescaled so that it takes our colours in place of torchvision's. Raises UserError if
    the weights do not fit the model, or were made for colours that no rescaling can give.
    """
    features, last_layer, _ = _without_last_layer(name)
    weights = {k: v for k, v in _state_dict(file).items() if k.rpartition(".")[0] != last_layer}
    try:
        features.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(f"{file}: does not hold the weights of torchvision's {name}: {error}") from None
    first, _ = _first_convolution(features)
    kernel = features.get_parameter(f"{first}.weight")
    kernel.data *= _rescaling(name)[:, None, None]
    return features.state_dict()


def _state_dict(file: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise UserError(f"{file}: holds no state dict, that is, weights alone by the names of their layers")
    return content


def _rescaling(name: str) -> Tensor:
    """Return by what the weights of each colour grow when its input is normalised as ours is.

    The means are the same, so this is all there is to it, also where an image is padded with zeros.
    """
    from torchvision.models import get_model_weights

    preset = get_model_weights(name).DEFAULT.transforms()
    mean, deviation = (
        255 * torch.tensor(values, dtype=torch.float64) for values in (preset.mean, preset.std)
    )
    if not torch.allclose(mean, torch.tensor(PIXEL_MEAN, dtype=torch.float64)):
        raise UserError(f"torchvision's weights of {name} are for colours less another mean than ImageNet's")
    return (PIXEL_SCALE / deviation).float()


def _without_last_layer(name: str) -> tuple[nn.Module, str, int]:
    """Return a model with nothing in place of its last linear layer, that layer's name, and its width."""
    import torchvision

    if name not in torchvision.models.list_models(module=torchvision.models):
        raise UserError(f"network.backbone: torchvision has no classification model {name!r}")
    model = torchvision.models.get_model(name, weights=None, num_classes=IMAGENET_CLASSES)
    linear = [(path, layer) for path, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    if not linear or linear[-1][1].out_features != IMAGENET_CLASSES:
        raise UserError(f"network.backbone: {name} does not end in a linear layer, which it must")
    path, last = linear[-1]
    _replace(model, path, nn.Identity())
    return model, path, last.in_features


def _take_channels(features: nn.Module, channels: int) -> None:
    path, old = _first_convolution(features)
    if old.in_channels == channels:
        return
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    nn.init.kaiming_normal_(new.weight, nonlinearity="relu")
    _replace(features, path, new)


def _switch_off_dropout(features: nn.Module) -> None:
    """Leave a run's own dropout, before the heads, as the only one."""
    from torchvision.ops import StochasticDepth

    for layer in features.modules():
        if isinstance(layer, nn.Dropout | StochasticDepth):
            layer.p = 0.0


def _try_out(name: str, features: nn.Module, width: int, shape: tuple[int, ...]) -> None:
    """Raise UserError unless training inputs of this shape give one row of `width` values each."""
    shapes_only = copy.deepcopy(features).to("meta").train()
    try:
        made = shapes_only(torch.empty(shape, device="meta"))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise UserError(
            f"network.backbone: {name} does not take inputs of {shape[-1]} x {shape[-1]} px"
            f" (training.crop): {error}"
        ) from None
    if not isinstance(made, Tensor) or made.shape != (shape[0], width):
        raise UserError(f"network.backbone: {name} gives several outputs; choose a model that gives one")


def _first_convolution(model: nn.Module) -> tuple[str, nn.Conv2d]:
    return next((path, layer) for path, layer in model.named_modules() if isinstance(layer, nn.Conv2d))


def _replace(model: nn.Module, path: str, layer: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, layer)

"""Published weights of backbones: state dicts, as PyTorch's users share them (.pth)."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from twostream.files import UserError
from twostream.networks.backbones import LIBRARIES
from twostream.networks.colours import step_to

if TYPE_CHECKING:
    from twostream.config.networks import Backbone, Colours


def backbone_weights(file: Path, backbone: Backbone, colours: Colours | None) -> dict[str, Tensor]:
    """Return weights of `backbone_features(backbone, 3, ...)` from a file with a state dict of the model.

    The state dict is that of the whole model, its last layer for any number of classes. `colours` are those
    that it was trained on; without them, those of the library's own weights. If its names are not the
    model's, but there are as many weights, of the same shapes in the same order, they are taken in order.
    Raises UserError if the weights do not fit.
    """
    library, name = LIBRARIES[backbone.library], backbone.backbone
    model, found = library.without_classes(name, 3), _state_dict(file)
    whole: dict[str, Tensor] = library.whole_model(name).state_dict()
    classes = whole.keys() - model.state_dict().keys()
    renamed = _renamed_in_order(found, whole, classes)
    try:
        model.load_state_dict({k: v for k, v in (renamed or found).items() if k not in classes})
    except RuntimeError as error:
        raise UserError(
            f"{file}: does not hold the weights of {backbone.library}'s {name}: {error}"
        ) from None
    if colours:
        mean, deviation = colours.mean, colours.deviation
    else:
        mean, deviation = ([255 * value for value in values] for values in library.colours(name))
    step = {f"colours.{k}": v for k, v in step_to(mean, deviation).items()}
    return step | {f"model.{k}": v for k, v in model.state_dict().items()}


def _renamed_in_order(
    found: dict[str, Tensor], whole: dict[str, Tensor], classes: set[str]
) -> dict[str, Tensor] | None:
    """Return weights by the names of a model; None if their own are these, or if the orders do not agree.

    What each layer calls its weights (`weight`, `running_mean`, ...) must agree too, as a layer may have
    several of one shape.
    """
    if len(found) != len(whole) or found.keys() == whole.keys():
        return None
    renamed = dict(zip(whole, found.values(), strict=True))
    pairs = zip(found, whole, strict=True)
    if any(theirs.rpartition(".")[2] != ours.rpartition(".")[2] for theirs, ours in pairs):
        return None
    fits = all(renamed[name].shape == whole[name].shape for name in whole if name not in classes)
    return renamed if fits else None


def _state_dict(file: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{file}: holds no state dict, that is, weights alone by the names of their layers")
    return content

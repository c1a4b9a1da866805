"""Networks of torchvision or timm in place of our own layers: what is below the heads."""

from __future__ import annotations

import copy
from collections import OrderedDict
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from twostream.files import UserError
from twostream.networks import timm_models, torchvision_models
from twostream.networks.colours import ColourStep

if TYPE_CHECKING:
    from twostream.config.networks import Backbone

# Each has `whole_model`, `without_classes` and `colours`.
LIBRARIES: dict[str, ModuleType] = {"torchvision": torchvision_models, "timm": timm_models}


def backbone_features(settings: Backbone, channels: int, crop: int) -> tuple[nn.Module, int]:
    """Return a library's model without its last layer, and how many values it then gives.

    The model has random weights, takes inputs of `channels` channels and `crop` x `crop` px, and drops
    nothing out. Before it comes a `ColourStep`. Raises UserError if the library has no such model, or if
    the model gives several outputs or has no last layer, or does not take such inputs.
    """
    model = LIBRARIES[settings.library].without_classes(settings.backbone, channels)
    _switch_off_dropout(model)
    width = _width(settings.backbone, model, (2, channels, crop, crop))
    return nn.Sequential(OrderedDict(colours=ColourStep(channels), model=model)), width


def _switch_off_dropout(model: nn.Module) -> None:
    """Leave a run's own dropout, before the heads, as the only one."""
    for layer in model.modules():
        if isinstance(layer, nn.Dropout | nn.Dropout2d) or type(layer).__name__ == "StochasticDepth":
            layer.p = 0.0  # type: ignore[assignment]
        for probability in ("drop_prob", "drop_rate"):  # Where timm, and torchvision's DenseNet, keep it.
            if isinstance(getattr(layer, probability, None), float):
                setattr(layer, probability, 0.0)


def _width(name: str, model: nn.Module, shape: tuple[int, ...]) -> int:
    """Return how many values a model gives of each training input; UserError if it is not one row each."""
    shapes_only = copy.deepcopy(model).to("meta").train()
    try:
        made = shapes_only(torch.empty(shape, device="meta"))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise UserError(
            f"backbone: {name} does not take inputs of {shape[-1]} x {shape[-1]} px (training.crop): {error}"
        ) from None
    if not isinstance(made, Tensor) or made.ndim != 2:
        raise UserError(f"backbone: {name} gives several outputs; choose a model that gives one")
    return made.shape[1]

"""Classification models of torchvision, which is imported where it is used, as that takes seconds."""

from __future__ import annotations

from torch import nn

from twostream.files import UserError

IMAGENET_CLASSES = 1000


def whole_model(name: str) -> nn.Module:
    """Return a model for inputs of 3 channels and ImageNet's classes, with random weights."""
    import torchvision

    if name not in torchvision.models.list_models(module=torchvision.models):
        raise UserError(f"backbone: torchvision has no classification model {name!r}")
    model: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=IMAGENET_CLASSES)
    return model


def without_classes(name: str, channels: int) -> nn.Module:
    """Return a model without its last layer, and with a first one for so many channels.

    The last layer is linear, or a convolution (SqueezeNet's), whose outputs the model then averages over the
    picture. Raises UserError if it is neither.
    """
    model = whole_model(name)
    replace(model, _last_layer(name, model), nn.Identity())
    path, old = next((path, layer) for path, layer in model.named_modules() if isinstance(layer, nn.Conv2d))
    if old.in_channels != channels:
        new = nn.Conv2d(
            channels,
            old.out_channels,
            old.kernel_size,  # type: ignore[arg-type]
            old.stride,  # type: ignore[arg-type]
            old.padding,  # type: ignore[arg-type]
            bias=old.bias is not None,
        )
        nn.init.kaiming_normal_(new.weight, nonlinearity="relu")
        replace(model, path, new)
    return model


def colours(name: str) -> tuple[list[float], list[float]]:
    """Return what torchvision's weights see of R, G, B in 0..1: less the first, divided by the second."""
    from torchvision.models import get_model_weights

    preset = get_model_weights(name).DEFAULT.transforms()
    return preset.mean, preset.std


def replace(model: nn.Module, path: str, layer: nn.Module) -> None:
    """Put a layer in place of the one at `path`."""
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, layer)


def _last_layer(name: str, model: nn.Module) -> str:
    layers = [(p, layer) for p, layer in model.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    path, last = layers[-1]
    made = last.out_features if isinstance(last, nn.Linear) else last.out_channels
    if made != IMAGENET_CLASSES:
        raise UserError(f"backbone: {name} does not end in a layer with an output for each class")
    return path

"""Models of timm, which is imported where it is used, as that takes seconds. Nothing is fetched."""

from __future__ import annotations

from torch import nn

from twostream.files import UserError

IMAGENET_CLASSES = 1000


def whole_model(name: str) -> nn.Module:
    """Return a model for inputs of 3 channels and ImageNet's classes, with random weights."""
    return _made(name, 3, IMAGENET_CLASSES)


def without_classes(name: str, channels: int) -> nn.Module:
    """Return a model for so many channels that gives what its last layer would see."""
    return _made(name, channels, 0)


def colours(name: str) -> tuple[list[float], list[float]]:
    """Return what timm's weights see of R, G, B in 0..1: less the first, divided by the second."""
    import timm

    settings = timm.get_pretrained_cfg(name)
    if settings is None:
        raise UserError(f"pretrained.colours: timm does not say them of {name}, so this key must")
    return list(settings.mean), list(settings.std)


def _made(name: str, channels: int, classes: int) -> nn.Module:
    import timm

    if not timm.is_model(name):
        raise UserError(f"backbone: timm has no model {name!r}")
    return timm.create_model(name, pretrained=False, in_chans=channels, num_classes=classes)

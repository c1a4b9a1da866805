"""The colours that published weights were trained on, made of the ones that our networks see."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from twostream.config.streams import PIXEL_MEAN, PIXEL_SCALE


class ColourStep(nn.Module):
    """Multiplies each channel of an input [batch, channels, height, width], and adds to it; learns nothing.

    It comes before the first convolution, and is no part of it: that pads with zeros, which stand for the
    mean colour of whoever trained it. Until weights are loaded it changes nothing.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale: Tensor
        self.shift: Tensor
        self.register_buffer("scale", torch.ones(channels, 1, 1))
        self.register_buffer("shift", torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


def step_to(mean: Sequence[float], deviation: Sequence[float]) -> dict[str, Tensor]:
    """Return the weights of a `ColourStep` from our inputs to those of others.

    Theirs are R, G, B in 0..255 less `mean`, divided by `deviation`.
    """
    ours, theirs, divisor = (torch.tensor(v, dtype=torch.float64) for v in (PIXEL_MEAN, mean, deviation))
    values = {"scale": PIXEL_SCALE / divisor, "shift": (ours - theirs) / divisor}
    return {name: value.float()[:, None, None] for name, value in values.items()}

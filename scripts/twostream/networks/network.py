"""The networks: CNN-M-2048 (Chatfield et al., 2014) in its spatial, temporal and slow-fusion form.

The full scale gives the paper's layers, the default scale fewer and narrower ones; the code is the
same. A model of torchvision or timm can stand in for all layers below the heads. Facts that are easily got
wrong: pooling is in ceil mode, the temporal network lacks the second local response normalisation,
and torch divides that layer's alpha by n, which AlexNet's 1e-4 does not.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from twostream.config.streams import KINDS, STREAMS
from twostream.networks.backbones import backbone_features
from twostream.networks.input_format import channels

if TYPE_CHECKING:
    from twostream.config.benchmark import Run
    from twostream.config.networks import Backbone, Convolution, Network

# Frames that a unit of the first three convolutions sees, and its stride, after Karpathy et al.
# (2014); theirs are 4, 2, 2 on 10 frames, the first is 5 here so that each of 11 counts.
SLOW_FUSION = ((5, 2), (2, 2), (2, 1))


class GroupFrames(nn.Module):
    """Concatenates the channels of `extent` consecutive frames, for each group `stride` apart.

    Input and output are [batch * frames, channels, height, width], the frames of one video in
    order, so that what follows shares its weights over groups.
    """

    def __init__(self, frames: int, extent: int, stride: int) -> None:
        super().__init__()
        self.frames, self.extent, self.stride = frames, extent, stride
        self.groups = (frames - extent) // stride + 1

    def forward(self, x: Tensor) -> Tensor:
        videos = x.unflatten(0, (-1, self.frames)).unfold(1, self.extent, self.stride)
        return videos.movedim(-1, 2).flatten(2, 3).flatten(0, 1)


class StreamNetwork(nn.Module):
    """One stream: convolutions, full6, full7 (or a backbone), and a linear layer for each head (task)."""

    def __init__(self, settings: Network | Backbone, run: Run, heads: dict[str, int], crop: int) -> None:
        """`heads` gives each head's number of classes, `crop` the side of the input in px.

        Raises UserError if a backbone cannot be had, or cannot take such inputs.
        """
        super().__init__()
        self.stream = run.stream
        self.slow_fusion = run.input.is_slow_fusion
        self.frames = run.input.length
        if hasattr(settings, "backbone"):
            self.features, width = backbone_features(settings, channels(run.input), crop)  # type: ignore[arg-type]
            # A layer that does nothing, so that what the heads see is dropped out like other layers.
            self.full = nn.ModuleList([nn.Identity()])
            widths = [width, width]
        else:
            self.features = nn.Sequential(_named_layers(settings, run))
            widths = [self._width(channels(run.input), crop), *settings.full]
            self.full = nn.ModuleList(_full(a, b, settings.normalisation) for a, b in pairwise(widths))
            self.apply(_initialise)
        self.dropout = run.dropout
        self.units = sum(widths[1:])
        self.heads = nn.ModuleDict({name: _head(widths[-1], size) for name, size in heads.items()})
        self._allow_for_dropout()

    def _allow_for_dropout(self) -> None:
        """Shrink the initial weights of each layer whose input is dropped out, by sqrt(1 - dropout).

        Units that are kept are divided by 1 - dropout, so their mean square grows by 1 / (1 - dropout), and
        with it the variance of what follows. Two such layers at dropout 0.9 would start the paper's network
        at a loss of 14, where guessing has 4.6, and the first steps down it silence its last convolution.
        """
        # The first fully connected layer sees the convolutions, which are not dropped out.
        dropped = [layer.get_parameter("0.weight") for layer in self.full[1:]]
        dropped += [head.get_parameter("weight") for head in self.heads.values()]
        with torch.no_grad():
            for weight in dropped:
                weight.mul_(math.sqrt(1 - self.dropout))

    def _width(self, inputs: int, crop: int) -> int:
        """Return how many values the convolutions give for one input."""
        self.features.eval()
        with torch.no_grad():
            width = self._convolve(torch.zeros(1, inputs, crop, crop)).shape[1]
        self.features.train()
        return width

    def _convolve(self, x: Tensor) -> Tensor:
        if self.slow_fusion:
            x = x.unflatten(1, (self.frames, -1)).flatten(0, 1)
        return self.features(x).flatten(1)

    def hidden(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return the last hidden layer (full7), [batch, width], of inputs [batch, channels, h, w].

        `keep` [batch, units] says which units of the fully connected layers, one layer after
        another, are not dropped in training. It comes from outside, drawn for each sample, so that
        a training can be interrupted, and spread over processes, without changing its result.
        """
        x = self._convolve(x)
        first = 0
        for layer in self.full:
            x = layer(x)
            if keep is not None:
                x = x * keep[:, first : first + x.shape[1]] / (1 - self.dropout)
                first += x.shape[1]
        return x

    def forward(self, inputs: dict[str, Tensor], keep: Tensor | None = None) -> dict[str, Tensor]:
        """Return each head's class scores before the softmax, [batch, classes], of its own inputs.

        One pass for all heads: batch normalisation sees the whole batch, as the shared layers do.
        `keep` is that of `hidden`, for all inputs in order.
        """
        x = torch.cat(list(inputs.values())) if len(inputs) > 1 else next(iter(inputs.values()))
        parts = self.hidden(x, keep).split([len(part) for part in inputs.values()])
        return {head: self.heads[head](part) for head, part in zip(inputs, parts, strict=True)}

    def freeze_hidden(self) -> None:
        """Leave only the heads to be trained (the paper's "last layer" setting)."""
        for module in (self.features, self.full):
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> StreamNetwork:
        """Set training mode, in which frozen layers stay in evaluation mode."""
        super().train(mode)
        if not any(p.requires_grad for p in self.features.parameters()):
            self.features.eval()
            self.full.eval()
        return self


def first_convolution(network: StreamNetwork) -> str:
    """Return the name of the layer that sees the network's input."""
    layers = network.features.named_modules(prefix="features")
    return next(name for name, layer in layers if isinstance(layer, nn.Conv2d))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _head(width: int, classes: int) -> nn.Linear:
    head = nn.Linear(width, classes)
    nn.init.normal_(head.weight, std=0.01)
    nn.init.zeros_(head.bias)
    return head


def _full(inputs: int, width: int, normalisation: str) -> nn.Sequential:
    if normalisation == "batch":
        return nn.Sequential(nn.Linear(inputs, width, bias=False), nn.BatchNorm1d(width), nn.ReLU())
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU())


def _named_layers(settings: Network, run: Run) -> OrderedDict[str, nn.Module]:
    """Return the convolutions and what belongs to them, named conv1, relu1, norm1, pool1, conv2, ...

    Names, and not places, tell the layers apart, so that weights fit a stream that lacks one.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    slow_fusion, frames = run.input.is_slow_fusion, run.input.length
    inputs = len(KINDS[run.input.kind].channels) if slow_fusion else channels(run.input)
    single = STREAMS[run.stream].single_normalisation and settings.normalisation != "batch"
    for number, layer in enumerate(settings.convolutions, 1):
        if slow_fusion and number <= len(SLOW_FUSION):
            group = GroupFrames(frames, *SLOW_FUSION[number - 1])
            layers[f"group{number}"] = group
            inputs, frames = inputs * group.extent, group.groups
        normalised = layer.normalised and not (single and number > 1)
        block = _block(inputs, layer, settings.normalisation if normalised else None)
        layers.update((f"{kind}{number}", module) for kind, module in block)
        inputs = layer.channels
    return layers


def _block(inputs: int, layer: Convolution, normalisation: str | None) -> list[tuple[str, nn.Module]]:
    batch = normalisation == "batch"
    shape = (inputs, layer.channels, layer.kernel, layer.stride, layer.padding)
    block: list[tuple[str, nn.Module]] = [("conv", nn.Conv2d(*shape, bias=not batch))]
    if batch:
        block.append(("norm", nn.BatchNorm2d(layer.channels)))
    block.append(("relu", nn.ReLU()))
    if normalisation == "local_response":
        block.append(("norm", nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)))
    if layer.pooled:
        block.append(("pool", nn.MaxPool2d(3, stride=2, ceil_mode=True)))
    return block

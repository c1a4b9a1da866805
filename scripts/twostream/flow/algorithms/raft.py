"""RAFT (Teed & Deng, 2020): torchvision's `raft_small` and `raft_large`, with published or given weights.

It was trained on colours, and gets for each of them the gray frame that all algorithms get, which leaves its
errors as they are (docs/extending.md). On a GPU pairs are computed in batches, in bfloat16 where it has that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from textwrap import shorten
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from twostream import paths
from twostream.devices import mixed_precision, use_device
from twostream.files import UserError, sha256
from twostream.flow.frame_pairs import ordered_pairs

if TYPE_CHECKING:
    from twostream.config.flow import Flow, FlowAlgorithmName

# Sides are padded to a multiple of the encoders' stride. Four levels of correlations take no side below
# SMALLEST (px): smaller frames are enlarged, as to pad them costs 1.3 to 30 times the error.
STRIDE, SMALLEST = 8, 128
# Pairs that go to a GPU at once, if its memory holds so many. On a CPU a batch gains nothing.
GPU_PAIRS = 32


def backend(device: str) -> str:
    """Return what computes on a device."""
    return "torch"


def fields(gray: Iterable[np.ndarray], backward: bool, settings: Flow, device: str) -> Iterator[np.ndarray]:
    """Yield the fields between consecutive frames.

    Raises UserError if the device, torchvision or the weights are not there, or are others.
    """
    place, own = use_device(device), settings.raft
    network = _network(settings.method, own.weights, place)
    at_once = GPU_PAIRS if place.type == "cuda" else 1
    pairs = ordered_pairs(gray, backward)
    while batch := list(islice(pairs, at_once)):
        first, second = (np.stack(frames) for frames in zip(*batch, strict=True))
        yield from _in_parts(network, first, second, own.updates, place)


def _in_parts(
    network: nn.Module, first: np.ndarray, second: np.ndarray, updates: int, device: torch.device
) -> Iterator[np.ndarray]:
    """Yield the fields of a batch, in as many parts as the device's memory makes it take."""
    part, start = len(first), 0
    while start < len(first):
        these = slice(start, start + part)
        try:
            found = flow_between(network, first[these], second[these], updates, device)
        except torch.OutOfMemoryError:
            if part == 1:
                raise
            part = (part + 1) // 2
        else:
            yield from found
            start += part


@torch.no_grad()
def flow_between(
    network: nn.Module, first: np.ndarray, second: np.ndarray, updates: int, device: torch.device
) -> np.ndarray:
    """Return float32 [pairs, height, width, 2] from gray frames, uint8 [pairs, height, width].

    `updates` are those of the field; the network is on the device.
    """
    height, width = first.shape[1:]
    taller, wider = enlarged(height, width)
    top, bottom = _padding(taller)
    left, right = _padding(wider)
    pictures = []
    for frames in (first, second):
        gray = torch.from_numpy(frames).to(device)[:, None].float() / 127.5 - 1
        if taller > height:
            gray = functional.interpolate(gray, (taller, wider), mode="bicubic", align_corners=False)
        padded = functional.pad(gray, (left, right, top, bottom), mode="replicate")
        pictures.append(padded.expand(-1, 3, -1, -1))
    with mixed_precision(device):
        flow = network(*pictures, num_flow_updates=updates)[-1].float()
    flow = flow[:, :, top : top + taller, left : left + wider]
    if taller > height:
        ratio = torch.tensor([width / wider, height / taller], device=device)
        flow = functional.interpolate(flow, (height, width), mode="area") * ratio[:, None, None]
    return flow.permute(0, 2, 3, 1).cpu().numpy()


def enlarged(height: int, width: int) -> tuple[int, int]:
    """Return the size at which frames are looked at: theirs, or one whose shorter side is SMALLEST."""
    factor = max(1.0, SMALLEST / min(height, width))
    return round(factor * height), round(factor * width)


def _padding(side: int) -> tuple[int, int]:
    """Return the pixels to add before and after a side."""
    missing = -side % STRIDE
    return missing // 2, missing - missing // 2


@lru_cache(maxsize=1)
def _network(name: FlowAlgorithmName, digits: str, device: torch.device) -> nn.Module:
    """Return torchvision's network of that name, with its weights, on a device."""
    try:
        from torchvision.models import optical_flow
    except ImportError:
        raise UserError(f"{name}: is torchvision's, which is not installed: `make pretrained`") from None
    file = _weights_file(name, digits)
    network: nn.Module = getattr(optical_flow, name)(weights=None)
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    # A damaged file may lead to any error.
    except Exception as error:  # noqa: BLE001
        why = shorten(str(error) or type(error).__name__, 200, placeholder=" ...")
        raise UserError(f"{file}: does not hold the weights of torchvision's {name}: {why}") from None
    if not all(values.isfinite().all() for values in network.state_dict().values()):
        raise UserError(f"{file}: holds weights that are not finite; put another copy of it there")
    return network.eval().to(device)


def _weights_file(name: FlowAlgorithmName, digits: str) -> Path:
    """Return the file whose SHA-256 begins with these digits; it is fetched if it is the published one.

    By the digits the recipe says which weights are meant, so it does not matter who put the file there, or
    under which name.
    """
    from twostream.provenance.locks import locked

    folder = weights_folder(name)
    # Of jobs that run side by side, one fetches it.
    with locked(folder):
        found = weights_here(name)
        for file, checksum in found.items():
            if checksum.startswith(digits):
                return file
        if digits.startswith(_published(name)[1]):
            return _fetch(name, digits)
    here = "".join(f"\n  {file}: {checksum[:8]}" for file, checksum in found.items()) or " none"
    raise UserError(
        f"{folder}: put the weights there whose SHA-256 begins with {digits} (`flow.{name}.weights`), or a"
        f" link to them; files of weights there, by their digits:{here}"
    )


def weights_here(name: FlowAlgorithmName) -> dict[Path, str]:
    """Return the files of weights that lie here for a network, each with its SHA-256."""
    return {file: sha256(file) for file in sorted(weights_folder(name).glob("*.pth")) if file.is_file()}


def weights_folder(name: FlowAlgorithmName) -> Path:
    """Return where the weights of a network are fetched to, or put by the user."""
    return Path(paths.ARCHIVES.format(dataset=name))


def _published(name: FlowAlgorithmName) -> tuple[str, str]:
    """Return where torchvision's weights are, and what by the file's name its SHA-256 begins with."""
    from twostream.config.flow import RAFT_WEIGHTS

    url = RAFT_WEIGHTS[name]
    return url, PurePosixPath(url).stem.rpartition("-")[2]


def _fetch(name: FlowAlgorithmName, digits: str) -> Path:
    from twostream.config.sources import Archive, Mirror
    from twostream.downloads import fetch

    (url, _), folder = _published(name), weights_folder(name)
    known = Path(paths.CHECKSUMS.format(dataset=name))
    try:
        file = fetch(Archive(sources=[Mirror(url=url)]), folder, known)
    except UserError as error:
        raise UserError(f"{error}\nThe file that you have, or a link to it, goes into {folder}.") from None
    if not (found := sha256(file)).startswith(digits):
        file.unlink()
        known.unlink()
        raise UserError(
            f"{url}: its SHA-256 is {found}, and should begin with {digits}; the file was deleted"
        )
    return file

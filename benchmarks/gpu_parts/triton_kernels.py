"""The Triton kernel, compiled for this GPU, against PyTorch; and batches of many small fields."""

from collections.abc import Callable

import torch

from gpu_parts import brox
from gpu_parts.moving_pictures import smooth_pair
from gpu_parts.place import Place
from gpu_parts.timing import rate
from twostream.devices import use_device
from twostream.flow.brox_torch import BYTES_PER_PIXEL, HalfSweep, brox_flow_batch, half_sweep_eager

# More than rounding does to a displacement, in px, when it is relaxed once; and in a whole flow.
ONCE, WHOLE = 1e-4, 1e-3
OMEGA = 1.95


def measure(place: Place) -> None:
    """Compare half-sweeps at odd and usual sizes, then batches of many small fields, then speed."""
    device, sizes = use_device(place.device), place.sizes
    by_triton = brox.triton_half_sweep(place.device)
    place.said("how it runs", _how(device))
    for height, width in ((1, 1), (5, 1), (1, 4), (37, 61), (sizes.height, sizes.width)):
        _compare(place, by_triton, (3, height, width), device)
    many = (sizes.many, sizes.many_side, sizes.many_side)
    _compare(place, by_triton, many, device)
    _many_pairs(place, by_triton, many, device)
    _time(place, by_triton, (sizes.pairs[-2], sizes.height, sizes.width), device)


def _how(device: torch.device) -> str:
    if device.type == "cpu":
        return "interpreted on the CPU"
    major, minor = torch.cuda.get_device_capability(device)
    return f"compiled for compute capability {major}.{minor}"


def _compare(place: Place, by_triton: HalfSweep, shape: tuple[int, ...], device: torch.device) -> None:
    """Relax all pixels once by each, and compare."""
    what = f"half-sweeps, {_fields(shape)}"
    with place.skipping(what):
        flow, system = _random_system(shape, device)
        expected = flow.clone()
        for colour in (0, 1):
            half_sweep_eager(expected, system, colour, OMEGA)
            by_triton(flow, system, colour, OMEGA)
        _judge(place, what, flow, expected, ONCE)


def _many_pairs(place: Place, by_triton: HalfSweep, shape: tuple[int, ...], device: torch.device) -> None:
    """Compute whole flow of many small pairs at once: the same few, again and again."""
    what = f"Brox, {_fields(shape)}"
    count, height, width = shape
    few = [smooth_pair(seed, height, width, 1.0) for seed in range(10)]
    needed = BYTES_PER_PIXEL * count * height * width
    if device.type == "cuda" and needed > torch.cuda.mem_get_info(device)[0]:
        return place.skipped(what, f"needs {needed / 1e9:.1f} GB of the GPU's memory")
    with place.skipping(what), brox.relaxing_by(by_triton):
        first, second = brox.stacked(few, device)
        expected = brox_flow_batch(first, second, brox.settings(place))
        times = -(-count // len(few))
        many = [frames.repeat(times, 1, 1)[:count] for frames in (first, second)]
        found = brox_flow_batch(*many, brox.settings(place))
        _judge(place, what, found, expected.repeat(times, 1, 1, 1)[:count], WHOLE)


def _time(place: Place, by_triton: HalfSweep, shape: tuple[int, ...], device: torch.device) -> None:
    flow, system = _random_system(shape, device)

    def calls(half_sweep: HalfSweep) -> Callable[[], None]:
        return lambda: half_sweep(flow, system, 0, 1.0)

    sweeps = {"Triton": by_triton, "PyTorch": half_sweep_eager}
    figures = {
        f"microseconds by {name}": 1e6 / rate(calls(half_sweep), device, place.sizes.seconds)
        for name, half_sweep in sweeps.items()
    }
    place.measured(f"a half-sweep, {_fields(shape)}", figures)


def _random_system(shape: tuple[int, ...], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return random displacements, and the weights of a linear system as `half_sweep_eager` takes them."""
    count, height, width = shape
    torch.manual_seed(0)
    flow = torch.randn(count, 2, height, width, device=device)
    system = torch.rand(count, 7, height, width, device=device) + 0.1
    system[:, 0, :, -1] = system[:, 1, -1] = 0
    return flow, system


def _judge(place: Place, what: str, found: torch.Tensor, expected: torch.Tensor, tolerance: float) -> None:
    apart = (found - expected).abs().max().item()
    # Not `apart > tolerance`, which NaN is not.
    wrong = "" if apart <= tolerance else f"more than {tolerance} px apart"
    place.measured(what, {"px apart at most": apart}, wrong)


def _fields(shape: tuple[int, ...]) -> str:
    count, height, width = shape
    return f"{count:,} field{'s' * (count > 1)} of {height} x {width}"

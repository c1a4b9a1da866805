"""The red-black half-sweep of `brox_torch` as one Triton kernel."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]
from torch import Tensor

_BLOCK = 256

if not os.access(Path("~").expanduser(), os.W_OK):
    # Triton keeps what it has compiled in the home, and fails where it cannot.
    os.environ.setdefault("TRITON_CACHE_DIR", str(Path(tempfile.gettempdir(), f"triton-{os.getuid()}")))


def half_sweep(flow: Tensor, system: Tensor, colour: int, omega: float) -> None:
    """Same as `brox_torch.half_sweep_eager`, for contiguous tensors."""
    batch, _, height, width = flow.shape
    blocks = triton.cdiv(height * ((width + 1) // 2), _BLOCK)
    # All on the grid's first axis, as the others end at 65,535 and a batch of small fields may not. Triton
    # launches on the current device, which need not be that of the tensors.
    with torch.cuda.device_of(flow):
        _half_sweep_kernel[(batch * blocks,)](
            flow, system, colour, omega, height, width, blocks, block=_BLOCK
        )


@triton.jit
def _half_sweep_kernel(  # type: ignore[no-untyped-def]
    flow, system, colour, omega, height, width, blocks, block: tl.constexpr
):
    program = tl.program_id(0)
    pair = (program // blocks).to(tl.int64)
    index = (program % blocks) * block + tl.arange(0, block)
    half = (width + 1) // 2
    y = index // half
    x = 2 * (index % half) + (y + colour) % 2
    inside = (y < height) & (x < width)
    has_left, has_right = inside & (x > 0), inside & (x < width - 1)
    has_above, has_below = inside & (y > 0), inside & (y < height - 1)

    plane = height * width
    at = y * width + x
    u, v = flow + pair * 2 * plane + at, flow + (pair * 2 + 1) * plane + at
    right = system + pair * 7 * plane + at
    down, cross = right + plane, right + 2 * plane
    step_u, step_v = right + 3 * plane, right + 4 * plane
    rhs_u, rhs_v = right + 5 * plane, right + 6 * plane

    to_left = tl.load(right - 1, mask=has_left, other=0.0)
    to_right = tl.load(right, mask=has_right, other=0.0)
    to_above = tl.load(down - width, mask=has_above, other=0.0)
    to_below = tl.load(down, mask=has_below, other=0.0)
    coupling = tl.load(cross, mask=inside, other=0.0)
    old_u = tl.load(u, mask=inside, other=0.0)
    old_v = tl.load(v, mask=inside, other=0.0)

    sum_u = tl.load(rhs_u, mask=inside, other=0.0)
    sum_u += to_left * tl.load(u - 1, mask=has_left, other=0.0)
    sum_u += to_right * tl.load(u + 1, mask=has_right, other=0.0)
    sum_u += to_above * tl.load(u - width, mask=has_above, other=0.0)
    sum_u += to_below * tl.load(u + width, mask=has_below, other=0.0)
    sum_v = tl.load(rhs_v, mask=inside, other=0.0)
    sum_v += to_left * tl.load(v - 1, mask=has_left, other=0.0)
    sum_v += to_right * tl.load(v + 1, mask=has_right, other=0.0)
    sum_v += to_above * tl.load(v - width, mask=has_above, other=0.0)
    sum_v += to_below * tl.load(v + width, mask=has_below, other=0.0)

    step = omega * tl.load(step_u, mask=inside, other=0.0)
    new_u = (1 - omega) * old_u + step * (sum_u - coupling * old_v)
    step = omega * tl.load(step_v, mask=inside, other=0.0)
    new_v = (1 - omega) * old_v + step * (sum_v - coupling * new_u)
    tl.store(u, new_u, mask=inside)
    tl.store(v, new_v, mask=inside)

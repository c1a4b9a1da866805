"""How large the parts are: full on a GPU, and small on a CPU, where the check itself is what is tried."""

import os
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Sizes:
    """Pictures in px, batches in pairs or inputs, rates in seconds that each is measured for."""

    height: int = 240
    width: int = 320
    displacements: tuple[float, ...] = (1, 3, 6, 10)
    """The largest displacement in px of each pair that moves smoothly; two more have an occlusion."""
    inner_iterations: int = 10
    solver_iterations: int = 10
    pairs: tuple[int, ...] = (1, 16, 64, 256)
    many: int = 70_000
    """Fields in a batch, more than the 65,535 at which the second axis of a GPU's grid ends."""
    many_side: int = 16
    seconds: float = 2.5
    batch: int = 256
    crop: int = 224
    videos: int = 4
    """Videos that the data loader reads, each of so many frames."""
    frames: int = 26
    workers: int = min(16, os.cpu_count() or 1)
    clips: int = 16
    """Videos that flow is extracted from."""
    iterations: int = 400
    """Of the training that is killed."""


FULL = Sizes()
SMALL = replace(
    FULL,
    height=32,
    width=40,
    displacements=(1,),
    inner_iterations=1,
    solver_iterations=2,
    pairs=(1, 2),
    many=20,
    seconds=0.1,
    batch=4,
    crop=64,
    videos=2,
    frames=12,
    workers=1,
    clips=2,
    iterations=60,
)
SIZES = {"full": FULL, "small": SMALL}

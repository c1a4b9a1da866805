"""How a scale's flow is computed and stored."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from twostream.config.types import Count, Strict, given_as


class BroxSettings(Strict):
    """Parameters of Brox et al. (2004), for intensities in [0, 1]."""

    alpha: Annotated[float, Field(gt=0)] = 0.197
    """The weight of smoothness."""
    gamma: Annotated[float, Field(ge=0)] = 50.0
    """The weight of the constancy of gradients against that of brightness, for intensities from 0 to 1."""
    scale: Annotated[float, Field(gt=0, lt=1)] = 0.8
    """Of the pyramid: each level's size relative to the next finer one."""
    smallest_side: Count = 16
    """Of the pyramid: the shortest side (px) of a level, but for the full size."""
    inner_iterations: Count = 5
    """Updates of the robust weights a level; 3 is faster, 5 more accurate, 10 what users of OpenCV's CUDA
    implementation passed."""
    solver_iterations: Count = 10
    """Red-black SOR sweeps an update."""
    omega: Annotated[float, Field(gt=0, lt=2)] = 1.95
    """The over-relaxation of the SOR sweeps."""


ChecksumStart = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8,64}$"), given_as("8 to 64 hexadecimal digits, in quotes")
]


class RaftSettings(Strict):
    """Settings of RAFT (Teed & Deng, 2020)."""

    weights: ChecksumStart
    """What the SHA-256 of the file with the weights begins with."""
    updates: Count = 12
    """How often RAFT updates a field."""


class SmallRaftSettings(RaftSettings):
    """Those of the smaller one."""

    weights: ChecksumStart = "01064c6d"
    """What the SHA-256 of the file with the weights begins with; by default torchvision's, which are fetched.
    Any other lies in `data/archives/raft_small/`."""


class LargeRaftSettings(RaftSettings):
    """Those of the larger one."""

    weights: ChecksumStart = "ff5fadd5"
    """The same of the larger one; any others than torchvision's lie in `data/archives/raft_large/`."""


# Where torchvision's default weights are; a file's name ends with what its SHA-256 begins with.
RAFT_WEIGHTS = {
    "raft_small": "https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth",
    "raft_large": "https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth",
}


@dataclass(frozen=True)
class Algorithm:
    """What is asked of a flow algorithm before it computes.

    module: that of `flow/algorithms` which has it. on_gpu: whether it computes on a GPU; the others compute
    on the CPU, whatever the device. slower: how many times as long as Brox by 10 inner iterations it takes on
    a CPU, decoding and encoding included, as measured (docs/flow.md, docs/extending.md).
    """

    module: str
    slower: float
    on_gpu: bool = False


FlowAlgorithmName = Literal["brox", "tvl1", "farneback", "dis", "raft_small", "raft_large"]
FLOW_ALGORITHMS: tuple[FlowAlgorithmName, ...] = get_args(FlowAlgorithmName)
ALGORITHMS: dict[FlowAlgorithmName, Algorithm] = {
    "brox": Algorithm("brox", slower=1.0, on_gpu=True),
    "tvl1": Algorithm("tvl1", slower=40.0),  # Of lively frames; a quarter of it and less where little moves.
    "farneback": Algorithm("farneback", slower=0.37),
    "dis": Algorithm("dis", slower=0.94),
    "raft_small": Algorithm("raft", slower=15.0, on_gpu=True),
    "raft_large": Algorithm("raft", slower=54.0, on_gpu=True),
}


class Flow(Strict):
    """How flow is computed, and stored as JPEG."""

    method: FlowAlgorithmName
    """`brox` (Brox et al. 2004, as the paper: numba on a CPU, PyTorch in batches on a GPU), OpenCV's `tvl1`,
    `farneback`, `dis` on the CPU, or torchvision's `raft_small` and `raft_large` (PyTorch, in batches on a
    GPU; [docs/extending.md](../docs/extending.md#raft-weights) has where their weights come from)."""
    short_side: Count | None = None
    """The shorter side (px) that frames are rescaled to before their flow is computed; left out, they stay as
    they are. Displacements are then in pixels of that size."""
    encoding: Literal["range", "clip20"]
    """`range`: each component is rescaled from its own range in the field, which is kept beside it; `clip20`:
    clipped to +-20 px, 128 is zero, as others publish it."""
    quality: Annotated[int, Field(ge=1, le=100)]
    """The quality of the JPEG files."""
    brox: BroxSettings = BroxSettings()
    """How Brox flow is computed."""
    raft_small: SmallRaftSettings = SmallRaftSettings()
    """The smaller RAFT's weights and updates."""
    raft_large: LargeRaftSettings = LargeRaftSettings()
    """The larger RAFT's."""

    @property
    def module(self) -> str:
        """The name of the algorithm's module."""
        return f"twostream.flow.algorithms.{ALGORITHMS[self.method].module}"

    @property
    def raft(self) -> RaftSettings:
        """The settings of the RAFT that computes it."""
        found = getattr(self, self.method)
        assert isinstance(found, RaftSettings)
        return found

    @model_serializer(mode="wrap")
    def _without_other_rafts(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave RAFT's settings out of records where it does not compute, as before it came."""
        content: dict[str, Any] = dump(self)
        return {k: v for k, v in content.items() if k not in RAFT_WEIGHTS or k == self.method}

    def of_its_algorithm(self) -> "Flow":
        """Return the settings with those of other algorithms at their defaults, as nothing reads them."""
        fields = type(self).model_fields
        others = fields.keys() & set(FLOW_ALGORITHMS) - {self.method}
        return self.model_copy(update={name: fields[name].get_default() for name in others})

"""How a scale's flow is computed and stored."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from twostream.config.types import Count, Strict


class BroxSettings(Strict):
    """Parameters of Brox et al. (2004), for intensities in [0, 1].

    alpha: weight of the smoothness term. gamma: weight of the gradient constancy relative to
    brightness constancy. scale: size of a pyramid level relative to the next finer one.
    smallest_side: no level but the full-size one has a shorter side, in pixels. inner_iterations:
    updates of the robust weights per level. solver_iterations: red-black SOR sweeps per update.
    omega: over-relaxation.
    """

    alpha: Annotated[float, Field(gt=0)] = 0.197
    gamma: Annotated[float, Field(ge=0)] = 50.0
    scale: Annotated[float, Field(gt=0, lt=1)] = 0.8
    smallest_side: Count = 16
    inner_iterations: Count = 5
    solver_iterations: Count = 10
    omega: Annotated[float, Field(gt=0, lt=2)] = 1.95


class RaftSettings(Strict):
    """Settings of RAFT (Teed & Deng, 2020).

    weights: what the SHA-256 of the file with them begins with. updates: how often the field is updated.
    """

    weights: Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$")]
    updates: Count = 12


# Where torchvision's default weights are; a file's name ends with what its SHA-256 begins with.
RAFT_WEIGHTS = {
    "raft_small": "https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth",
    "raft_large": "https://download.pytorch.org/models/raft_large_C_T_SKHT_V2-ff5fadd5.pth",
}


@dataclass(frozen=True)
class Algorithm:
    """What is asked of a flow algorithm before it computes.

    module: that of `flow/algorithms` which has it. on_gpu: whether it computes on a GPU; the others compute
    on the CPU, whatever the device. slower: how many times as long as Brox it takes on a CPU, if that is
    measured.
    """

    module: str
    on_gpu: bool = False
    slower: float | None = None


FlowAlgorithmName = Literal["brox", "tvl1", "farneback", "dis", "raft_small", "raft_large"]
FLOW_ALGORITHMS: tuple[FlowAlgorithmName, ...] = get_args(FlowAlgorithmName)
ALGORITHMS: dict[FlowAlgorithmName, Algorithm] = {
    "brox": Algorithm("brox", on_gpu=True, slower=1.0),
    "tvl1": Algorithm("tvl1", slower=66.0),  # docs/flow.md.
    "farneback": Algorithm("farneback"),
    "dis": Algorithm("dis"),
    "raft_small": Algorithm("raft", on_gpu=True, slower=22.0),
    "raft_large": Algorithm("raft", on_gpu=True, slower=70.0),
}


class Flow(Strict):
    """How flow is computed, and stored as JPEG.

    short_side: frames are rescaled to this shorter side (px) first; if not given, they stay as they are.
    """

    method: FlowAlgorithmName
    short_side: Count | None = None
    encoding: Literal["range", "clip20"]
    quality: Annotated[int, Field(ge=1, le=100)]
    brox: BroxSettings = BroxSettings()
    raft_small: RaftSettings = RaftSettings(weights="01064c6d")
    raft_large: RaftSettings = RaftSettings(weights="ff5fadd5")

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

"""What config/config.yaml holds, and the whole configuration that it leads to; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from twostream.arithmetic import Arithmetic
from twostream.config.benchmark import Benchmark
from twostream.config.scale import Scale
from twostream.config.types import Count, Strict


class Choices(Strict):
    """What a user chooses whatever the scale."""

    device: Literal["cpu", "cuda"]
    arithmetic: Arithmetic = "portable"
    gpus: Count
    workers: Annotated[int, Field(ge=0)]
    stage: bool = False
    seed: Annotated[int, Field(ge=0)]
    seeds: Count
    on_bad_video: Literal["stop", "skip"]

    @field_validator("gpus")
    @classmethod
    def gpus_are_used(cls, gpus: int, others: ValidationInfo) -> int:
        if gpus > 1 and others.data.get("device") == "cpu":
            raise ValueError("more than one needs `device: cuda`")
        return gpus


class UserSettings(Choices):
    """The keys of config/config.yaml; `scale` names a file in config/scale."""

    scale: str


class Config(Choices):
    """What a user chose, with the scale and the benchmark it leads to."""

    scale_name: str
    scale: Scale
    benchmark: Benchmark
    left_out: dict[str, list[str]] = Field(default_factory=dict)
    """What of the benchmark the scale cannot do, in words, by table (or `claims`, `two_stream`)."""

    @property
    def told_left_out(self) -> list[str]:
        """All that is left out, a line each."""
        return [line for lines in self.left_out.values() for line in lines]

    @property
    def all_seeds(self) -> list[int]:
        """The seeds that everything is trained with, the first one first."""
        return [self.seed + number for number in range(self.seeds)]

"""What config/config.yaml holds, and the whole configuration that it leads to; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from twostream.arithmetic import Arithmetic
from twostream.config.benchmark import Benchmark
from twostream.config.scale import Scale
from twostream.config.types import Count, Strict, given_as


class Choices(Strict):
    """What a user chooses whatever the scale."""

    device: Literal["cpu", "cuda"]
    """Where Brox flow is computed and networks are trained and scored. With `cuda` each training gets the
    `gpus`, each scoring and each shard of Brox flow one, side by side as far as this machine has GPUs
    (`--resources gpu=N` says otherwise), and networks compute in bfloat16 where it has that. Not part of any
    spec: what was made on a GPU counts on a CPU."""
    arithmetic: Arithmetic = "portable"
    """How a CPU computes. `portable`: every library takes the instructions that all x86-64 processors with
    AVX2 have, so that each frame, model and table has the same bytes on all of them. `native`: what each
    library thinks best for the processor at hand; quicker on processors with AVX-512, with other bytes on
    each. Not part of any spec; the record says which it was, of an artefact and of all that it was made from,
    and tables made from both are labelled. A script called by hand takes it from the variable
    `TWOSTREAM_ARITHMETIC`."""
    gpus: Count
    """With `device: cuda`, how many GPUs of this machine each training is spread over (through `torchrun`;
    the batch is shared out, so `training.batch` must divide by it, and for runs with two tasks by twice as
    much). Changes networks without batch normalisation by rounding only. Flow and scoring use one."""
    workers: Annotated[int, Field(ge=0)]
    """Processes beside its own that read and decode for each training (for each of its GPUs) and scoring; a
    job then counts for so many more cores. 0 is best where all images fit in memory, as at the default scale;
    on a GPU, as many as cores. They hand batches over in `/dev/shm`; where that is small (in a container,
    say), in pipes, which takes longer and is told in the log. Changes no number."""
    stage: bool = False
    """Whether a training first copies the shards that it reads to `TMPDIR` (a cluster's node has a disk of
    its own there), and reads the copies. For shared folders that are slow to read in no order; there must be
    room for them. Changes no number."""
    seed: Annotated[int, Field(ge=0)]
    """Seeds initial weights, samples and dropout of every run (the network trained on still images keeps seed
    0). It is part of the name of each model and score file, so seeds do not overwrite each other."""
    seeds: Count
    """How many seeds, from `seed` on: every run is trained with each, tables hold mean and standard deviation
    over them, and claims are judged over them. Figures are of the first."""
    on_bad_video: Literal["stop", "skip"]
    """A video that cannot be decoded, has fewer than two frames, or pictures larger than 8K (2^25 pixels,
    16,384 a side, one side up to 32 times the other): stop and name all of them, or leave them out, listed in
    `data/videos/<dataset>.skipped.csv`. A skipped video is absent from training and testing; it is not
    counted as wrong. An index that leaves videos out is refused under `stop`. A damaged video of which two
    frames can be decoded at its beginning is used as far as it goes; logs and records of `extract_frames` and
    `extract_flow` (`damaged`) say what is lost."""

    @field_validator("gpus")
    @classmethod
    def gpus_are_used(cls, gpus: int, others: ValidationInfo) -> int:
        if gpus > 1 and others.data.get("device") == "cpu":
            raise ValueError("more than one needs `device: cuda`")
        return gpus


def _scale_first(schema: dict[str, Any]) -> None:
    """Let manual and editors have `scale` before what is chosen whatever the scale."""
    schema["properties"] = {"scale": schema["properties"].pop("scale"), **schema["properties"]}


class UserSettings(Choices):
    """The keys of config/config.yaml; `scale` names a file in config/scale."""

    model_config = ConfigDict(json_schema_extra=_scale_first)
    scale: Annotated[str, given_as("the name of a file in `scale/`")]
    """Which scale to run. For one call: `snakemake --config scale=NAME -- TARGET`, or `make tables
    SCALE=NAME`."""


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

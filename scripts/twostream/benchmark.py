"""What config/benchmark.yaml holds: the paper, the same at every scale; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twostream.strict import Count, Fraction, Name, Percent, RunName, Strict

# Slow fusion sees so many frames (the paper, section 6).
SLOW_FUSION_FRAMES = 11


class RoleNames(Strict):
    """What the datasets of the two roles are called."""

    primary: str
    secondary: str


class Input(Strict):
    """What a network sees (section 3.1 of the paper); `length` is L, or the number of frames."""

    kind: Literal["frames", "stacking", "trajectory"]
    length: Count
    bidirectional: bool = False
    mean_subtraction: bool = False

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if self.bidirectional and (self.kind == "frames" or self.length % 2):
            raise ValueError("a bidirectional input is made of flow, and its length is even")
        if self.mean_subtraction and self.kind == "frames":
            raise ValueError("mean_subtraction is for flow, not for frames")
        if self.kind == "frames" and self.length not in {1, SLOW_FUSION_FRAMES}:
            raise ValueError(f"frames come one at a time, or {SLOW_FUSION_FRAMES} for slow fusion")
        return self

    @property
    def is_slow_fusion(self) -> bool:
        """Whether the network fuses several frames, layer by layer."""
        return self.kind == "frames" and self.length > 1


class Run(Strict):
    """A training recipe of the paper; `initialisation` is `scratch`, `images` or another run."""

    stream: Literal["spatial", "temporal"]
    input: Input
    initialisation: str
    layers: Literal["all", "last"] = "all"
    dropout: Fraction
    auxiliary: Literal["added_classes", "task"] | None = None

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if (self.stream == "spatial") != (self.input.kind == "frames"):
            raise ValueError("a spatial run sees frames, a temporal run stacking or trajectory")
        if self.initialisation == "scratch" and self.layers == "last":
            raise ValueError("layers: last needs an initialisation other than scratch")
        return self

    @property
    def folder(self) -> str:
        """The folder under models/ and scores/ that holds the run."""
        return "multitask" if self.auxiliary == "task" else self.stream


class Fusion(Strict):
    """Two runs whose scores are fused, and how (section 4)."""

    spatial: RunName
    temporal: RunName
    method: Literal["average", "svm"]


Role = Literal["primary", "secondary"]


class Row(Strict):
    """A row of a table: a run or fusion of ours, or a number `cited` from the literature."""

    row: str
    setting: str = ""
    dataset: Role
    splits: Annotated[list[Count], Field(min_length=1)]
    paper: Percent | None
    run: RunName | None = None
    cited: str | None = None

    @model_validator(mode="after")
    def has_one_origin(self) -> Self:
        if (self.run is None) == (self.cited is None):
            raise ValueError("a row needs either `run` (ours) or `cited` (its source)")
        return self


class Table(Strict):
    """A table of the paper: its title, and its rows in the paper's order."""

    title: str
    rows: Annotated[list[Row], Field(min_length=1)]

    @model_validator(mode="after")
    def labels_differ(self) -> Self:
        labels = [(row.row, row.setting, row.dataset) for row in self.rows]
        twice = [label for label in labels if labels.count(label) > 1]
        if twice:
            raise ValueError(f"two rows have the same row, setting and dataset: {', '.join(twice[0])}")
        return self


class Interval(Strict):
    """The bootstrap behind each 95% interval."""

    resamples: Count
    seed: Annotated[int, Field(ge=0)]


class Benchmark(Strict):
    """All that config/benchmark.yaml sets."""

    datasets: RoleNames
    pretraining: Run
    runs: dict[RunName, Run]
    fusions: dict[RunName, Fusion]
    two_stream: RunName
    shared_classes: dict[Name, dict[str, str | list[str]]]
    interval: Interval
    tables: dict[Name, Table]

    @model_validator(mode="after")
    def pretraining_fits(self) -> Self:
        run = self.pretraining
        whole = run.layers == "all" and run.initialisation == "scratch" and run.auxiliary is None
        if run.stream != "spatial" or run.input.length != 1 or not whole:
            raise ValueError("pretraining is a spatial run of one frame, of all layers from scratch")
        return self

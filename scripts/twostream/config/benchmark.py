"""What config/benchmark.yaml holds: the paper, the same at every scale; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from twostream.config.flow import FlowAlgorithmName
from twostream.config.streams import KINDS, STREAMS, Extracted, KindName, StreamName
from twostream.config.trials import TRIALS
from twostream.config.types import Count, Fraction, Name, Percent, Positive, RunName, Strict


class RoleNames(Strict):
    """What the datasets of the two roles are called, or of one."""

    primary: str
    secondary: str | None = None


class PaperDataset(Strict):
    """A dataset of the paper: its name, and the number of test videos of each split."""

    name: str
    test_videos: Annotated[list[Count], Field(min_length=1)]


class PaperDatasets(Strict):
    """The paper's datasets by their role."""

    primary: PaperDataset
    secondary: PaperDataset

    @property
    def names(self) -> RoleNames:
        """Their names."""
        return RoleNames(primary=self.primary.name, secondary=self.secondary.name)


class Input(Strict):
    """What a network sees (section 3.1 of the paper); `length` is L, or the number of frames."""

    kind: KindName
    length: Count
    bidirectional: bool = False
    mean_subtraction: bool = False

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        kind = KINDS[self.kind]
        if self.bidirectional and (not kind.bidirectional or self.length % 2):
            raise ValueError("a bidirectional input is made of flow, and its length is even")
        if self.mean_subtraction and not kind.mean_subtraction:
            raise ValueError(f"mean_subtraction is for flow, not for {self.kind}")
        if kind.lengths and self.length not in kind.lengths:
            raise ValueError(f"the length of {self.kind} is {' or '.join(map(str, kind.lengths))}")
        return self

    @property
    def is_slow_fusion(self) -> bool:
        """Whether the network fuses several frames, layer by layer."""
        return KINDS[self.kind].slow_fusion and self.length > 1

    @property
    def shows_motion(self) -> bool:
        """Whether it holds displacements, or several frames."""
        return KINDS[self.kind].displacements or self.images > 1

    @property
    def images(self) -> int:
        """How many stored frames or fields it is made of."""
        return self.length + KINDS[self.kind].more_images

    @property
    def module(self) -> str:
        """The name of the module that stacks its items."""
        return f"twostream.training.stackings.{self.kind}"

    @property
    def extracted(self) -> list[Extracted]:
        """What it reads of a dataset's videos."""
        return KINDS[self.kind].extracted(self.bidirectional)


class Run(Strict):
    """A training recipe of the paper; `initialisation` is `scratch`, `images` or another run.

    `network` names a network of the scale; without it, the one that is called like the stream is taken.
    `flow` names the algorithm by which the flow that it sees is computed; without it, that of the scale.
    """

    stream: StreamName
    network: Name | None = None
    input: Input
    initialisation: str
    layers: Literal["all", "last"] = "all"
    dropout: Fraction
    auxiliary: Literal["added_classes", "task"] | None = None
    # Left out of files where it is not given, so that models have the bytes that they had before it came.
    flow: FlowAlgorithmName | None = Field(default=None, exclude_if=lambda flow: flow is None)

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        kinds = STREAMS[self.stream].kinds
        if self.input.kind not in kinds:
            raise ValueError(f"a {self.stream} run sees {' or '.join(kinds)}, not {self.input.kind}")
        if self.initialisation == "scratch" and self.layers == "last":
            raise ValueError("layers: last needs an initialisation other than scratch")
        if self.flow and KINDS[self.input.kind].reads != "flow":
            raise ValueError(f"flow is for runs that see flow, not {self.input.kind}")
        return self

    @property
    def folder(self) -> str:
        """The folder under models/ and scores/ that holds the run."""
        return "multitask" if self.auxiliary == "task" else self.stream

    @property
    def network_name(self) -> str:
        """The name that its network has in the scale."""
        return self.network or self.stream


FusionMethod = Literal["average", "svm", "weighted"]


class Fusion(Strict):
    """Runs whose scores are fused, each under its stream's name, and how (section 4; `weighted` is ours)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, RunName]
    method: FusionMethod

    @model_validator(mode="after")
    def is_of_streams(self) -> Self:
        named = self.__pydantic_extra__
        if unknown := sorted(named.keys() - STREAMS.keys()):
            raise ValueError(f"there is no stream {unknown[0]!r}; streams: {', '.join(STREAMS)}")
        if len(named) < 2:
            raise ValueError(f"a fusion is of two streams or more ({', '.join(STREAMS)})")
        return self

    @property
    def streams(self) -> dict[StreamName, str]:
        """The run of each stream, in the order of `STREAMS`."""
        named = self.__pydantic_extra__
        return {stream: named[stream] for stream in STREAMS if stream in named}

    @property
    def is_two_stream(self) -> bool:
        """Whether it is of the paper's two streams."""
        return self.streams.keys() == {"spatial", "temporal"}


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


Expected = Literal["better", "marginally_better", "far_better", "no_better"]


Runs = Annotated[
    Annotated[RunName, Tag("one")] | Annotated[list[RunName], Field(min_length=2), Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, list) else "one"),
]
"""One run, or several that are judged as one."""


class Comparison(Strict):
    """Two runs (or fusions) on the same test videos, and how the first compares by the paper's claim.

    Lists of runs are compared pair by pair, and judged as one: by the mean of their differences. The
    paper's numbers are those of `splits`, unless `paper_splits` says of which others.
    """

    run: Runs
    expected: Expected
    than: Runs
    dataset: Role
    splits: Annotated[list[Count], Field(min_length=1)]
    paper_splits: Annotated[list[Count], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def has_pairs(self) -> Self:
        if len(_listed(self.run)) != len(_listed(self.than)):
            raise ValueError("`run` and `than` must name as many runs, as they are compared pair by pair")
        return self

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The runs that are compared with each other."""
        return list(zip(_listed(self.run), _listed(self.than), strict=True))

    @property
    def published_splits(self) -> list[int]:
        """The splits that the paper's numbers are of."""
        return self.paper_splits or self.splits


def _listed(runs: str | list[str]) -> list[str]:
    return [runs] if isinstance(runs, str) else runs


class Claim(Strict):
    """What the paper claims; it holds if all its comparisons come out as expected."""

    number: Count
    claim: str
    comparisons: Annotated[list[Comparison], Field(min_length=1)]


class Verdicts(Strict):
    """How claims are judged: the margins (points of accuracy), the tests' level, and their permutations."""

    marginal: Positive
    by_far: Positive
    level: Annotated[float, Field(gt=0, lt=0.5)]
    permutations: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def margins_are_ordered(self) -> Self:
        if self.marginal > self.by_far:
            raise ValueError("marginal must not be larger than by_far")
        return self


class ExternalMethod(Strict):
    """A method that was not trained here: the dataset and the splits that its score files are for."""

    title: str
    dataset: Name
    splits: Annotated[list[Count], Field(min_length=1)]


def _right_of_videos(recall: tuple[int, int]) -> tuple[int, int]:
    right, videos = recall
    if right > videos:
        raise ValueError("a class's videos got right, and its videos: there cannot be more of the former")
    return recall


ClassRecall = Annotated[tuple[Annotated[int, Field(ge=0)], Count], AfterValidator(_right_of_videos)]
"""How many of a class's test videos are right, and how many there are."""


class Benchmark(Strict):
    """All that config/benchmark.yaml sets."""

    datasets: PaperDatasets
    pretraining: Run
    runs: dict[RunName, Run]
    fusions: dict[RunName, Fusion]
    two_stream: RunName
    methods: dict[RunName, ExternalMethod]
    shared_classes: dict[Name, dict[str, str | list[str]]]
    paper_recall: dict[str, ClassRecall] = Field(default_factory=dict)
    interval: Interval
    tables: dict[Name, Table]
    more_tables: dict[Name, Table] = Field(default_factory=dict)
    """Tables that are made if they are asked for by name, and by nothing else."""
    verdicts: Verdicts
    claims: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="after")
    def names_differ(self) -> Self:
        taken = {"claims", "methods", *TRIALS} & self.all_tables.keys()
        if taken:
            raise ValueError(f"tables: {taken.pop()} is the name of another file in results/")
        if taken := {"report", "provenance"} & self.all_tables.keys():
            raise ValueError(f"tables: {taken.pop()} is the name of another file in report/")
        if twice := self.tables.keys() & self.more_tables.keys():
            raise ValueError(f"more_tables: {twice.pop()} is the name of a table in `tables`")
        for key, names in (
            ("claims: the number", [str(claim.number) for claim in self.claims]),
            ("methods: the title", [method.title for method in self.methods.values()]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{key} {twice.pop()} is given twice")
        return self

    @model_validator(mode="after")
    def pretraining_fits(self) -> Self:
        run = self.pretraining
        whole = run.layers == "all" and run.initialisation == "scratch" and run.auxiliary is None
        if run.stream != "spatial" or run.input.length != 1 or not whole:
            raise ValueError("pretraining is a spatial run of one frame, of all layers from scratch")
        if run.network:
            raise ValueError("pretraining: which network is trained, `pretrained.network` in the scale says")
        return self

    @property
    def all_tables(self) -> dict[Name, Table]:
        """The tables, and those that are made if they are asked for."""
        return self.tables | self.more_tables

    def runs_of(self, name: str) -> list[Run]:
        """The runs behind a run or a fusion; none behind a method that was not trained here."""
        if name in self.fusions:
            return [run for stream in self.fusions[name].streams.values() for run in self.runs_of(stream)]
        return [self.runs[name]] if name in self.runs else []

    def published(self, run: str, dataset: Role, splits: list[int]) -> float | None:
        """The paper's accuracy (%) of a run on some splits, from the tables; None if they have none."""
        rows = (row for table in self.tables.values() for row in table.rows)
        found = (r.paper for r in rows if (r.run, r.dataset, r.splits) == (run, dataset, splits))
        return next((number for number in found if number is not None), None)

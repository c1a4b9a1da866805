"""What config/benchmark.yaml holds: the paper, the same at every scale; strict models.

config/README.md explains every key; `loading` reads the files and checks them against each other.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from twostream.config.flow import FlowAlgorithmName
from twostream.config.streams import KINDS, STREAMS, Extracted, KindName, StreamName
from twostream.config.trials import TRIALS
from twostream.config.types import Count, Fraction, Name, Percent, Positive, RunName, Strict, given_as

Splits = Annotated[list[Count], Field(min_length=1), given_as("a list of splits")]


class RoleNames(Strict):
    """What the datasets of the two roles are called, or of one."""

    primary: str
    secondary: str | None = None


class PaperDataset(Strict):
    """A dataset of the paper: its name, and the number of test videos of each split."""

    name: str
    """What the paper calls the dataset."""
    test_videos: Annotated[list[Count], Field(min_length=1), given_as("a number for each split")]
    """How many test videos each of its splits has, for the sampling error of the paper's numbers."""


class PaperDatasets(Strict):
    """The paper's datasets by their role."""

    primary: PaperDataset
    """The dataset that the scale's primary one stands for, UCF-101."""
    secondary: PaperDataset
    """The dataset that the scale's secondary one stands for, HMDB-51."""

    @property
    def names(self) -> RoleNames:
        """Their names."""
        return RoleNames(primary=self.primary.name, secondary=self.secondary.name)


class Input(Strict):
    """What a network sees (section 3.1 of the paper); `length` is L, or the number of frames."""

    kind: KindName
    """Section 3.1 of the paper; `difference` are `length` differences of consecutive stored frames, R, G and
    B, of `length` + 1 frames."""
    length: Count
    """The paper's L; for frames 1, or 11 for slow fusion."""
    bidirectional: bool = False
    """Half of the fields forward, half backward from the same frame."""
    mean_subtraction: bool = False
    """Each field's mean vector is taken from it."""

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
    """A training recipe of the paper."""

    stream: StreamName
    """What it sees: frames, flow, or differences of frames (not the paper's)."""
    network: Annotated[Name, given_as("a network")] | None = None
    """Its network, of the scale's `networks`; without it, the one that is called like its stream."""
    input: Input
    """What it sees of a video at once, by keys of its own."""
    initialisation: Annotated[str, given_as("`scratch`, `images`, or a run")]
    """`scratch`: random weights. `images`: the weights that `pretrained` in the scale names (not for slow
    fusion; for flow and differences, the first layer is averaged over the colours, and that is repeated for
    each channel). A run: that run (same input, from scratch) trained on the whole auxiliary dataset."""
    layers: Literal["all", "last"] = "all"
    """Which layers are trained; frozen layers stay in evaluation mode."""
    dropout: Fraction
    """The dropout after each fully connected layer."""
    auxiliary: Literal["added_classes", "task"] | None = None
    """`added_classes`: the auxiliary dataset's other classes join the softmax layer. `task`: it gets a
    softmax layer of its own (multi-task)."""
    # Left out of files where it is not given, so that models have the bytes that they had before it came.
    flow: FlowAlgorithmName | None = Field(default=None, exclude_if=lambda flow: flow is None)
    """For runs that see flow: the algorithm that computes it, if it is not the scale's (`flow.method`). All
    else of flow is as the scale says. Such flow lies in `data/flow/<dataset>/forward-<algorithm>/`, beside
    the scale's own, and is extracted if a run that is made asks for it."""

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
    """`average`; `svm`; or `weighted`, which is not the paper's: the mean with the weights, from 0 to 1 in
    steps of 0.05, that get most of the training videos right (a mean over groups; of equals those nearest to
    equal weights), and are in the record. Streams are fitted to these videos, so one that overfits more may
    get too much weight."""

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
    """The paper's label of the row."""
    setting: str = ""
    """The paper's second label of the row, if it has one."""
    dataset: Role
    """The role of the dataset on whose test videos it is."""
    splits: Splits
    """Over which splits it is."""
    paper: Percent | None
    """The paper's accuracy (%)."""
    run: Annotated[RunName, given_as("a run, a fusion or a method")] | None = None
    """Whose accuracy is put beside it."""
    cited: Annotated[str, given_as("a source")] | None = None
    """In place of `run`, the source of a number that is not ours."""

    @model_validator(mode="after")
    def has_one_origin(self) -> Self:
        if (self.run is None) == (self.cited is None):
            raise ValueError("a row needs either `run` (ours) or `cited` (its source)")
        return self


class Table(Strict):
    """A table of the paper: its title, and its rows in the paper's order."""

    title: str
    """What stands above the table."""
    rows: Annotated[list[Row], Field(min_length=1)]
    """Its rows, in the paper's order."""

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
    """How many resamples it draws."""
    seed: Annotated[int, Field(ge=0)]
    """The seed of the draws."""


Expected = Literal["better", "marginally_better", "far_better", "no_better"]


Runs = Annotated[
    Annotated[RunName, Tag("one")] | Annotated[list[RunName], Field(min_length=2), Tag("several")],
    Discriminator(lambda value: "several" if isinstance(value, list) else "one"),
    given_as("a run, a fusion or a method, or a list of these"),
]
"""One run, or several that are judged as one."""


class Comparison(Strict):
    """Two runs (or fusions) on the same test videos, and how the first compares by the paper's claim."""

    run: Runs
    """A run, fusion or method; or a list of them, as long as the one of `than`, that are compared pair by
    pair and judged as one, by the mean of their differences."""
    expected: Expected
    """What is expected of the difference, `run` less `than`: see below."""
    than: Runs
    """What `run` is compared with, in the same form."""
    dataset: Role
    """The role of the dataset on whose test videos it is."""
    splits: Splits
    """Over which splits it is."""
    paper_splits: Splits | None = None
    """The splits that the paper's numbers are of, if not `splits`. The numbers are those in `tables`; of
    lists, their means."""

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
    """The number that tables and documents call it by."""
    claim: str
    """What the paper says."""
    comparisons: Annotated[list[Comparison], Field(min_length=1)]
    """The claim holds if all of these come out as expected."""


class Verdicts(Strict):
    """How claims are judged."""

    marginal: Positive
    """How large a marginal difference is, in points of accuracy."""
    by_far: Positive
    """How large one by far is, in points of accuracy."""
    level: Annotated[float, Field(gt=0, lt=0.5)]
    """The level of the tests."""
    permutations: Annotated[int, Field(ge=100)]
    """How many permutations the test by groups takes."""
    seed: Annotated[int, Field(ge=0)]
    """The seed of the test by groups."""

    @model_validator(mode="after")
    def margins_are_ordered(self) -> Self:
        if self.marginal > self.by_far:
            raise ValueError("marginal must not be larger than by_far")
        return self


class ExternalMethod(Strict):
    """A method that was not trained here: the dataset and the splits that its score files are for."""

    title: str
    """What tables and figures call it."""
    dataset: Annotated[Name, given_as("a dataset")]
    """The dataset that its files `methods/<name>/<dataset>-split<split>.npz` are for (`methods/README.md` has
    their format). At a scale without it the method is left out."""
    splits: Splits
    """The splits that there are files for."""


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
    """The paper's datasets by the role that one of the scale's plays."""
    pretraining: Run
    """The run that is trained on the still images, by the network that `pretrained` in the scale is for."""
    runs: dict[RunName, Run]
    """Training recipes, see below; a run's name has small letters, digits and `-`."""
    fusions: dict[RunName, Fusion]
    """Two runs or more, each under its stream's name (`spatial`, `temporal`, `difference`), and how they are
    fused."""
    two_stream: Annotated[RunName, given_as("a fusion")]
    """The fusion of a spatial and a temporal run that is the paper's final model: figures show it, other
    methods are put beside it, your own videos are classified with its streams."""
    methods: dict[RunName, ExternalMethod]
    """Methods that were not trained here. Their names may be the `run` of a table's row, or a stream of a
    fusion."""
    shared_classes: Annotated[dict[Name, dict[str, str | list[str]]], given_as("by dataset, classes by name")]
    """The classes of an auxiliary dataset that the other one has too, each with the other's name (or a list
    of names) for it; `auxiliary: added_classes` leaves them out. A dataset that shares none says `{}`."""
    paper_recall: Annotated[dict[str, ClassRecall], given_as("two numbers by class")] = Field(
        default_factory=dict
    )
    """Of each class of the paper's Figure 6, how many of its test videos in split 1 the paper's final model
    got right, and how many there are; the figure of recalls shows them beside ours, by the classes' names."""
    interval: Interval
    """The bootstrap behind each 95% interval."""
    tables: dict[Name, Table]
    """The paper's tables."""
    more_tables: dict[Name, Table] = Field(default_factory=dict)
    """Tables like these that are made if they are asked for by name (`snakemake --cores all
    results/flow_algorithms.csv`), and by nothing else. They are in no claim, and their rows need not be the
    paper's. While they are here, they are printed, published and in the report with the others."""
    verdicts: Verdicts
    """How claims are judged."""
    claims: Annotated[list[Claim], Field(min_length=1)]
    """What the paper claims."""

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

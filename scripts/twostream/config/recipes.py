"""Recipes: what the rules hand to the scripts, each just what its step uses."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from twostream.config.benchmark import (
    Comparison,
    ExternalMethod,
    FusionMethod,
    Interval,
    RoleNames,
    Run,
    Table,
    Verdicts,
)
from twostream.config.flow import Flow
from twostream.config.networks import Colours, Format, NetworkSettings, weights_must_fit
from twostream.config.scale import SVM, Frames, Schedule, Testing, Training
from twostream.config.sources import Generated, Media
from twostream.config.trials import TrialName
from twostream.config.types import SHA256, Count, Name, Percent, Positive, RunName, Strict


class HeldOut(Strict):
    """The test part of a split of a dataset, which must not be trained on."""

    dataset: Name
    split: Count


class TrainingSubset(Strict):
    """Videos to train on: a dataset's training part of a split, or the whole of it (split None).

    It is `without` some classes, and `apart_from` a test part: without the recordings that are in that.
    """

    dataset: Name
    shards: Count
    split: Count | None
    without: list[str] = Field(default_factory=list)
    apart_from: HeldOut | None = None


class Task(Strict):
    """A softmax layer and the videos it learns from; the first source is the one it is tested on."""

    head: Name
    sources: Annotated[list[TrainingSubset], Field(min_length=1)]


class TrainingRecipe(Strict):
    """What a network is trained on, and how.

    short_side: the shorter side (px) of a frame or field that the crop is measured against.
    first_layer_scale: how many times the weights of the first convolution are what they were where they come
    from, as its inputs are so many times smaller; they learn as they would there.
    """

    run: Run
    tasks: Annotated[list[Task], Field(min_length=1)]
    network: NetworkSettings
    training: Training
    schedule: Schedule
    short_side: Count
    first_layer_scale: Positive = 1.0
    seed: int

    @property
    def shards(self) -> dict[str, int]:
        """How many shards each dataset has that it is trained on, in the order of their first use."""
        return {source.dataset: source.shards for task in self.tasks for source in task.sources}

    @property
    def held_out(self) -> HeldOut | None:
        """The test part whose recordings a source is without, if one is."""
        sources = (source for task in self.tasks for source in task.sources)
        return next((source.apart_from for source in sources if source.apart_from), None)


class ImportRecipe(Strict):
    """Whose published weights are taken over, for which network; a checksum of theirs, if one is known.

    `colours` are those that the weights were trained on, if they are not the ones that the library says.
    """

    name: Name
    kind: Format
    network: NetworkSettings
    crop: Count
    colours: Colours | None = None
    given: str | None = None

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        weights_must_fit(self.kind, self.network)
        return self


class ScoringRecipe(Strict):
    """Whose videos are scored, and with how many inputs each."""

    dataset: Name
    shards: Count
    split: Count
    testing: Testing


class TrialRecipe(ScoringRecipe):
    """Which trial the test videos are for, its seed, and the spatial run that the model is averaged with."""

    trial: TrialName
    seed: int
    spatial: RunName | None = None

    @property
    def module(self) -> str:
        """The name of the module that says how videos come out."""
        return f"twostream.training.trials.{self.trial}"


class FusionRecipe(Strict):
    """How score files are fused; `svm` only where it is used."""

    method: FusionMethod
    svm: SVM | None
    seed: int


class IndexRecipe(Strict):
    """`listing` is a digest of the names and sizes in the folder, so that a new file is seen."""

    media: Media
    splits: Count
    listing: str


class GeneratorRecipe(Strict):
    """What is drawn, from which seed."""

    dataset: Name
    media: Media
    splits: Count
    source: Generated


class OfficialRecipe(Strict):
    """Whose official lists; they fix which videos these are, wherever they come from.

    `subset` is a digest of the list of those videos that are wanted; without it all are.
    """

    protocol: Literal["ucf101", "hmdb51"]
    subset: str | None = None


class FramesRecipe(Strict):
    """One shard's share of a dataset is the videos `shard`, `shard + shards`, ... of its index."""

    media: Media
    shards: Count
    frames: Frames


class FlowRecipe(Strict):
    """How the flow of a shard of a dataset is computed; shards as in `FramesRecipe`."""

    shards: Count
    flow: Flow
    direction: Literal["forward", "backward"]


class ImportScoresRecipe(Strict):
    """Whose videos a file of scores is for, and the file's SHA-256, so that another one is seen."""

    dataset: Name
    split: Count
    given: SHA256


class TableRecipe(Strict):
    """A table, what the paper and we call its datasets, and over how many seeds it is."""

    table: Table
    paper_names: RoleNames
    our_names: RoleNames
    interval: Interval
    seeds: Count
    methods: list[RunName]
    """Those of the rows' runs that were not trained here, and have no seeds."""


Data = Literal["generated", "paper", "other"]


class Compared(Strict):
    """A comparison, on whose data, the paper's accuracies (%) of the two, and where our scores lie.

    `datasets` are what the paper and we call the dataset, `paper_videos` the paper's test videos of each
    split. `paper` and `files` are by the comparison's pairs. The patterns of files have `{split}` and,
    unless they are of a method that was not trained here, `{seed}`.
    """

    comparison: Comparison
    datasets: tuple[str, str]
    data: Data
    paper: Annotated[list[tuple[Percent, Percent]], Field(min_length=1)]
    paper_videos: list[Count]
    files: Annotated[list[tuple[str, str]], Field(min_length=1)]


class ClaimRecipe(Strict):
    """A claim, and what decides it."""

    number: Count
    claim: str
    comparisons: list[Compared]


class ClaimsRecipe(Strict):
    """The claims, how they are judged, and over which seeds."""

    claims: list[ClaimRecipe]
    verdicts: Verdicts
    interval: Interval
    seeds: list[int]


class MethodRecipe(Strict):
    """A method that was not trained here, beside ours: each with the pattern of its score files."""

    name: RunName
    method: ExternalMethod
    files: str
    spatial: tuple[RunName, str]
    temporal: tuple[RunName, str]
    two_stream: tuple[RunName, str]


class MethodsRecipe(Strict):
    """The methods that were not trained here, and how they are compared with ours."""

    methods: list[MethodRecipe]
    verdicts: Verdicts
    interval: Interval
    seeds: list[int]


class TrialTableRecipe(Strict):
    """Which models are tried, on which test part; `verdicts` where differences are tested."""

    runs: Annotated[list[RunName], Field(min_length=1)]
    dataset: Name
    split: Count
    interval: Interval
    verdicts: Verdicts | None = None


class FlowFigureRecipe(Strict):
    """Whose flow is drawn: test videos of a split."""

    dataset: Name
    shards: Count
    split: Count


class FiltersFigureRecipe(Strict):
    """Whose first layer is drawn, and what it was trained on."""

    run: RunName
    dataset: Name
    split: Count
    seed: int


class ConfusionFigureRecipe(Strict):
    """Whose confusions are drawn, on which test part."""

    run: RunName
    dataset: Name
    split: Count


class RecallFigureRecipe(Strict):
    """A fusion and its two streams, whose recall is drawn, on which test part.

    `paper` has the paper's recall (%) by the class's name, for data that is not drawn.
    """

    fused: RunName
    spatial: RunName
    temporal: RunName
    dataset: Name
    split: Count
    paper: dict[str, Percent] = Field(default_factory=dict)

    @property
    def streams(self) -> dict[str, str]:
        """The run of each stream."""
        return {"spatial": self.spatial, "temporal": self.temporal}


class WeighedFusion(Strict):
    """A fusion whose streams are weighed: each run with its score file."""

    name: RunName
    spatial: tuple[RunName, str]
    temporal: tuple[RunName, str]


class FusionWeightFigureRecipe(Strict):
    """The fusions whose accuracy is drawn over the weights of their streams, and on which test part."""

    fusions: Annotated[list[WeighedFusion], Field(min_length=1)]
    dataset: Name
    split: Count
    interval: Interval


PageKind = Literal["table", "claims", "methods"] | TrialName


class PageRecipe(Strict):
    """A page of the report: what its rows are, its title, and what it says of its columns."""

    kind: PageKind
    title: str
    note: str


class ReportRecipe(Strict):
    """What the report shows: its tables in order, and whose test videos.

    left_out: what is left out at this scale, a sentence each.
    data: by our dataset's name, whether it is drawn, the paper's, or neither; `names`: the paper's for it.
    fused, spatial, temporal: the fusion whose videos are shown, and its streams; `method` is the fusion's.
    published: the paper's accuracy (%) of these runs on the split, where it has one.
    assets: a digest of the page's template, style and script, which no digest of code covers.
    """

    scale: str
    tables: list[PageRecipe]
    left_out: list[str]
    data: dict[Name, Data]
    names: dict[Name, str]
    fused: RunName
    spatial: RunName
    temporal: RunName
    method: FusionMethod
    published: dict[RunName, Percent]
    dataset: Name
    shards: Count
    split: Count
    interval: Interval
    assets: str

    @property
    def systems(self) -> dict[str, str]:
        """The run of each stream and of both, by what they see."""
        return {"spatial": self.spatial, "temporal": self.temporal, "fused": self.fused}


class DescriptionRecipe(Strict):
    """Of which dataset a page is that says how it was understood."""

    dataset: Name
    media: Media


class CurvesFigureRecipe(Strict):
    """What the curves are called, in the order of their files."""

    models: Annotated[list[str], Field(min_length=1)]

"""The configuration, checked once by strict models that the Snakefile and the scripts share.

`load` reads `config/config.yaml`, the scale it names and `config/benchmark.yaml`, and refuses
unknown keys, wrong types and names that lead nowhere, before any job starts. config/README.md
explains every key.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from twostream.files import UserError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]
RunName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]

Look = Literal[
    "disc", "square", "triangle", "star", "cross", "ring", "bars", "crescent"
]  # fmt: skip
Motion = Literal[
    "horizontal", "vertical", "diagonal", "circle", "spin", "swing", "pulse", "zigzag"
]  # fmt: skip


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# --- What a scale sets: the data, the networks, the schedules ---


class GeneratedClass(Strict):
    look: Look
    motion: Motion | None = None


class Generated(Strict):
    """Videos, or still images of the looks alone, drawn from a seed."""

    kind: Literal["generated"]
    seed: Annotated[int, Field(ge=0)]
    height: Count
    width: Count
    classes: dict[Name, GeneratedClass]
    groups: Count
    clips: Count
    train_groups: Count

    @model_validator(mode="after")
    def leaves_test_groups(self) -> Self:
        if self.train_groups >= self.groups:
            raise ValueError("train_groups must be smaller than groups, or no group is left to test on")
        return self


class Folder(Strict):
    """Videos (or images) that the user has: class folders, or a CSV that lists them."""

    kind: Literal["folder"]
    folder: str
    list: str | None = None


class Dataset(Strict):
    media: Literal["videos", "images"] = "videos"
    source: Annotated[Generated | Folder, Field(discriminator="kind")]
    splits: Count
    shards: Count
    auxiliary: Name | None = None

    @model_validator(mode="after")
    def moves(self) -> Self:
        if isinstance(self.source, Generated) and self.media == "videos":
            still = [name for name, c in self.source.classes.items() if c.motion is None]
            if still:
                raise ValueError(f"videos need a motion for each class; none for {', '.join(still)}")
        return self


class Roles(Strict):
    """Which datasets of this scale stand for those of the paper."""

    primary: Name
    secondary: Name
    images: Name


class Frames(Strict):
    short_side: Count
    quality: Annotated[int, Field(ge=1, le=100)]


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


class Flow(Strict):
    method: Literal["brox", "tvl1", "farneback", "dis"]
    encoding: Literal["range", "clip20"]
    quality: Annotated[int, Field(ge=1, le=100)]
    brox: BroxSettings = BroxSettings()


class Convolution(Strict):
    channels: Count
    kernel: Count
    stride: Count = 1
    padding: Annotated[int, Field(ge=0)] = 0
    normalised: bool = False
    pooled: bool = False


class Network(Strict):
    convolutions: list[Convolution]
    full: list[Count]
    normalisation: Literal["local_response", "batch"]


class Training(Strict):
    batch: Annotated[int, Field(ge=2)]
    crop: Count
    momentum: Fraction
    weight_decay: Annotated[float, Field(ge=0)]
    rgb_jitter: Annotated[float, Field(ge=0)]


class Schedule(Strict):
    """A learning rate, divided by ten after each of `drops` iterations."""

    rate: Positive
    drops: list[Count]
    iterations: Count


class Schedules(Strict):
    pretraining: Schedule
    scratch: Schedule
    finetuning: Schedule
    last_layer: Schedule


class Testing(Strict):
    frames: Count
    views: Literal[2, 10]


class SVM(Strict):
    costs: Annotated[list[Positive], Field(min_length=1)]
    folds: Annotated[int, Field(ge=2)]


class Scale(Strict):
    datasets: dict[Name, Dataset]
    roles: Roles
    frames: Frames
    flow: Flow
    network: Network
    training: Training
    schedules: Schedules
    testing: Testing
    svm: SVM

    @model_validator(mode="after")
    def crop_fits(self) -> Self:
        if self.training.crop > self.frames.short_side:
            raise ValueError("training.crop must not be larger than frames.short_side")
        return self


# --- The paper: the same at every scale ---


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
    datasets: RoleNames
    pretraining: Run
    runs: dict[RunName, Run]
    fusions: dict[RunName, Fusion]
    shared_classes: dict[Name, dict[str, str]]
    interval: Interval
    tables: dict[Name, Table]

    @model_validator(mode="after")
    def pretraining_fits(self) -> Self:
        run = self.pretraining
        whole = run.layers == "all" and run.initialisation == "scratch" and run.auxiliary is None
        if run.stream != "spatial" or run.input.length != 1 or not whole:
            raise ValueError("pretraining is a spatial run of one frame, of all layers from scratch")
        return self


class Config(Strict):
    """What a user sets, with the scale and the benchmark it leads to."""

    scale_name: str
    device: Literal["cpu", "cuda"]
    seed: Annotated[int, Field(ge=0)]
    on_bad_video: Literal["stop", "skip"]
    scale: Scale
    benchmark: Benchmark


class UserSettings(Strict):
    """The keys of config/config.yaml."""

    scale: str
    device: Literal["cpu", "cuda"]
    seed: Annotated[int, Field(ge=0)]
    on_bad_video: Literal["stop", "skip"]


# --- What the rules hand to the scripts ---


class Source(Strict):
    """Videos to train on: a dataset's training part of a split, or the whole of it (split None)."""

    dataset: Name
    shards: Count
    split: Count | None
    without: list[str] = []


class Task(Strict):
    """A softmax layer and the videos it learns from; the first source is the one it is tested on."""

    head: Name
    sources: Annotated[list[Source], Field(min_length=1)]


class TrainingRecipe(Strict):
    run: Run
    tasks: Annotated[list[Task], Field(min_length=1)]
    network: Network
    training: Training
    schedule: Schedule
    short_side: Count
    seed: int


class ScoringRecipe(Strict):
    dataset: Name
    shards: Count
    split: Count
    testing: Testing


class FusionRecipe(Strict):
    method: Literal["average", "svm"]
    svm: SVM | None
    seed: int


class IndexRecipe(Strict):
    """`listing` is a digest of the names and sizes in the folder, so that a new file is seen."""

    media: Literal["videos", "images"]
    splits: Count
    listing: str


class GeneratorRecipe(Strict):
    dataset: Name
    media: Literal["videos", "images"]
    splits: Count
    source: Generated


class FramesRecipe(Strict):
    """One shard's share of a dataset is the videos `shard`, `shard + shards`, ... of its index."""

    media: Literal["videos", "images"]
    shards: Count
    frames: Frames


class FlowRecipe(Strict):
    shards: Count
    flow: Flow
    direction: Literal["forward", "backward"]


class TableRecipe(Strict):
    table: Table
    paper_names: RoleNames
    our_names: RoleNames
    interval: Interval


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], content: Any, where: str) -> Model:
    """Return `content` (plain JSON-able data) as a `model`; raise UserError naming file and key."""
    try:
        return model.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise UserError("\n".join(_explain(e, where) for e in error.errors())) from None


def _explain(error: Any, where: str) -> str:
    location = [str(part) for part in error["loc"] if part not in ("generated", "folder")]
    key = ".".join(location) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{where}: {key}: unknown key; config/README.md lists those there are"
    if error["type"] == "missing":
        return f"{where}: {key}: this key is missing"
    given = error.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | None) else ""
    return f"{where}: {key}: {error['msg'].removeprefix('Value error, ')}{shown}"


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key given twice, where plain YAML would quietly drop the first."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                line = key_node.start_mark.line + 1
                raise UserError(f"{node.start_mark.name}: line {line}: the key {key!r} is given twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; raise UserError if it is missing or is not YAML."""
    try:
        with open(path, encoding="utf-8") as stream:
            content = yaml.load(stream, _UniqueKeys)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds no keys")
    return content


def load(folder: str | Path = "config", overrides: dict[str, Any] | None = None) -> Config:
    """Return the checked configuration in `folder`, with `overrides` of config.yaml's keys.

    Raises UserError, which names the file and the key, if anything in it is wrong.
    """
    folder = Path(folder)
    settings_file = folder / "config.yaml"
    settings = read_yaml(settings_file) | (overrides or {})
    user = parse(UserSettings, settings, str(settings_file))
    scale_file = folder / "scale" / f"{user.scale}.yaml"
    if not scale_file.exists():
        known = ", ".join(sorted(path.stem for path in scale_file.parent.glob("*.yaml")))
        raise UserError(f"{settings_file}: scale: there is no {scale_file}; scales: {known}")
    benchmark_file = folder / "benchmark.yaml"
    scale = parse(Scale, read_yaml(scale_file), str(scale_file))
    benchmark = parse(Benchmark, read_yaml(benchmark_file), str(benchmark_file))
    _refuse(scale_file, _dangling_in_scale(scale))
    _refuse(benchmark_file, _dangling_in_benchmark(benchmark, scale))
    return Config(
        scale_name=user.scale,
        device=user.device,
        seed=user.seed,
        on_bad_video=user.on_bad_video,
        scale=scale,
        benchmark=benchmark,
    )


def _refuse(file: Path, problems: list[str]) -> None:
    if problems:
        raise UserError("\n".join(f"{file}: {problem}" for problem in problems))


def _dangling_in_scale(scale: Scale) -> list[str]:
    named = {f"roles.{role}": name for role, name in scale.roles.model_dump().items()}
    for name, dataset in scale.datasets.items():
        if dataset.auxiliary:
            named[f"datasets.{name}.auxiliary"] = dataset.auxiliary
    problems = [
        f"{key}: there is no dataset {name!r}; datasets: {', '.join(scale.datasets)}"
        for key, name in named.items()
        if name not in scale.datasets
    ]
    problems += [
        f"datasets.{name}.auxiliary: a dataset cannot be its own, or it would be trained on its test videos"
        for name, dataset in scale.datasets.items()
        if dataset.auxiliary == name
    ]
    for key, name in named.items():
        wanted = "images" if key == "roles.images" else "videos"
        if name in scale.datasets and scale.datasets[name].media != wanted:
            problems.append(f"{key}: the dataset {name!r} does not hold {wanted}")
    return problems


def _dangling_in_benchmark(benchmark: Benchmark, scale: Scale) -> list[str]:
    runs, fusions = benchmark.runs, benchmark.fusions
    problems = [f"fusions.{name}: a run has this name too" for name in runs.keys() & fusions.keys()]
    problems += [f"runs.{name}.initialisation: {p}" for name in runs for p in _bad_start(name, runs)]
    problems += [
        f"fusions.{name}.{part}: there is no {part} run {getattr(fusion, part)!r}"
        for name, fusion in fusions.items()
        for part in ("spatial", "temporal")
        if getattr(fusion, part) not in runs or runs[getattr(fusion, part)].stream != part
    ]
    problems += _bad_shared_classes(benchmark, scale)
    for name, table in benchmark.tables.items():
        for number, row in enumerate(table.rows):
            found = _bad_row(row, benchmark, scale)
            problems += [f"tables.{name}.rows.{number} ({row.row}): {problem}" for problem in found]
    return problems


def _bad_start(name: str, runs: dict[str, Run]) -> list[str]:
    run, start = runs[name], runs[name].initialisation
    if start == "scratch":
        return []
    if start == "images":
        one_frame = run.stream == "spatial" and run.input.length == 1
        return [] if one_frame else ["only a run that sees one frame can start from `images`"]
    if start not in runs:
        return [f"there is no run {start!r}; it is `scratch`, `images` or a run"]
    if runs[start].initialisation != "scratch" or runs[start].auxiliary:
        return [f"the run {start!r} must itself start from scratch, and have no auxiliary dataset"]
    if runs[start].input != run.input:
        return [f"the run {start!r} has another input, so its layers do not fit"]
    return []


def _bad_shared_classes(benchmark: Benchmark, scale: Scale) -> list[str]:
    """Check what can be known before a dataset is indexed: those of generated sets."""
    problems = []
    for name, shared in benchmark.shared_classes.items():
        dataset = scale.datasets.get(name)
        if dataset and isinstance(dataset.source, Generated):
            problems += [
                f"shared_classes.{name}: the dataset has no class {unknown}"
                for unknown in sorted(set(shared) - set(dataset.source.classes))
            ]
    return problems


def _bad_row(row: Row, benchmark: Benchmark, scale: Scale) -> list[str]:
    if row.run is None:
        return []
    if row.run not in benchmark.runs and row.run not in benchmark.fusions:
        return [f"run: there is no run or fusion {row.run!r}"]
    has = scale.datasets[getattr(scale.roles, row.dataset)].splits
    return [f"splits: {row.dataset} has only {has} at this scale"] if max(row.splits) > has else []


def one_of(names: Iterable[str]) -> str:
    """Return a regular expression that matches just `names` (for a rule's wildcard)."""
    return "|".join(re.escape(name) for name in names) or "(?!)"

"""Reading the configuration, and refusing what is wrong in it before any job starts."""

import json
import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from twostream.config.benchmark import Benchmark, Comparison, Row
from twostream.config.fitting import fit
from twostream.config.model_names import unknown_model
from twostream.config.networks import NETWORK_KINDS, Backbone, Pretrained, StillImages
from twostream.config.scale import Scale, no_network
from twostream.config.settings import Config, UserSettings
from twostream.config.sources import DataSource, Generated
from twostream.files import UserError

Model = TypeVar("Model", bound=BaseModel)


def _kinds(union: Any) -> tuple[str, ...]:
    """The values of `kind` that tell apart the models of an annotated union."""
    models = get_args(get_args(union)[0])
    return tuple(kind for model in models for kind in get_args(model.model_fields["kind"].annotation))


# Behind these keys an error's location tells as what the value was read, which is no key; for networks that
# comes after the name.
KINDS = {
    "source": _kinds(DataSource),
    "pretrained": _kinds(Pretrained),
    "network": NETWORK_KINDS,
    "run": ("one", "several"),
    "than": ("one", "several"),
}


def parse(model: type[Model], content: Any, where: str) -> Model:
    """Return `content` (plain JSON-able data) as a `model`; raise UserError naming file and key."""
    try:
        return model.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise UserError("\n".join(_explain(e, where) for e in error.errors())) from None


def _explain(error: Any, where: str) -> str:
    key = ".".join(_keys(error["loc"]))
    where = f"{where}: {key}" if key else where
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key; config/README.md lists those there are"
    if error["type"] == "missing":
        return f"{where}: this key is missing"
    given = error.get("input")
    shown = f" (given: {given!r})" if isinstance(given, str | int | float | None) else ""
    return f"{where}: {error['msg'].removeprefix('Value error, ')}{shown}"


def _keys(location: tuple[str | int, ...]) -> list[str]:
    keys: list[str] = []
    before = ""
    for part in map(str, location):
        named = keys[-2:-1] == ["networks"] and part in NETWORK_KINDS
        if not named and part not in KINDS.get(before, ()):
            keys.append(part)
        before = part
    return keys


class _UniqueKeys(yaml.CSafeLoader):
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


def load_config(folder: str | Path = "config", overrides: dict[str, Any] | None = None) -> Config:
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
    _refuse(benchmark_file, _methods_of_no_dataset(benchmark, scale, folder))
    fitted, left_out = fit(benchmark, scale)
    if not fitted.tables:
        why = "\n".join(f"  {line}" for line in chain(*left_out.values()))
        raise UserError(f"{scale_file}: no table can be made of its datasets:\n{why}")
    choices = user.model_dump(exclude={"scale"})
    return Config(**choices, scale_name=user.scale, scale=scale, benchmark=fitted, left_out=left_out)


def names_at_other_scales(config: Config, folder: str | Path = "config") -> set[str]:
    """Return the names of datasets and published weights that other scale files have and this one has not."""
    return _names_at_all_scales(folder) - set(config.scale.datasets)


def _names_at_all_scales(folder: str | Path) -> set[str]:
    """They are read as they stand: what else may be wrong in other scales is no matter of this one."""
    names: set[str] = set()
    for file in sorted(Path(folder).glob("scale/*.yaml")):
        scale = read_yaml(file)
        names |= {str(name) for name in scale.get("datasets") or ()}
        pretrained = scale.get("pretrained")
        if isinstance(pretrained, dict) and "name" in pretrained:
            names.add(str(pretrained["name"]))
    return names


def _methods_of_no_dataset(benchmark: Benchmark, scale: Scale, folder: Path) -> list[str]:
    """Other scales may have the dataset that a method is for; then it is left out at this one."""
    of_images = [
        f"methods.{name}.dataset: {method.dataset} does not hold videos"
        for name, method in benchmark.methods.items()
        if method.dataset in scale.datasets and scale.datasets[method.dataset].media == "images"
    ]
    unknown = {n: m.dataset for n, m in benchmark.methods.items() if m.dataset not in scale.datasets}
    if not unknown:
        return of_images
    known = _names_at_all_scales(folder)
    return of_images + [
        f"methods.{name}.dataset: no scale has a dataset {dataset!r}"
        for name, dataset in unknown.items()
        if dataset not in known
    ]


def _refuse(file: Path, problems: list[str]) -> None:
    if problems:
        raise UserError("\n".join(f"{file}: {problem}" for problem in problems))


def _dangling_in_scale(scale: Scale) -> list[str]:
    named = {f"roles.{role}": name for role, name in scale.roles.model_dump(exclude_none=True).items()}
    if isinstance(scale.pretrained, StillImages):
        named["pretrained.dataset"] = scale.pretrained.dataset
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
        wanted = "images" if key == "pretrained.dataset" else "videos"
        if name in scale.datasets and (scale.datasets[name].media == "images") != (wanted == "images"):
            problems.append(f"{key}: the dataset {name!r} does not hold {wanted}")
    return problems + _bad_pretrained_name(scale) + _bad_backbones(scale)


def _bad_pretrained_name(scale: Scale) -> list[str]:
    if isinstance(scale.pretrained, StillImages) or scale.pretrained.name not in scale.datasets:
        return []
    return ["pretrained.name: a dataset has this name, and their models would have the same file"]


def _bad_backbones(scale: Scale) -> list[str]:
    named = {name: network for name, network in scale.networks.items() if isinstance(network, Backbone)}
    found = {name: unknown_model(network) for name, network in named.items()}
    return [f"networks.{name}.backbone: {problem}" for name, problem in found.items() if problem]


def _dangling_in_benchmark(benchmark: Benchmark, scale: Scale) -> list[str]:
    runs, fusions, methods = benchmark.runs, benchmark.fusions, benchmark.methods
    problems = [f"fusions.{name}: a run has this name too" for name in runs.keys() & fusions.keys()]
    problems += [
        f"methods.{name}: a run or fusion has this name too"
        for name in methods.keys() & (runs.keys() | fusions.keys())
    ]
    problems += [f"runs.{name}.{p}" for name in runs for p in _bad_network(name, benchmark, scale)]
    problems += [
        f"fusions.{name}.{stream}: there is no {stream} run {run!r}"
        for name, fusion in fusions.items()
        for stream, run in fusion.streams.items()
        if not _is_stream(run, stream, benchmark)
    ]
    problems += _bad_two_stream(benchmark)
    problems += _bad_shared_classes(benchmark, scale)
    for name, table in benchmark.all_tables.items():
        for number, row in enumerate(table.rows):
            found = _bad_row(row, benchmark, scale)
            problems += [f"tables.{name}.rows.{number} ({row.row}): {problem}" for problem in found]
    for claim in benchmark.claims:
        for comparison in claim.comparisons:
            found = _bad_comparison(comparison, benchmark, scale)
            problems += [f"claims, number {claim.number} ({claim.claim}): {problem}" for problem in found]
    return problems


def _is_stream(name: str, stream: str, benchmark: Benchmark) -> bool:
    """Whether a fusion may take this for one of its streams; what is not ours may be either."""
    return name in benchmark.methods or (name in benchmark.runs and benchmark.runs[name].stream == stream)


def _bad_two_stream(benchmark: Benchmark) -> list[str]:
    fusion = benchmark.fusions.get(benchmark.two_stream)
    if fusion is None:
        return [f"two_stream: there is no fusion {benchmark.two_stream!r}"]
    if not fusion.is_two_stream or set(fusion.streams.values()) & benchmark.methods.keys():
        of = "a spatial and a temporal run"
        return [f"two_stream: the fusion {benchmark.two_stream!r} must be of {of}, trained here"]
    return []


def _bad_network(name: str, benchmark: Benchmark, scale: Scale) -> list[str]:
    run = benchmark.runs[name]
    if run.network_name in scale.networks:
        found = _bad_start(name, benchmark, scale)
        return [f"initialisation: {found}"] if found else []
    called = "" if run.network else f" (a {run.stream} run has that of its stream's name)"
    return [f"network: {no_network(run.network_name, scale)}{called}"]


def _bad_start(name: str, benchmark: Benchmark, scale: Scale) -> str | None:
    runs, networks, pretrained = benchmark.runs, scale.networks, scale.pretrained
    run, start = runs[name], runs[name].initialisation
    if start == "scratch":
        return None
    if start == "images":
        if run.input.is_slow_fusion:
            return "slow fusion has other layers, so it cannot start from `images`"
        if networks[run.network_name] != networks[pretrained.network]:
            return (
                f"the run's network, {run.network_name}, has other layers than {pretrained.network}, which"
                " `pretrained` in the scale is for (`pretrained.network`)"
            )
        return None
    if start not in runs:
        return f"there is no run {start!r}; it is `scratch`, `images` or a run"
    if runs[start].initialisation != "scratch" or runs[start].auxiliary:
        return f"the run {start!r} must itself start from scratch, and have no auxiliary dataset"
    if runs[start].input != run.input:
        return f"the run {start!r} has another input, so its layers do not fit"
    if networks.get(runs[start].network_name) != networks[run.network_name]:
        return f"the run {start!r} has another network, so its layers do not fit"
    return None


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
    if not any(row.run in names for names in (benchmark.runs, benchmark.fusions, benchmark.methods)):
        return [f"run: there is no run, fusion or method {row.run!r}"]
    return _bad_splits(row, benchmark, scale)


def _bad_comparison(comparison: Comparison, benchmark: Benchmark, scale: Scale) -> list[str]:
    splits = comparison.published_splits
    key_of_splits = "paper_splits" if comparison.paper_splits else "splits"
    named = [
        (key, name) for pair in comparison.pairs for key, name in zip(("run", "than"), pair, strict=True)
    ]
    return _bad_splits(comparison, benchmark, scale) + [
        f"{key}: no table has a number of the paper's for {name!r}, {comparison.dataset} dataset,"
        f" {key_of_splits} {splits}; if you took its row out, take the comparison out too"
        for key, name in named
        if benchmark.published(name, comparison.dataset, splits) is None
    ]


def _bad_splits(of: Row | Comparison, benchmark: Benchmark, scale: Scale) -> list[str]:
    """Splits that the paper has and the scale has not are no mistake: what they are for is left out."""
    dataset = scale.roles.dataset(of.dataset)
    has = scale.datasets[dataset].splits if dataset else 0
    papers = len(getattr(benchmark.datasets, of.dataset).test_videos)
    if max(of.splits) <= max(has, papers):
        return []
    return [f"splits: {of.dataset} has only {has} at this scale, and {papers} in the paper"]


def one_of(names: Iterable[str]) -> str:
    """Return a regular expression that matches just `names` (for a rule's wildcard)."""
    return "|".join(re.escape(name) for name in names) or "(?!)"

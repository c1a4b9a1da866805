"""The files that hold datasets, as scripts are given them: indexes, and shards of frames and flow."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import get_args

from twostream.config.streams import Extracted
from twostream.files import UserError

WHAT: dict[Extracted, str] = {
    "frames": "frames",
    "flow": "forward flow",
    "backward_flow": "backward flow (for bidirectional inputs)",
}


@dataclass(frozen=True)
class DatasetFiles:
    """A dataset's index (CSV), and all its shards (ZIP) of what is needed: frames, flow, backward flow."""

    index: str
    shards: dict[Extracted, list[str]]

    def needed(self, name: Extracted) -> list[str]:
        """Return the shards of frames or flow; raise UserError if none were given."""
        if not self.shards.get(name):
            raise UserError(f"{_option(name)}: is missing; name the shards with the dataset's {WHAT[name]}")
        return self.shards[name]


def add_options(
    parser: argparse.ArgumentParser, extracted: Iterable[Extracted] = get_args(Extracted)
) -> None:
    """Add the options that name the files of datasets."""
    parser.add_argument(
        "--index",
        nargs="+",
        required=True,
        metavar="CSV",
        help="index of each dataset that the recipe names, in its order",
    )
    for name in extracted:
        parser.add_argument(
            _option(name),
            nargs="+",
            default=[],
            metavar="SHARD",
            help=f"all shards with {WHAT[name]}, dataset by dataset in the same order",
        )


def given_files(args: argparse.Namespace, shards: dict[str, int]) -> dict[str, DatasetFiles]:
    """Return the files of each dataset, of those given with `add_options`.

    `shards` says how many shards each dataset has, in the order in which their files are given. Raises
    UserError if an option names too few files or too many.
    """
    indexes = _shared_out("--index", args.index, dict.fromkeys(shards, 1))
    extracted = {
        name: _shared_out(_option(name), given, shards)
        for name in get_args(Extracted)
        if (given := getattr(args, name, []))
    }
    return {
        dataset: DatasetFiles(index, {name: files[dataset] for name, files in extracted.items()})
        for dataset, (index,) in indexes.items()
    }


def add_index(files: dict[str, DatasetFiles], dataset: str, index: str | None, option: str) -> None:
    """Add a dataset of which the index alone is read, unless its files are there.

    Raises UserError if they are not, and `option`, whose value `index` is, does not name it either.
    """
    if dataset not in files:
        if not index:
            raise UserError(f"{option}: is missing; name the index of {dataset}")
        files[dataset] = DatasetFiles(index, {})


def _shared_out(option: str, given: list[str], counts: dict[str, int]) -> dict[str, list[str]]:
    ends = list(accumulate(counts.values(), initial=0))
    if len(given) != ends[-1]:
        wanted = ", ".join(f"{count} of {dataset}" for dataset, count in counts.items())
        raise UserError(
            f"{option}: names {len(given)} files, and the recipe's datasets have {ends[-1]}; name all,"
            f" in this order: {wanted}"
        )
    return {dataset: given[a:b] for dataset, (a, b) in zip(counts, pairwise(ends), strict=True)}


def _option(name: Extracted) -> str:
    return f"--{name.replace('_', '-')}"

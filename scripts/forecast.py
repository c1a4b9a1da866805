"""Print what running a scale will take, before anybody spends GPU hours: time, disk, and GPUs side by side.

It is of all that `snakemake all figures` makes, from nothing: what is made already is not looked at. Times
are expected ones; what jobs ask of a scheduler (runtime, mem_mb) are upper estimates.
"""

import argparse
from collections.abc import Iterator
from textwrap import fill

from twostream import cli
from twostream.config.loading import load_config
from twostream.config.networks import Backbone
from twostream.config.settings import Config
from twostream.files import UserError
from twostream.plan.forecast import Forecast, disk_rows, forecast, path_rows, rule_rows, time_rows
from twostream.plan.plan import Plan
from twostream.plan.rates import GPUS, expected
from twostream.plan.sizes import BACKBONES
from twostream.plan.videos import videos_indexed
from twostream.results.formatting import as_text

WIDTH = 110
DVC = (
    "`dvc repro`, which records them, keeps a second copy of all but official videos where the file system"
    " cannot share blocks between files."
)
CORES = (
    "GPU jobs take no core here. Snakemake counts {threads} for a scoring, and for each GPU of a training (1"
    " + workers): with fewer than that to each GPU, fewer of them run at once."
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    parser.add_argument("--device", choices=["cpu", "cuda"], help="the device, if not config.yaml's")
    parser.add_argument("--gpu", choices=GPUS, default="h100", help="the kind of GPU (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=16, help="cores to each GPU (default: %(default)s)")
    args = parser.parse_args()
    if args.cores < 1:
        raise UserError(f"--cores: there must be 1 or more to each GPU (given: {args.cores})")
    config = configuration(args)
    found = forecast(Plan(config), videos_indexed(config.scale.datasets), expected(args.gpu))
    print(*(fill(line, WIDTH) for line in header(found, args.gpu)), sep="\n")
    show("Jobs by rule, and the most that one of them asks of a scheduler", as_text(rule_rows(found)))
    show("The longest chain of jobs, which no number of processors shortens", as_text(path_rows(found)))
    show("Disk at its fullest (estimated)", f"{as_text(disk_rows(found))}\n\n{fill(DVC, WIDTH)}")
    show("The whole, each job as soon as it can start", as_text(time_rows(found, args.cores)))
    if config.device == "cuda":
        print(f"\n{fill(CORES.format(threads=1 + config.workers), WIDTH)}")


def configuration(args: argparse.Namespace) -> Config:
    """The configuration; on a GPU with a worker for each of its cores, if config.yaml names none."""
    chosen = {key: value for key in ("scale", "device") if (value := vars(args)[key])}
    config = load_config(overrides=chosen)
    if config.device == "cuda" and not config.workers:
        return config.model_copy(update={"workers": args.cores})
    return config


def header(found: Forecast, gpu: str) -> Iterator[str]:
    """What this is a forecast of, and what of it is known how; a line each."""
    config, rates = found.config, expected(gpu)
    cuda = config.device == "cuda"
    yield (
        f"The scale {config.scale_name}, from nothing to tables, claims and figures, with"
        f" {f'GPUs like {gpu}, ' if cuda else ''}device={config.device}, gpus={config.gpus},"
        f" workers={config.workers}, seeds={config.seeds}."
    )
    yield (
        f"Measured: {(rates.gpu if cuda else rates.cpu).known}; on a CPU core, frames, the reading of fields,"
        " and SVMs (docs/full-scale.md, scripts/twostream/plan/rates.py). No training of CNN-M-2048 was run"
        " to its end."
    )
    yield (
        f"Estimated: all that is not marked as measured, as downloads ({1 / rates.fetched:.0f} MB/s), the"
        f" start of a job ({rates.start:.0f} s), and networks other than CNN-M-2048, slow fusion among them,"
        " by their sizes."
    )
    if unknown := [name for name in backbones(config) if name not in BACKBONES]:
        yield f"Taken to be as large as VGG-16, in time and on disk: {', '.join(unknown)}."
    if found.not_indexed:
        yield (
            "Not indexed yet, so taken to have as many videos as the paper or the scale says:"
            f" {', '.join(found.not_indexed)}."
        )


def backbones(config: Config) -> list[str]:
    """The networks of libraries that the scale names."""
    networks = config.scale.networks.values()
    return [network.backbone for network in networks if isinstance(network, Backbone)]


def show(title: str, text: str) -> None:
    """Print something under a title."""
    print(f"\n{title}\n\n{text}")


if __name__ == "__main__":
    cli.run(main)

"""How long `snakemake` and `dvc repro` take with nothing to do, at the full scale's number and size of files.

`PYTHONPATH=scripts python benchmarks/bench_noop.py --folder /empty/folder [--share 1.0]`, with the
environment active. The files are placeholders with holes for contents, `share` of their full size; they
take no room on most file systems, but DVC reads them all once, as after a first computation.
"""

import argparse
import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import yaml

from twostream import paths
from twostream.config.loading import load_config
from twostream.plan.plan import Plan
from twostream.provenance.records import recorded
from twostream.provenance.steps import Step

ROOT = Path(__file__).resolve().parent.parent
# Bytes of one file, from docs/full-scale.md.
SIZES = {
    "frames": 95e9 / 96,
    "flow": 67e9 / 160,
    "models": 0.36e9,
    "scores": 10e6,
    "official": 0.45e6,
    "other": 2e6,
}
VIDEOS = {"ucf101": (101, 13_320), "hmdb51": (51, 6_766)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder to work in")
    parser.add_argument("--share", type=float, default=1.0, help="of the files' full size")
    args = parser.parse_args()
    subprocess.run(["git", "clone", "--quiet", ROOT, args.folder], check=True)
    os.chdir(args.folder)
    prepare(args.share)
    for name, command in (
        ("snakemake -n, first", ["snakemake", "-n"]),
        ("snakemake -n", ["snakemake", "-n"]),
        ("dvc repro, first: hashes and records everything", ["dvc", "repro"]),
        ("dvc repro", ["dvc", "repro"]),
        ("dvc status", ["dvc", "status"]),
        ("snakemake -n, after dvc", ["snakemake", "-n"]),
    ):
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        jobs = (done.stdout + done.stderr).count("\nrule ")
        print(
            f"{name:50} {time.monotonic() - started:7.1f} s, {jobs} jobs, exit {done.returncode}", flush=True
        )


def prepare(share: float) -> None:
    """Write placeholders for all that the tables take, with their records, and the videos."""
    settings = Path("config/config.yaml")
    settings.write_text(yaml.safe_dump(yaml.safe_load(settings.read_text()) | {"scale": "paper"}))
    subprocess.run(["dvc", "config", "cache.type", "hardlink"], check=True)
    plan = Plan(load_config())
    for table in plan.benchmark.tables:
        make(plan.step("make_table", SimpleNamespace(table=table)), share)
    for dataset, (classes, count) in VIDEOS.items():
        for video in range(count):
            placeholder(Path(f"data/official/{dataset}/{video % classes}/{video}.avi"), share)
    print(f"{len(paths.artefacts_here())} artefacts, {sum(count for _, count in VIDEOS.values())} videos")


def make(step: Step, share: float) -> None:
    """Write placeholders for a step's outputs, and for all that they are made from."""
    for upstream in step.made_from:
        make(upstream, share)
    for output in step.outputs:
        if not Path(output).exists():
            with recorded(output, step.recipe.model_dump(mode="json"), step.whole_spec):
                placeholder(Path(output), share)


def placeholder(file: Path, share: float) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    kind = next((kind for kind in SIZES if kind in file.parts), "other")
    with file.open("wb") as stream:
        # No two the same, or DVC would keep one.
        stream.write(str(file).encode())
        stream.truncate(int(SIZES[kind] * share))


if __name__ == "__main__":
    main()

"""What the portable arithmetic costs: CPU seconds of the default scale from nothing, in each arithmetic.

Both run one after the other, several times, each in a new clone of this commit below --folder.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from twostream.arithmetic import processor

ROOT = Path(__file__).resolve().parent.parent
ARITHMETICS = ("native", "portable")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="a new one, for the clones (1 GB each)")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    args = parser.parse_args()
    seconds: dict[str, list[float]] = {arithmetic: [] for arithmetic in ARITHMETICS}
    for number in range(args.times):
        # The other one first each time, as a machine's speed drifts.
        for arithmetic in ARITHMETICS[:: -1 if number % 2 else 1]:
            cpu, wall = run(args.folder / f"{arithmetic}{number}", arithmetic, args.cores)
            seconds[arithmetic].append(cpu)
            print(f"{arithmetic}: {cpu:.0f} CPU seconds, {wall:.0f} s on {args.cores} cores", flush=True)
    native, portable = (statistics.median(seconds[arithmetic]) for arithmetic in ARITHMETICS)
    print(f"{processor()}: medians {native:.0f} and {portable:.0f} s, {portable / native:.2f} times")


def run(folder: Path, arithmetic: str, cores: int) -> tuple[float, float]:
    """Run the default scale in a new clone; return its CPU seconds and its seconds."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    began, before = time.perf_counter(), _cpu_seconds()
    # What this process was told (portable) is not what the call is to go by.
    environment = {name: value for name, value in os.environ.items() if name != "TWOSTREAM_ARITHMETIC"}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    config = ["--config", f"arithmetic={arithmetic}"]
    command = ["snakemake", "--cores", str(cores), *config, "--quiet", "all", "--", "all", "figures"]
    with open(folder.with_suffix(".log"), "w") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
    return _cpu_seconds() - before, time.perf_counter() - began


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()

"""Make all that a scale's tables, claims and figures take, and compare each byte with what is published.

Exits 0 only if every frame, flow, model, score, table and figure has the published bytes; else it names the
first that has not, in the order in which they are made. docs/arithmetic.md says on which processors they do.
"""

import argparse
import subprocess
import sys

from twostream import arithmetic, cli
from twostream.config.loading import load_config
from twostream.plan.digests import DIGESTS, digests_of, read_digests
from twostream.plan.plan import Plan
from twostream.plan.reproduction import check_possible, differences, lock_differences
from twostream.results.documents import PUBLISHED


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", help="the scale, if not config.yaml's")
    scale = parser.parse_args().scale
    plan = Plan(load_config(overrides={"scale": scale} if scale else None))
    published = read_digests(PUBLISHED / plan.config.scale_name / DIGESTS)
    check_possible(plan)
    chosen = ["--config", f"scale={scale}"] if scale else []
    made = subprocess.run(["snakemake", "--cores", "all", *chosen, "--", "all", "figures"])
    if made.returncode:
        sys.exit(made.returncode)
    here = digests_of(plan)
    found = list(differences(here, published, plan))
    files = sum(len(digest.files) for digest in here.values())
    print("\n".join(found or [f"All {files} files of {len(here)} artefacts have the published bytes."]))
    print("\n".join([*lock_differences(plan.more_here()), f"Computed on: {arithmetic.processor()}"]))
    if found:
        sys.exit(1)


if __name__ == "__main__":
    cli.run(main)

"""Write dvc.yaml: after a change to the stages, their folders, or the tables in benchmark.yaml."""

import argparse
from pathlib import Path

from twostream import cli
from twostream.config.loading import load_config
from twostream.files import atomic_write
from twostream.plan.dvc_stages import dvc_yaml


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with atomic_write(Path("dvc.yaml")) as part:
        part.write_text(dvc_yaml(load_config().benchmark), encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

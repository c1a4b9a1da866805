"""Write dvc.yaml: after a change to the stages, their folders, or the tables in benchmark.yaml."""

import argparse
from pathlib import Path

from twostream import cli
from twostream.files import written_whole
from twostream.loading import load
from twostream.stages import dvc_yaml


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with written_whole(Path("dvc.yaml")) as part:
        part.write_text(dvc_yaml(load().benchmark), encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

"""Write the JSON schemas of the configuration's files, which editors check and complete keys by.

After a change to the models in `twostream/config`.
"""

import argparse
import json
from pathlib import Path

from pydantic import BaseModel

from twostream import cli
from twostream.config.benchmark import Benchmark
from twostream.config.scale import Scale
from twostream.config.settings import UserSettings
from twostream.files import atomic_write

FOLDER = Path("config/schema")
MODELS: dict[str, type[BaseModel]] = {"config": UserSettings, "scale": Scale, "benchmark": Benchmark}


def schema(name: str) -> str:
    """Return the schema of a kind of file, as it is written."""
    return json.dumps(MODELS[name].model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    for name in MODELS:
        with atomic_write(FOLDER / f"{name}.json") as part:
            part.write_text(schema(name), encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

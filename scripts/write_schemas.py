"""Write the schemas that editors check the configuration by, and the tables of keys in its manual.

From the models in `twostream/config`, after a change to them: a key is described by the docstring below it.
"""

import argparse
import json
from pathlib import Path

from twostream import cli
from twostream.config.manual import MANUAL, with_keys
from twostream.config.schemas import MODELS, schema
from twostream.files import atomic_write

FOLDER = Path("config/schema")


def written(name: str) -> str:
    """Return the schema of a kind of file, as it is written."""
    return json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    # All of them first, so that nothing is written if one cannot be.
    texts = {FOLDER / f"{name}.json": written(name) for name in MODELS}
    texts[MANUAL] = with_keys(MANUAL.read_text(encoding="utf-8"))
    for file, text in texts.items():
        with atomic_write(file) as part:
            part.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)

"""Set aside the artefacts that the configuration no longer names, before DVC records a stage.

`python scripts/set_aside.py temporal` moves those of removed runs, datasets, fusions and tables out of
the stage's folders, to `scratch/set-aside`, so that they leave DVC's outputs; it makes folders that are
missing, as DVC expects each. What the configuration names at any scale stays.
"""

import argparse
from pathlib import Path

from twostream import cli
from twostream.leftovers import leftovers, set_aside
from twostream.loading import load, names_at_all_scales
from twostream.locking import lock_folder
from twostream.plan import Plan
from twostream.stages import FOLDERS


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stage", choices=FOLDERS)
    folders = FOLDERS[parser.parse_args().stage]
    lock_folder()
    for artefact in leftovers(Plan(load()), names_at_all_scales(), folders):
        print(f"{artefact}: the configuration names no such artefact; moved to {set_aside(artefact)}")
    for folder in folders:
        Path(folder).mkdir(parents=True, exist_ok=True)


if __name__ == "__main__":
    cli.run(main)

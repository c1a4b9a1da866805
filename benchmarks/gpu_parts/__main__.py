"""One part, in this process: `python -m gpu_parts NAME MODULE REPORT DEVICE SIZES`."""

import sys
from importlib import import_module
from pathlib import Path

# First, as it sets what libraries read as they load.
import twostream  # noqa: F401

# isort: split

from gpu_parts.place import MISSING, Place, why_missing
from gpu_parts.report import Report
from gpu_parts.sizes import SIZES


def main() -> None:
    name, module, report, device, sizes = sys.argv[1:]
    try:
        import_module(module).measure(Place(name, device, SIZES[sizes], Report(Path(report))))
    except ImportError as error:
        print(why_missing(error), file=sys.stderr)
        sys.exit(MISSING)


if __name__ == "__main__":
    main()

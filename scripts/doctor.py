"""Print what a report of a problem needs: versions, machine, GPU, disks, what is missing or stale, and why.

It computes nothing and writes nothing, and says what it can where packages are missing: any Python from 3.11
on will do. `make doctor` calls it.
"""

import argparse

from twostream.doctor.report import report


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    for line in report():
        print(line, flush=True)


if __name__ == "__main__":
    main()

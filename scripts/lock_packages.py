"""Write requirements/*.txt from the groups of pyproject.toml: all packages, with versions and hashes.

All groups are resolved as one, for every Python from 3.11 on and every system; the file of a group holds
what that of `tables` has not, except that of `pip`, which is installed before it. What is locked already
keeps its version unless pyproject.toml asks for another; --upgrade takes the newest of what it does not
name. `make lock` calls this.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

FOLDER = Path("requirements")
COMPILE = (
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    # One version of a package for all Pythons, where there is one.
    *("--fork-strategy", "fewest"),
    *("--generate-hashes", "--no-header", "--no-annotate"),
)
HEADER = "# Written by `make lock` from pyproject.toml.\n"
PACKAGE = re.compile(r"^\w.*\n(?:    .*\n)*", re.MULTILINE)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upgrade", action="store_true")
    upgrade = ["--upgrade"] if parser.parse_args().upgrade else []
    groups = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "all.txt"
        # uv keeps the versions in the file that it is to write.
        whole.write_text("".join(file.read_text(encoding="utf-8") for file in sorted(FOLDER.glob("*.txt"))))
        packages(groups, "--output-file", str(whole), *upgrade)
        found = {group: packages([group], "--constraints", str(whole)) for group in groups}
    for group, own in found.items():
        there = [] if group in ("tables", "pip") else found["tables"]
        lines = [package for package in own if package not in there]
        write_changed(FOLDER / f"{group}.txt", HEADER + "".join(lines))


def packages(groups: list[str], *options: str) -> list[str]:
    """Return what groups need, a package an entry: its name, version and marker, and its hashes."""
    named = [option for group in groups for option in ("--group", group)]
    done = subprocess.run([*COMPILE, *named, *options], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        # uv has said why.
        sys.exit(done.returncode)
    return PACKAGE.findall(done.stdout)


def write_changed(file: Path, text: str) -> None:
    """Write a file if it does not hold that text, as make installs anew what is newer than .venv."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

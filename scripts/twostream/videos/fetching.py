"""Videos that a list names by their addresses, fetched one by one: by HTTP, or by a user's command."""

import hashlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from twostream.config.sources import Archive, Mirror
from twostream.downloads import UnavailableError, changed, fetch, forget
from twostream.files import UserError, sha256, some
from twostream.progress import ProgressBar
from twostream.videos.decoding import why_unusable
from twostream.videos.listing import SUFFIXES

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
    checksums, which files that are there must have too. A video comes whole or not at all, and one that was
    begun is gone on with. What cannot be used as a video is not kept, but if it is what the list has. Raises
    UserError if there is no such program, or the folder cannot be written to.
    """
    missing = {address: name for address, name in names.items() if not (folder / name).exists()}
    reasons = {}
    if not command:
        files = {a: folder / name for a, name in names.items() if a not in missing and not sums.get(a)}
        reasons = {names[address]: why for address, why in changed(files, known).items()}
    unreached: dict[str, str] = {}
    try:
        for address, name in ProgressBar(list(missing.items()), "fetching") if missing else ():
            place = folder / ON_ITS_WAY / _short_hash(address)
            try:
                place.mkdir(parents=True, exist_ok=True)
                if command:
                    file = _by_command(command, address, sums.get(address), place)
                else:
                    file = _by_http(address, sums.get(address), place, known, unreached)
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                file.replace(folder / name)
                shutil.rmtree(place)
            except _NotHadError as error:
                reasons[name] = str(error)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    finally:
        for path, _, _ in os.walk(folder / ON_ITS_WAY, topdown=False):
            # What is not empty stays.
            with suppress(OSError):
                Path(path).rmdir()
    return reasons


def _by_http(address: str, expected: str | None, place: Path, known: Path, unreached: dict[str, str]) -> Path:
    """Fetch a file; `unreached` has hosts that were not, each with the address that they were asked for."""
    try:
        mirror = Mirror(url=address, sha256=expected.lower() if expected else None)
    except ValueError:
        raise _NotHadError(f"{address}: names no file; a command may fetch it (`fetch`)") from None
    host = urlsplit(address).netloc
    if host in unreached:
        raise _NotHadError(f"{address}: not asked for, as {host} could not be reached for {unreached[host]}")
    try:
        file = fetch(Archive(sources=[mirror]), place, known)
    except UnavailableError as error:
        if error.unreached:
            unreached[host] = address
        raise _NotHadError("; ".join(error.problems)) from None
    if not expected and (why := why_unusable(file, "videos")):
        file.unlink()
        forget(address, known)
        raise _NotHadError(f"{address}: what the server sends cannot be used ({why}); the file was deleted")
    return file


def _by_command(command: str, address: str, expected: str | None, place: Path) -> Path:
    """Run the command, without a shell; return the video that it has written."""
    begun = place / _short_hash(command)
    if not begun.exists():
        # What another command, or HTTP, has begun is nothing that this one could go on with.
        shutil.rmtree(place)
        begun.mkdir(parents=True)
    out, program = begun / "video", shlex.split(command)[0]
    before = _state(begun)
    said = _run(command, address, out)
    written = [begun / name for name, state in sorted(_state(begun).items()) if state != before.get(name)]
    # Some programs add an ending to the name that they are given, and write other files beside it.
    videos = [file for file in written if file.suffix.lower() in SUFFIXES["videos"]]
    found = [out] if out in written else videos or written
    if len(found) != 1:
        files = some(file.name for file in found) if found else "no file"
        why = f"ends well, and has written {files} where one video was to be{said}"
    elif expected and (sha := sha256(found[0])) != expected.lower():
        why = f"ends well, and the file's sha256 is {sha} and should be {expected}; the file was deleted"
    elif not expected and (not_usable := why_unusable(found[0], "videos")):
        why = f"ends well, and what it has written cannot be used ({not_usable}){said}"
    else:
        return found[0]
    # It holds this to be done, so it would not write it anew.
    shutil.rmtree(begun)
    raise _NotHadError(f"{address}: {program} {why}")


def _run(command: str, address: str, out: Path) -> str:
    """Run the command; return the last of what it says, to be told behind a reason."""
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
    last = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()][-LINES:]
    if done.returncode:
        said = " | ".join(last) or "it says nothing"
        raise _NotHadError(f"{address}: {arguments[0]} ends with {done.returncode}: {said}")
    return f": {' | '.join(last)}" if last else ""


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of each file; a file that is written gets others."""
    states = {file.name: file.stat() for file in folder.iterdir() if file.is_file()}
    return {name: (state.st_size, state.st_mtime_ns) for name, state in states.items()}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]

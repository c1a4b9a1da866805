"""Archives fetched from the first source that has them whole.

The transfer is done with requests. pooch, which would otherwise do this work, opens its output anew
at each try (`HTTPDownloader`), so that a line which breaks near the end of seven gigabytes would cost
all seven; requests, which pooch itself builds on, lets a transfer go on where it ended.
"""

import hashlib
import json
import os
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import requests
from pydantic import RootModel

from twostream.config.loading import parse
from twostream.config.sources import Archive, Mirror
from twostream.config.types import SHA256, Count, Strict
from twostream.files import UserError, write_json
from twostream.progress import ProgressBar

TRIES = 5  # in succession that bring nothing new
FIRST_WAIT = 2.0  # seconds, doubled after each such try
TIMEOUT = (30, 120)  # seconds to connect, and to wait for the next bytes
CHUNK = 1 << 16  # bytes; a connection that breaks loses less than one
BUSY = {408, 429}  # with 5xx, the answers that a later try may better


class UnavailableError(UserError):
    """No source has the file whole; `problems` says of each what is wrong with it.

    unreached: whether not one of their servers could be reached.
    """

    def __init__(self, name: str, problems: list[str], unreached: bool) -> None:
        listed = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(
            f"{name} could not be fetched:\n{listed}\n"
            "Try again later, or name in the config another source of it, or the folder or file that you"
            " have."
        )
        self.problems, self.unreached = problems, unreached


class KnownFile(Strict):
    sha256: SHA256
    size: Count


class KnownFiles(RootModel[dict[str, KnownFile]]):
    """What the first download from each url brought."""


class _SourceError(Exception):
    """This source does not have the file; the next one may."""


class _UnreachedError(_SourceError):
    """No try has reached the server."""


class _BrokenOffError(Exception):
    """The transfer ended early; another try may go on from there. reached: whether the server was."""

    def __init__(self, why: str, reached: bool = True) -> None:
        super().__init__(why)
        self.reached = reached


def fetch(archive: Archive, folder: Path, known: Path) -> Path:
    """Return the archive's path in `folder`, fetched from its first source that has the right bytes.

    The file is named as at the end of the source's url. One that is there and right is not fetched
    again. A transfer that broke off, in this run or an earlier one, is taken up where it ended. A file
    is right if it has the size and the checksum that its source gives. Where the source gives no
    sha256, sha256 and size of the first download are recorded in `known` (JSON, by url), and every
    later file must have them; a file that the user put there before any download is taken as it is.

    Raises UnavailableError that lists each source and what is wrong with it, and UserError if the disk is
    full or something is wrong with `known`.
    """
    recorded = _read_known(known)
    problems, errors = [], []
    for source in archive.sources:
        path = folder / source.name
        if path.is_file():
            problem = _what_is_wrong(path, source, recorded.get(source.url), known)
            if problem is None:
                return path
            problems.append(f"{path}: {problem}")
    for source in archive.sources:
        try:
            path = _fetch_from(source, folder, known)
            for other in archive.sources:
                _Part(folder, other).delete()
            return path
        except _SourceError as error:
            problems.append(f"{source.url}: {error}")
            errors.append(error)
        except OSError as error:
            raise UserError(
                f"{error.filename or folder}: cannot be written to: {error.strerror or error}"
            ) from None
    unreached = all(isinstance(error, _UnreachedError) for error in errors)
    raise UnavailableError(archive.sources[0].name, problems, unreached)


def changed(files: Mapping[str, Path], known: Path) -> dict[str, str]:
    """Return how files differ from what the first download from a url was, as recorded, by that url.

    What is no file, or cannot be read, is not looked at.
    """
    recorded = _read_known(known)
    looked_at = [
        u for u, path in files.items() if u in recorded and path.is_file() and os.access(path, os.R_OK)
    ]
    sums = ProgressBar(looked_at, "checksums") if looked_at else ()
    return {url: why for url in sums if (why := _differs(files[url], recorded[url], known))}


def forget(url: str, known: Path) -> None:
    """Take out of the record what the first download from a url was."""
    recorded = _read_known(known)
    if recorded.pop(url, None):
        write_json(known, KnownFiles(recorded).model_dump())


def _fetch_from(source: Mirror, folder: Path, known: Path) -> Path:
    """Bring the source's file into the folder, whole and checked; else raise _SourceError."""
    folder.mkdir(parents=True, exist_ok=True)
    part = _Part(folder, source)
    _transfer_patiently(part)
    recorded = _read_known(known)
    problem = _what_is_wrong(part.path, source, recorded.get(source.url), known)
    if problem:
        part.delete()
        raise _SourceError(f"{problem}; the file was deleted")
    if source.sha256 is None and source.url not in recorded:
        file = KnownFile(sha256=_checksum(part.path, "sha256"), size=part.size)
        write_json(known, KnownFiles(recorded | {source.url: file}).model_dump())
    return part.finish()


# --- What a file must be ---


def _read_known(known: Path) -> dict[str, KnownFile]:
    if not known.exists():
        return {}
    try:
        return parse(KnownFiles, json.loads(known.read_text()), str(known)).root
    except (OSError, ValueError) as error:
        raise UserError(f"{known}: cannot be read as JSON ({error}); restore it, or delete it") from None


def _what_is_wrong(path: Path, source: Mirror, recorded: KnownFile | None, known: Path) -> str | None:
    """Return how the file differs from what its source gives or an earlier download was, if it does."""
    size = path.stat().st_size
    if size == 0:
        return "the file is empty"
    if source.size is not None and size != source.size:
        return f"the file has {size:,} bytes and should have {source.size:,}"
    for kind, given in (("sha256", source.sha256), ("md5", source.md5)):
        if given and (found := _checksum(path, kind)) != given:
            return f"the file's {kind} is {found} and should be {given}"
    return _differs(path, recorded, known) if recorded and not source.sha256 else None


def _differs(path: Path, recorded: KnownFile, known: Path) -> str | None:
    if (found := _checksum(path, "sha256")) == recorded.sha256:
        return None
    return (
        f"the file's sha256 is {found} ({path.stat().st_size:,} bytes), but at the first download it was "
        f"{recorded.sha256} ({recorded.size:,} bytes), as recorded in {known}; if you know that "
        "the new file is right, remove this url there"
    )


def _checksum(path: Path, kind: str) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, kind).hexdigest()


# --- The transfer ---


class _Part:
    """A file on its way: its bytes so far, and beside them which url and which version they are of."""

    def __init__(self, folder: Path, source: Mirror) -> None:
        self.source = source
        self.path = folder / f"{source.name}.part"
        self._origin = folder / f"{source.name}.part.origin"

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def version(self) -> str | None:
        """The version that the bytes are of; None if there are none to go on from."""
        if not self.size or not self._origin.exists():
            return None
        url, _, version = self._origin.read_text().partition("\n")
        return version if url == self.source.url else None

    def start_anew(self, version: str | None) -> None:
        self.delete()
        # Without a version two halves of different files could be joined: nothing to go on from.
        if version:
            self._origin.write_text(f"{self.source.url}\n{version}")

    def finish(self) -> Path:
        self._origin.unlink(missing_ok=True)
        return self.path.replace(self.path.with_name(self.source.name))

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)
        self._origin.unlink(missing_ok=True)


def _transfer_patiently(part: _Part) -> None:
    """Transfer until the file is whole; raise _SourceError once several tries bring nothing new."""
    farthest, idle, reached = part.size, 0, False
    while True:
        try:
            return _transfer(part)
        except _BrokenOffError as error:
            reached = reached or error.reached
            idle = 0 if part.size > farthest else idle + 1
            farthest = max(farthest, part.size)
            if idle == TRIES:
                kind = _SourceError if reached else _UnreachedError
                raise kind(f"{error} ({TRIES} tries)") from None
        time.sleep(FIRST_WAIT * 2**idle)


def _transfer(part: _Part) -> None:
    """Ask once for what is missing of the file, and add to it what comes."""
    headers = {"Accept-Encoding": "identity"}  # the file's own bytes, as its size and checksum count them
    if part.version:
        # A server whose file has changed since answers If-Range with the whole of the new one.
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.version}
    try:
        with requests.get(part.source.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if part.size and response.headers.get("Content-Range") == f"bytes */{part.size}":
                return  # nothing is missing: an earlier run ended between transfer and check
            _refuse(response, part)
            _save(response, part)
    except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
        reason = _innermost(error)
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise _SourceError(f"the server's certificate is not accepted: {reason}") from None
        reached = not _is_unreachable(error, part.source.url)
        raise _BrokenOffError(f"the connection fails: {reason}", reached) from None
    except requests.RequestException as error:
        raise _SourceError(str(error)) from None


def _refuse(response: requests.Response, part: _Part) -> None:
    """Raise what follows from an answer that does not bring the file."""
    status = f"the server answers {response.status_code} {response.reason}"
    if response.status_code in BUSY or response.status_code >= 500:
        raise _BrokenOffError(status)
    if response.status_code == 416 or (response.status_code == 206 and not _goes_on(response, part)):
        part.delete()
        raise _BrokenOffError(f"{status}, which is not the part that was asked for")
    if response.status_code not in (200, 206):
        raise _SourceError(status)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise _SourceError("the server sends a web page in place of the file")


def _goes_on(response: requests.Response, part: _Part) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-")


def _save(response: requests.Response, part: _Part) -> None:
    if response.status_code == 200:
        part.start_anew(_version(response))
    start = part.size
    length = response.headers.get("Content-Length")
    total = start + int(length) if length else None
    wanted = part.source.size
    if total and wanted and total != wanted:
        part.delete()
        raise _SourceError(f"the file has {total:,} bytes and should have {wanted:,}")
    bar = ProgressBar(desc=part.source.name, total=total, initial=start, unit="B", unit_scale=True)
    with bar, part.path.open("ab") as stream:
        for chunk in response.iter_content(CHUNK):
            stream.write(chunk)
            bar.update(len(chunk))
    if total and part.size < total:
        raise _BrokenOffError(f"the connection ends after {part.size:,} of {total:,} bytes")


def _version(response: requests.Response) -> str | None:
    """Return what tells this version of the file from another, if the server says so."""
    tag = response.headers.get("ETag", "W/")
    # A weak tag (W/) does not promise the same bytes, and If-Range must not be asked with it.
    return response.headers.get("Last-Modified") if tag.startswith("W/") else tag


def _is_unreachable(error: requests.RequestException, url: str) -> bool:
    """Whether it is the url's own server that cannot be reached, and not one that it leads to."""
    asked = error.request.url if error.request is not None else url
    is_own = urlsplit(str(asked)).netloc == urlsplit(url).netloc
    # Nor one that ends a connection, or takes its time to answer: it may do so for this file alone.
    ended = isinstance(_innermost(error), ConnectionResetError | ConnectionAbortedError | BrokenPipeError)
    return is_own and isinstance(error, requests.ConnectionError) and not ended


def _innermost(error: BaseException) -> BaseException:
    """Return the error that others were wrapped around; it says in plain words what happened."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error

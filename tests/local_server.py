"""A server on this machine that serves files, and fails in the ways that servers do."""

import contextlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """A file on the server, and the ways in which the server fails."""

    content: bytes
    version: str | None = '"1"'
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)  # bytes after which each answer breaks off
    statuses: list[int] = field(default_factory=list)  # of the first answers, in place of the file
    type: str = "application/zip"
    moved: str | None = None  # to this address; an empty one ends the connection without an answer


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Range"]))
        file = self.server.files.get(self.path)
        if file is None or file.statuses:
            self.send_error(file.statuses.pop(0) if file else 404)
            return
        if file.moved is not None:
            if file.moved:
                self.send_response(302)
                self.send_header("Location", file.moved)
                self.end_headers()
            return
        start = self.start(file)
        if start and start == len(file.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{start}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            last = len(file.content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{last + 1}")
        if file.version:
            self.send_header("ETag", file.version)
        self.send_header("Content-Type", file.type)
        self.send_header("Content-Length", str(len(file.content) - start))
        self.end_headers()
        sent = file.breaks.pop(0) if file.breaks else len(file.content)
        with contextlib.suppress(ConnectionError):  # the client may have seen enough
            self.wfile.write(file.content[start : start + sent])

    def start(self, file: Served) -> int:
        """Where the answer begins: at the asked byte only if the version is still the same."""
        asked = self.headers["Range"]
        if asked and file.ranges and self.headers["If-Range"] == file.version:
            return int(asked.removeprefix("bytes=").rstrip("-"))
        return 0

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.asked: list[tuple[str, str | None]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.asked]

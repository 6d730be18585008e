"""A stand-in for the Hub on loopback: data sets in a folder, served to the real `datasets` and `huggingface_hub`.

Read-only so far. Each data set is a folder NAMESPACE/NAME; any revision serves the same files, and the revisions that
were asked for are kept, so that a test can see what a client pins.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


def commit(revision: str) -> str:
    """The commit that a revision stands for: itself where it is one."""
    return revision if len(revision) == 40 else "5" * 40


class Hub(ThreadingHTTPServer):
    """The server; `endpoint` goes into HF_ENDPOINT."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.revisions: set[str] = set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(root: Path) -> Iterator[Hub]:
    """Serve the data sets under a folder until the end of the block."""
    hub = Hub(root)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self._parts()
        if parts[:2] == ["api", "datasets"] and parts[4:5] == ["paths-info"]:
            paths = json.loads(asked).get("paths", [])
            files = {entry["path"]: entry for entry in self._entries(parts[2], parts[3])}
            self._send(json.dumps([files[path] for path in paths if path in files]).encode())
        else:
            self._missing()

    def log_message(self, *_: object) -> None:
        pass

    def _parts(self) -> list[str]:
        return [unquote(part) for part in urlsplit(self.path).path.split("/") if part]

    def _answer(self, *, with_body: bool) -> None:
        parts = self._parts()
        if parts[:1] == ["datasets"] and parts[3:4] == ["resolve"]:
            self.server.revisions.add(parts[4])
            path = self.server.root.joinpath(*parts[1:3], *parts[5:])
            self._file(path, commit(parts[4]), with_body=with_body)
        elif parts[:2] == ["api", "datasets"] and parts[4:5] in (["revision"], ["tree"]):
            self.server.revisions.add(parts[5])
            entries = self._entries(parts[2], parts[3])
            if parts[4] == "tree":
                recursive = "recursive=true" in urlsplit(self.path).query.lower()
                under = Path(*parts[6:])
                inside = [one for one in entries if under in Path(str(one["path"])).parents]
                self._send(
                    json.dumps([one for one in inside if recursive or Path(str(one["path"])).parent == under]).encode()
                )
                return
            about = {"id": "/".join(parts[2:4]), "sha": commit(parts[5]), "private": False, "tags": []}
            siblings = [{"rfilename": one["path"]} for one in entries if one["type"] == "file"]
            self._send(json.dumps({**about, "downloads": 0, "likes": 0, "siblings": siblings}).encode())
        else:
            self._missing()

    def _entries(self, space: str, name: str) -> list[dict[str, object]]:
        home = self.server.root / space / name
        return [
            {
                "type": "file" if path.is_file() else "directory",
                "path": path.relative_to(home).as_posix(),
                "size": path.stat().st_size if path.is_file() else 0,
                "oid": hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()[:40],
            }
            for path in sorted(home.rglob("*"))
        ]

    def _file(self, path: Path, revision: str, *, with_body: bool) -> None:
        if not path.is_file():
            self._missing()
            return
        data = path.read_bytes()
        etag = f'"{hashlib.sha256(data).hexdigest()[:40]}"'
        first, last = 0, len(data) - 1
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            low, _, high = asked.removeprefix("bytes=").partition("-")
            first, last = int(low or 0), min(last, int(high or last))
        self.send_response(206 if asked else 200)
        self.send_header("ETag", etag)
        self.send_header("X-Repo-Commit", revision)
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        if with_body:
            self.wfile.write(data[first : last + 1])

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _missing(self) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", "0")
        self.end_headers()

"""A hub of one repository on this machine: the few answers that a download asks for."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """What the server has and was asked.

    Attributes:
        repository: The only one there is.
        files: Content by name; weights are large files, as the hub keeps them.
        gated: Ask for consent.
        cut: Break off answers with large files behind so many bytes.
        log: Method and path of every request.
    """

    repository: str
    files: Mapping[str, bytes]
    gated: bool = False
    cut: int | None = None
    log: list[str] = field(default_factory=list)
    url: str = ""


def is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".bin"))


def _sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _tree(hub: Hub) -> list[dict[str, object]]:
    rows = []
    for name, content in hub.files.items():
        row: dict[str, object] = {"type": "file", "path": name, "size": len(content)}
        row["oid"] = _sha1(content)
        if is_large(name):
            row["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 134}
        rows.append(row)
    return rows


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path, hub = unquote(urlsplit(self.path).path), self.hub
        hub.log.append(f"{self.command} {path}")
        api, files = f"/api/models/{hub.repository}", f"/{hub.repository}/resolve/{COMMIT}/"
        if hub.gated and path.startswith((api, files)):
            self._refuse(403, "GatedRepo")
        elif path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            self._send_json({"id": hub.repository, "sha": COMMIT, "siblings": []})
        elif path == f"{api}/tree/{COMMIT}":
            self._send_json(_tree(hub))
        elif path.startswith(f"{api}/"):
            self._refuse(404, "RevisionNotFound")
        elif path.startswith(files) and path.removeprefix(files) in hub.files:
            self._send_file(path.removeprefix(files), with_body=with_body)
        else:
            self._refuse(404, "RepoNotFound")

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_json(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, name: str, *, with_body: bool) -> None:
        content = self.hub.files[name]
        start = 0
        wanted = self.headers.get("Range")
        if wanted:
            start = int(wanted.removeprefix("bytes=").partition("-")[0])
        body = content[start:]
        self.send_response(206 if wanted else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{_sha256(content) if is_large(name) else _sha1(content)}"')
        self.send_header("Content-Length", str(len(body)))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if not with_body:
            return
        if is_large(name) and self.hub.cut is not None:
            self.wfile.write(body[: self.hub.cut])
            self.close_connection = True
        else:
            self.wfile.write(body)


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Runs the server while the context is open."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

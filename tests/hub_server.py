"""A small Hub on loopback: real HTTP, speaking the endpoints that huggingface_hub calls for models.

Large files go through git LFS, as on the Hub: uploaded to a storage address, downloaded by a redirect to
another host, which must never see a token. The token WRITE may do anything; READ may neither write nor open
what is gated.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

WRITE, READ = "hf_write", "hf_read"
REPO, REVISION = r"(?P<repo>[\w.-]+/[\w.-]+)", r"(?P<revision>[^/]+)"


class Refusal(Exception):
    """An answer that is no success, as the Hub words it."""

    def __init__(self, status: int, code: str = "", message: str = ""):
        super().__init__(message or code)
        self.status, self.code, self.message = status, code, message or code


@dataclass
class Repo:
    """A repository: its commits, each all files by path, and what its branches and tags point to."""

    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes]) -> str:
        """A new head of main; its hash."""
        sha = hashlib.sha1(repr((len(self.commits), sorted(files))).encode()).hexdigest()
        self.commits[sha], self.refs["main"] = files, sha
        return sha


class Hub:
    """The state, and switches to make it misbehave."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.storage: dict[str, bytes] = {}  # LFS objects by SHA-256
        self.requests: list[str] = []  # "METHOD PATH"
        self.leaks: list[str] = []  # tokens that reached the storage host
        self.claimed_sizes: dict[str, int] = {}  # lies about files, by path
        self.broken = 0  # a status that every request gets ...
        self.broken_at = "/"  # ... whose path begins like this
        self.delay = 0.0  # seconds before every answer
        self.drip = 0.0  # seconds between the bytes of what is not under /api ...
        self.drip_at = "/"  # ... and whose path begins like this
        self.stop = threading.Event()
        self.endpoint = ""

    def put(self, name: str, files: dict[str, bytes], **options: Any) -> str:
        """A repository with these files; its commit."""
        return self.repos.setdefault(name, Repo(**options)).commit(files)

    def files(self, repo: Repo, revision: str) -> tuple[str, dict[str, bytes]]:
        sha = repo.refs.get(revision, revision)
        if sha not in repo.commits:
            raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return sha, repo.commits[sha]


def is_lfs(path: str) -> bool:
    """What a new repository's .gitattributes say."""
    return path.endswith((".safetensors", ".bin", ".png"))


def blob(data: bytes) -> str:
    """Git's name for a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """One request. `hub` is set by `serve`."""

    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.hub.requests.append(f"{self.command} {path}")
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        if self.hub.delay and self.hub.stop.wait(self.hub.delay):
            self.close_connection = True
            return
        try:
            if self.hub.broken and path.startswith(self.hub.broken_at):
                raise Refusal(self.hub.broken, message="Internal Error")
            for method, pattern, act in ROUTES:
                if self.command in method and (match := re.fullmatch(pattern, path)):
                    act(self, **{key: unquote(value) for key, value in match.groupdict().items()})
                    return
            raise Refusal(404, message="Not Found")
        except Refusal as refusal:
            headers = {"X-Error-Code": refusal.code, "X-Error-Message": refusal.message}
            self.answer({"error": refusal.message}, refusal.status, headers)

    do_HEAD = do_POST = do_PUT = do_GET

    def answer(self, data: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """JSON, or bytes as they are."""
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for key, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        slow = self.hub.drip and self.path.startswith(self.hub.drip_at) and not self.path.startswith("/api/")
        step = 1 if slow else max(len(content), 1)
        for start in range(0, len(content), step):
            self.wfile.write(content[start : start + step])
            if step == 1 and self.hub.stop.wait(self.hub.drip):
                return

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    @property
    def token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def writer(self) -> None:
        if not self.token:
            raise Refusal(401, message="Invalid username or password.")
        if self.token != WRITE:
            raise Refusal(403, message="You don't have the rights to do this")

    def repo(self, name: str, content: bool = False) -> Repo:
        """The repository, if the token may know of it and, for `content`, may read it."""
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self.token):
            raise Refusal(404 if self.token else 401, "RepoNotFound", "Repository not found")
        if content and repo.gated and self.token != WRITE:
            raise Refusal(403 if self.token else 401, "GatedRepo", "Access to this model is restricted")
        return repo

    def create(self) -> None:
        self.writer()
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        if name in self.hub.repos:
            self.answer({"error": "You already created this repo", "url": f"{self.hub.endpoint}/{name}"}, 409)
            return
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.put(name, {".gitattributes": b"*.safetensors filter=lfs\n"}, private=bool(private))
        self.answer({"url": f"{self.hub.endpoint}/{name}", "name": name})

    def validate(self) -> None:
        self.answer({"errors": [], "warnings": []})

    def info(self, repo: str, revision: str = "main") -> None:
        found = self.repo(repo)
        sha, files = self.hub.files(found, revision)
        siblings: list[dict[str, Any]] = [{"rfilename": path} for path in files]
        if "blobs=" in self.path:
            for entry, (path, data) in zip(siblings, files.items(), strict=True):
                entry |= {"size": self.hub.claimed_sizes.get(path, len(data)), "blobId": blob(data)}
        gated = "manual" if found.gated else False
        self.answer(
            {
                "id": repo,
                "sha": sha,
                "private": found.private,
                "gated": gated,
                "siblings": siblings,
                "tags": [],
            }
        )

    def tree(self, repo: str, revision: str) -> None:
        _, files = self.hub.files(self.repo(repo, content=True), revision)
        entries = []
        for path, data in files.items():
            entry = {"type": "file", "path": path, "size": len(data), "oid": blob(data)}
            if is_lfs(path):
                entry["lfs"] = {
                    "oid": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 130,
                }
            entries.append(entry)
        self.answer(entries)

    def resolve(self, repo: str, revision: str, path: str) -> None:
        sha, files = self.hub.files(self.repo(repo, content=True), revision)
        if path not in files:
            raise Refusal(404, "EntryNotFound", "Entry not found")
        data, headers = files[path], {"X-Repo-Commit": sha}
        if not is_lfs(path):
            self.answer(data, headers={**headers, "ETag": f'"{blob(data)}"'})
            return
        oid = hashlib.sha256(data).hexdigest()
        self.hub.storage[oid] = data
        elsewhere = self.hub.endpoint.replace("127.0.0.1", "localhost")
        headers |= {"X-Linked-Etag": f'"{oid}"', "X-Linked-Size": str(len(data))}
        self.answer(b"", 302, {**headers, "Location": f"{elsewhere}/storage/{oid}"})

    def download(self, oid: str) -> None:
        if self.token:
            self.hub.leaks.append(self.token)
        self.answer(self.hub.storage[oid], headers={"ETag": f'"{oid}"'})

    def preupload(self, repo: str, revision: str) -> None:
        self.writer()
        _, files = self.hub.files(self.repo(repo), revision)
        answers = []
        for asked in json.loads(self.body)["files"]:
            path = asked["path"]
            answer = {"path": path, "uploadMode": "lfs" if is_lfs(path) else "regular", "shouldIgnore": False}
            answers.append(answer | ({"oid": blob(files[path])} if path in files else {}))
        self.answer({"files": answers})

    def lfs_batch(self, repo: str) -> None:
        self.writer()
        self.repo(repo)
        objects = []
        for asked in json.loads(self.body)["objects"]:
            actions = {
                "upload": {"href": f"{self.hub.endpoint}/storage/{asked['oid']}"},
                "verify": {"href": f"{self.hub.endpoint}/verify/{asked['oid']}"},
            }
            objects.append(asked if asked["oid"] in self.hub.storage else asked | {"actions": actions})
        self.answer({"transfer": "basic", "objects": objects})

    def upload(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refusal(400, message="the content is not what its address says")
        self.hub.storage[oid] = self.body
        self.answer(b"")

    def verify(self, oid: str) -> None:
        if len(self.hub.storage.get(oid, b"")) != json.loads(self.body)["size"]:
            raise Refusal(404, message="no such object")
        self.answer({})

    def commit(self, repo: str, revision: str) -> None:
        self.writer()
        found = self.repo(repo)
        files = dict(self.hub.files(found, revision)[1])
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.storage[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        sha = found.commit(files)
        self.answer({"commitUrl": f"{self.hub.endpoint}/{repo}/commit/{sha}", "commitOid": sha})


ROUTES = (
    ("POST", "/api/repos/create", Handler.create),
    ("POST", "/api/validate-yaml", Handler.validate),
    ("GET", f"/api/models/{REPO}", Handler.info),
    ("GET", f"/api/models/{REPO}/revision/{REVISION}", Handler.info),
    ("GET", f"/api/models/{REPO}/tree/{REVISION}", Handler.tree),
    ("POST", f"/api/models/{REPO}/preupload/{REVISION}", Handler.preupload),
    ("POST", f"/api/models/{REPO}/commit/{REVISION}", Handler.commit),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    ("GET HEAD", f"/{REPO}/resolve/{REVISION}/(?P<path>.+)", Handler.resolve),
    ("GET", "/storage/(?P<oid>[0-9a-f]{64})", Handler.download),
    ("PUT", "/storage/(?P<oid>[0-9a-f]{64})", Handler.upload),
    ("POST", "/verify/(?P<oid>[0-9a-f]{64})", Handler.verify),
)


@contextmanager
def serve() -> Iterator[Hub]:
    """A Hub that runs until the block ends."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()

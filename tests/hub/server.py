"""The two sites of the stand-in Hub on loopback, and what a test says to it and reads from it."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from tests.hub import changes, commits, files, listings
from tests.hub.calls import Asked, Call, Handler, User, answering
from tests.hub.faults import Fault, Order
from tests.hub.refusals import Refused
from tests.hub.repository import MAIN, Repository, Tag

OWNER, READER, STRANGER = "hf_owner", "hf_reader", "hf_stranger"

KIND, REPO = "{kind:models|datasets|spaces}", "{space}/{name}"
API = f"/api/{KIND}/{REPO}"


def unknown(call: Call) -> web.StreamResponse:
    """What is not spoken here."""
    raise Refused(404, f"Not spoken here: {call.request.method} {call.request.path}")


# An endpoint's stage is the name of its function: what `Hub.fail` and `Hub.stages` call it.
HUB: list[tuple[str, str, Handler]] = [
    ("GET", "/api/whoami-v2", changes.whoami),
    ("POST", "/api/repos/create", changes.create),
    ("DELETE", "/api/repos/delete", changes.delete),
    ("POST", "/api/validate-yaml", commits.validate),
    ("GET", f"/api/resolve-cache/{KIND}/{REPO}/{{revision}}/{{path:.+}}", files.cached),
    ("POST", f"/api/complete_multipart/{KIND}/{REPO}/{{sha256}}", files.complete),
    ("GET", API, listings.info),
    ("GET", f"{API}/revision/{{revision}}", listings.info),
    ("GET", f"{API}/tree/{{revision}}", listings.tree),
    ("GET", f"{API}/tree/{{revision}}/{{path:.+}}", listings.tree),
    ("POST", f"{API}/paths-info/{{revision}}", listings.paths),
    ("GET", f"{API}/refs", listings.refs),
    ("GET", f"{API}/commits/{{revision}}", listings.history),
    ("POST", f"{API}/preupload/{{revision}}", commits.preupload),
    ("POST", f"{API}/commit/{{revision}}", commits.commit),
    ("GET", f"{API}/xet-{{access:read|write}}-token/{{revision}}", files.xet),
    ("POST", f"{API}/tag/{{revision}}", changes.tag),
    ("DELETE", f"{API}/tag/{{revision}}", changes.untag),
    ("POST", f"{API}/branch/{{revision}}", changes.branch),
    ("DELETE", f"{API}/branch/{{revision}}", changes.unbranch),
    ("PUT", f"{API}/settings", changes.settings),
    ("GET", f"{API}/auth-check", changes.access),
    ("GET", f"{API}/auth-check/write", changes.access_to_write),
    ("POST", f"{API}/discussions", changes.discuss),
    ("GET", f"{API}/discussions", changes.discussions),
    ("GET", f"{API}/discussions/{{num:[0-9]+}}", changes.discussion),
    *(
        one
        for prefix in ("/{kind:datasets|spaces}", "")
        for one in (
            ("GET", f"{prefix}/{REPO}/resolve/{{revision}}/{{path:.+}}", files.resolve),
            ("POST", f"{prefix}/{REPO}.git/info/lfs/objects/batch", files.batch),
            ("POST", f"{prefix}/{REPO}.git/info/lfs/objects/verify", files.verify),
        )
    ),
    ("*", "/{path:.*}", unknown),
]

STORAGE: list[tuple[str, str, Handler]] = [
    ("PUT", f"/{KIND}/{REPO}/{{sha256}}", files.upload),
    ("PUT", f"/{KIND}/{REPO}/{{sha256}}/{{part}}", files.upload),
    ("GET", f"/{KIND}/{REPO}/{{sha256}}", files.download),
    ("*", "/{path:.*}", unknown),
]

STAGES = {handler.__name__ for _, _, handler in [*HUB, *STORAGE]}


class Hub:
    """The server. What it was asked, in order, is `asked`; what it keeps, `repositories`.

    `page_size` is how many entries a page of a listing has, `part_size` how large a file goes up in one piece (None:
    any), `regular_limit` how large a file the commit itself takes.
    """

    def __init__(self) -> None:
        self.owner = "tester"
        self.token = OWNER
        self.users = {OWNER: User(self.owner), READER: User(self.owner, "read"), STRANGER: User("stranger")}
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.asked: list[Asked] = []
        self.orders: list[Order] = []
        self.page_size = 1000
        self.part_size: int | None = None
        self.regular_limit = 10 << 20
        self.secret = secrets.token_hex(16)
        self.endpoint = self.storage = ""
        self._runners: list[web.AppRunner] = []

    def fail(self, what: str, fault: Fault, *, nth: int = 1, times: int = 1) -> Order:
        """Order a fault for the nth request of a stage, or of a method and a pattern; see `faults`."""
        if " " not in what and what not in STAGES:
            raise ValueError(f"no stage {what}; there are {', '.join(sorted(STAGES))}")
        self.orders.append(Order(what, fault, nth, times))
        return self.orders[-1]

    def fault(self, asked: Asked) -> Fault | None:
        """What was ordered for a request."""
        met = [one for one in self.orders if one.meets(asked.stage, asked.method, asked.path)]
        return met[0].fault if met else None

    def stages(self) -> list[str]:
        """The stages that were asked for, in order; a retry is there again."""
        return [one.stage for one in self.asked]

    def forget(self) -> None:
        """Begin a new log, without faults."""
        self.asked.clear()
        self.orders.clear()

    def repository(self, name: str, kind: str = "dataset") -> Repository:
        return self.repositories[(kind, name)]

    def publish(
        self, name: str, contents: Mapping[str, bytes], *, kind: str = "dataset", tag: str = "", oid: str = ""
    ) -> str:
        """A commit that is there already, with the repository if need be; returns its id.

        With `oid` it goes under that id instead of its own, for a client that pins a commit of the real Hub.
        """
        repository = self.repositories.setdefault((kind, name), Repository(kind, name))
        head = repository.at("main")
        made = {path: repository.keep(data, as_large=b"\0" in data) for path, data in contents.items()}
        commit = repository.add(
            {**head.files, **made}, parent=head.oid, title="Upload", author=repository.namespace, ref=MAIN
        )
        if oid:
            commit = repository.commits[oid] = replace(commit, oid=oid)
            repository.refs[MAIN] = oid
        if tag:
            repository.tags[tag] = Tag(commit.oid, "")
        return commit.oid

    def read(self, name: str, path: str, revision: str = "main", kind: str = "dataset") -> bytes:
        """A file as the Hub has it."""
        repository = self.repository(name, kind)
        return repository.contents[repository.at(revision).file(path).key]

    def environment(self, home: Path) -> dict[str, str]:
        """For processes whose client is to know this Hub, its owner's token, and no other network.

        Xet is off: see the package's page.
        """
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": self.token,
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_DATASETS_CACHE": str(home / "datasets"),
            "HF_TOKEN_PATH": str(home / "token"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "HF_DATASETS_OFFLINE": "0",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

    async def start(self) -> None:
        self.endpoint = await self._listen("127.0.0.1", HUB, "hub")
        self.storage = await self._listen("localhost", STORAGE, "storage")

    async def _listen(self, name: str, routes: list[tuple[str, str, Handler]], site: str) -> str:
        """Serve a site on this machine, which clients are to know by this name."""
        application = web.Application(client_max_size=1 << 40)
        for method, path, handler in routes:
            application.router.add_route(method, path, answering(self, site, handler))
            if method == "GET":
                application.router.add_route("HEAD", path, answering(self, site, handler))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://{name}:{runner.addresses[0][1]}"

    async def stop(self) -> None:
        for runner in self._runners:
            await runner.cleanup()
        # what still answers, late, a client that has gone
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


@contextmanager
def serving() -> Iterator[Hub]:
    """A Hub in a thread of its own, until the end of the block."""
    hub = Hub()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(hub.start(), loop).result()
        yield hub
    finally:
        asyncio.run_coroutine_threadsafe(hub.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

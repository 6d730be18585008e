"""One request on its way: noted down, refused or cut where that was ordered, known or not, answered."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.hub.faults import Cut, Fault, Meanwhile, Refuse, Slow
from tests.hub.refusals import Refused, no_repository
from tests.hub.repository import Repository

if TYPE_CHECKING:
    from tests.hub.server import Hub


@dataclass(frozen=True)
class User:
    """Who a token belongs to, and what it may do: `write`, or `read`."""

    name: str
    role: str = "write"
    organizations: tuple[str, ...] = ()

    def owns(self, namespace: str) -> bool:
        return namespace == self.name or namespace in self.organizations


@dataclass
class Asked:
    """A request as it came, and the status that went back; 0 where none did."""

    stage: str
    site: str
    method: str
    path: str
    query: str
    revision: str
    token: str
    headers: Mapping[str, str]
    size: int = 0
    status: int = 0


@dataclass(frozen=True)
class Call:
    """A request whose sender is known, or sent no token."""

    hub: Hub
    request: web.Request
    body: bytes
    user: User | None

    def part(self, name: str) -> str:
        """A named part of the path, without its percent signs."""
        return self.request.match_info.get(name, "")

    def told(self) -> dict[str, Any]:
        """What the body says, as JSON."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            raise Refused(400, "Invalid JSON") from None
        if not isinstance(value, dict):
            raise Refused(400, "Expected a JSON object")
        return value

    def asks(self, name: str) -> bool:
        return self.request.query.get(name, "").lower() in ("1", "true")

    def repository(self) -> Repository:
        """The repository of the path, if the caller may know of it."""
        kind = self.part("kind").removesuffix("s") or "model"
        found = self.hub.repositories.get((kind, f"{self.part('space')}/{self.part('name')}"))
        if not found or (found.private and not (self.user and self.user.owns(found.namespace))):
            raise no_repository(known=self.user is not None)
        return found

    def writable(self) -> Repository:
        """The same, if the caller may change it."""
        found = self.repository()
        self.writer(found.namespace)
        return found

    def writer(self, namespace: str = "") -> User:
        """The caller, if allowed to write in a namespace (none: in some)."""
        if not self.user:
            raise Refused(401, "Invalid username or password.")
        if self.user.role != "write":
            raise Refused(403, "Forbidden: you must use a write token to upload to a repository.")
        if namespace and not self.user.owns(namespace):
            raise Refused(403, f"You don't have the rights to write under the namespace {namespace!r}")
        return self.user

    def committer(self, repository: Repository, revision: str | None) -> User:
        """The caller, if allowed to commit there (None: to a new pull request).

        Whoever may read may propose, and go on with what they proposed.
        """
        user = self.writer()
        found = re.fullmatch(r"refs/pr/(\d+)", revision or "")
        proposed = repository.discussions.get(int(found[1])) if found else None
        if revision is not None and not (proposed and proposed.author == user.name):
            self.writer(repository.namespace)
        return user


Handler = Callable[[Call], web.StreamResponse]


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    return web.json_response(value, status=status, headers=headers)


def refusal(refused: Refused) -> web.Response:
    """An answer that says no, in the Hub's form."""
    told = {"X-Error-Message": " ".join(refused.message.split()), **refused.headers}
    told |= {"X-Error-Code": refused.code} if refused.code else {}
    return reply({"error": refused.message}, refused.status, told)


def answering(hub: Hub, site: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """What aiohttp calls for an endpoint of a site."""

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = note(request, site, handler.__name__)
        hub.asked.append(asked)
        fault = hub.fault(asked)
        if isinstance(fault, Cut) and fault.when == "upload":
            return await cut_upload(request, asked, fault.at)
        body = await request.read()
        asked.size = len(body)
        if isinstance(fault, Slow):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Meanwhile):
            await asyncio.to_thread(fault.happens)  # which may ask this very server
        response = act(hub, request, body, asked, handler) if acts(fault) else web.Response()
        return await spoiled(request, response, asked, fault)

    return answer


def acts(fault: Fault | None) -> bool:
    """Whether what is asked is done, with this fault."""
    match fault:
        case Refuse():
            return fault.acted
        case Cut():
            return fault.when != "before"
    return True


def note(request: web.Request, site: str, stage: str) -> Asked:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    revision = request.match_info.get("revision", "")
    path, query = request.rel_url.path, request.rel_url.query_string
    return Asked(stage, site, request.method, path, query, revision, token, dict(request.headers))


def act(hub: Hub, request: web.Request, body: bytes, asked: Asked, handler: Handler) -> web.StreamResponse:
    """Do what is asked, or say why not."""
    try:
        user = hub.users.get(asked.token)
        if asked.token and not user and asked.site == "hub":
            raise Refused(401, "Invalid credentials in Authorization header")
        response = handler(Call(hub, request, body, user))
    except Refused as refused:
        response = refusal(refused)
    response.headers["X-Request-Id"] = str(uuid.uuid4())
    return response


async def spoiled(
    request: web.Request, response: web.StreamResponse, asked: Asked, fault: Fault | None
) -> web.StreamResponse:
    """What really goes back, with a fault or without."""
    match fault:
        case Refuse():
            response = refused_on_order(fault)
        case Cut("download", at):
            return await cut_download(request, response, asked, at)
        case Cut():
            hang_up(request)
            return web.Response()
    asked.status = response.status
    return response


def refused_on_order(fault: Refuse) -> web.Response:
    headers = dict(fault.headers)
    headers |= {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
    if fault.body is not None:
        kind = {"Content-Type": "text/html"} if fault.body.startswith(b"<") else {}
        return web.Response(status=fault.status, body=fault.body, headers=kind | headers)
    message = fault.message or HTTPStatus(fault.status).phrase
    return refusal(Refused(fault.status, message, fault.code, headers))


def hang_up(request: web.Request, *, reset: bool = False) -> None:
    """End the connection; by a reset, the other side learns of it at once, also while it is still sending."""
    if request.transport is None:
        return
    if reset:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    else:
        request.transport.close()


async def cut_upload(request: web.Request, asked: Asked, at: int) -> web.StreamResponse:
    while asked.size < at:
        piece = await request.content.read(at - asked.size)
        if not piece:
            break
        asked.size += len(piece)
    hang_up(request, reset=True)
    return web.Response()


async def cut_download(request: web.Request, response: web.StreamResponse, asked: Asked, at: int) -> web.StreamResponse:
    body = response.body if isinstance(response, web.Response) and isinstance(response.body, bytes) else b""
    begun = web.StreamResponse(status=response.status, headers=response.headers)
    begun.content_length = len(body)
    asked.status = response.status
    await begun.prepare(request)
    await begun.write(body[:at])
    hang_up(request)
    return begun

"""What changes a repository other than a commit: making it, naming its commits, talking about it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

from aiohttp import web

from tests.hub.calls import Call, reply
from tests.hub.refusals import Refused, gated, no_repository, no_revision
from tests.hub.repository import MAIN, Discussion, Repository, Tag

REF = re.compile(r"(?![/.])(?!.*(\.\.|@\{|//|[ ~^:?*\[\\]))[^\x00-\x1f]{1,200}(?<![/.])(?<!\.lock)")


def whoami(call: Call) -> web.StreamResponse:
    """Who the token is of."""
    if not call.user:
        raise Refused(401, "Invalid username or password.")
    told = {"type": "user", "id": call.user.name, "name": call.user.name, "fullname": call.user.name}
    orgs = [{"type": "org", "name": name, "roleInOrg": "write"} for name in call.user.organizations]
    auth = {"type": "access_token", "accessToken": {"displayName": "test", "role": call.user.role}}
    return reply({**told, "orgs": orgs, "auth": auth})


def create(call: Call) -> web.StreamResponse:
    """A new repository, with the first commit that the Hub makes."""
    told = call.told()
    name, kind = str(told["name"]), str(told.get("type") or "model")
    user = call.writer()
    space = str(told.get("organization") or user.name)
    call.writer(space)
    made = Repository(kind, f"{space}/{name}", private=told.get("visibility") == "private")
    answer = {"url": f"{call.hub.endpoint}/{made.page}", "name": made.id}
    if (kind, made.id) in call.hub.repositories:
        return reply({"error": f"You already created this {kind} repo", **answer}, 409)
    call.hub.repositories[(kind, made.id)] = made
    return reply(answer)


def delete(call: Call) -> web.StreamResponse:
    told = call.told()
    user = call.writer()
    space = str(told.get("organization") or user.name)
    key = (str(told.get("type") or "model"), f"{space}/{told['name']}")
    call.writer(space)
    if key not in call.hub.repositories:
        raise no_repository(known=True)
    del call.hub.repositories[key]
    return web.Response()


def settings(call: Call) -> web.StreamResponse:
    """Who may see a repository, and who may download from it."""
    repository, told = call.writable(), call.told()
    if "visibility" in told:
        repository.private = told["visibility"] == "private"
    if "gated" in told:
        repository.gated = told["gated"] is not False
    return reply({"private": repository.private, "gated": told.get("gated", False)})


def access(call: Call) -> web.StreamResponse:
    """Whether the caller may read."""
    repository = call.repository()
    if repository.gated and not (call.user and call.user.owns(repository.namespace)):
        raise gated(repository.page, known=call.user is not None)
    return web.Response()


def access_to_write(call: Call) -> web.StreamResponse:
    call.writable()
    return web.Response()


def named(name: object) -> str:
    """A name that git takes for a ref."""
    if not isinstance(name, str) or not REF.fullmatch(name) or name.startswith("refs/"):
        raise Refused(400, f"Invalid reference name: {name}")
    return name


def tag(call: Call) -> web.StreamResponse:
    """A tag on a commit; there is no moving it."""
    repository, told = call.writable(), call.told()
    name = named(told.get("tag"))
    commit = repository.at(call.part("revision"))
    if name in repository.tags:
        raise Refused(409, "Tag reference exists already")
    repository.tags[name] = Tag(commit.oid, str(told.get("message", "")))
    return web.Response()


def untag(call: Call) -> web.StreamResponse:
    repository = call.writable()
    if call.part("revision") not in repository.tags:
        raise no_revision(call.part("revision"))
    del repository.tags[call.part("revision")]
    return web.Response()


def branch(call: Call) -> web.StreamResponse:
    repository = call.writable()
    ref = f"refs/heads/{named(call.part('revision'))}"
    start = repository.at(str(call.told().get("startingPoint") or "main"))
    if ref in repository.refs:
        raise Refused(409, "Reference already exists")
    repository.refs[ref] = start.oid
    return web.Response()


def unbranch(call: Call) -> web.StreamResponse:
    repository = call.writable()
    ref = f"refs/heads/{call.part('revision')}"
    if ref == MAIN:
        raise Refused(403, "Cannot delete the main branch")
    if ref not in repository.refs:
        raise no_revision(call.part("revision"))
    del repository.refs[ref]
    return web.Response()


def discuss(call: Call) -> web.StreamResponse:
    """A new discussion or pull request; anyone who may read may open one."""
    repository, told, user = call.repository(), call.told(), call.writer()
    title = str(told.get("title", ""))
    if len(title) < 3:
        raise Refused(400, "The title must be at least 3 characters long")
    made = repository.discuss(title, str(told.get("description", "")), user.name, pull=bool(told.get("pullRequest")))
    url = f"{call.hub.endpoint}/{repository.page}/discussions/{made.num}"
    return reply({"num": made.num, "url": url, "pullRequest": made.pull})


def outline(repository: Repository, one: Discussion) -> dict[str, Any]:
    return {
        "title": one.title,
        "num": one.num,
        "author": {"name": one.author},
        "createdAt": stamp(one.created),
        "status": one.status,
        "repo": {"name": repository.id, "type": repository.kind},
        "isPullRequest": one.pull,
    }


def discussions(call: Call) -> web.StreamResponse:
    repository = call.repository()
    found = [outline(repository, one) for one in repository.discussions.values()]
    return reply({"count": len(found), "start": 0, "discussions": found})


def discussion(call: Call) -> web.StreamResponse:
    """One discussion: what was said, and the commits of a pull request since it was opened."""
    repository = call.repository()
    one = repository.discussions.get(int(call.part("num")))
    if not one:
        raise Refused(404, "Discussion not found")
    latest = {"raw": one.description, "html": one.description, "updatedAt": stamp(one.created)}
    said = {"edited": False, "hidden": False, "latest": latest, "history": []}
    events = [event(one, "0", "comment", said)]
    told = outline(repository, one)
    if one.pull:
        commits = repository.history(repository.at(f"refs/pr/{one.num}"))
        since = list(takewhile(lambda commit: commit.oid != one.base, commits))
        events += [event(one, made.oid, "commit", {"subject": made.title, "oid": made.oid}) for made in since[::-1]]
        told |= {"changes": {"base": MAIN}, "filesWithConflicts": [], "diff": ""}
    return reply({**told, "events": events})


def event(one: Discussion, name: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "type": kind, "createdAt": stamp(one.created), "author": {"name": one.author}, "data": data}


def stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")

"""What is in a repository: what it is, its files, its refs, its history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs

import yaml
from aiohttp import web

from tests.hub.calls import Call, reply
from tests.hub.card_rules import front_matter
from tests.hub.refusals import no_entry
from tests.hub.repository import Blob, Commit, Repository

# The keys of a card that become tags, such as `license:mit`; what is under `tags` becomes tags as it is.
TAGGED = ("task_categories", "language", "license", "size_categories", "source_datasets", "annotations_creators")


def info(call: Call) -> web.StreamResponse:
    """A repository at a revision."""
    repository = call.repository()
    commit = repository.at(call.part("revision") or "main")
    card = card_data(repository, commit)
    first = list(repository.history(commit))[-1]
    siblings = [
        {"rfilename": path, **(metadata(blob) if call.asks("blobs") else {})} for path, blob in commit.files.items()
    ]
    told: dict[str, object] = {
        "author": repository.namespace,
        "sha": commit.oid,
        "lastModified": moment(commit),
        "createdAt": moment(first),
        "private": repository.private,
        "gated": "manual" if repository.gated else False,
        "disabled": False,
        "tags": tags_of(card),
        "downloads": 0,
        "likes": 0,
        "cardData": card,
        "siblings": siblings,
        "usedStorage": sum(blob.size for blob in commit.files.values()),
    }
    wanted = [*call.request.query.getall("expand", []), *call.request.query.getall("expand[]", [])]
    return reply({"id": repository.id, **{key: told[key] for key in wanted or told if key in told}})


def metadata(blob: Blob) -> dict[str, object]:
    large = {"sha256": blob.sha256, "size": blob.size, "pointerSize": blob.pointer_size}
    return {"size": blob.size, "blobId": blob.oid, **({"lfs": large} if blob.sha256 else {})}


def card_data(repository: Repository, commit: Commit) -> dict[str, Any]:
    """The metadata of the card at a commit; empty where there is none."""
    blob = commit.files.get("README.md")
    text = repository.contents[blob.key].decode() if blob else ""
    value = yaml.safe_load(front_matter(text) or "{}")
    # dates in a card are no JSON
    return dict(json.loads(json.dumps(value, default=str)))


def tags_of(card: dict[str, Any]) -> list[str]:
    def listed(key: str) -> list[str]:
        value = card.get(key) or []
        return [value] if isinstance(value, str) else list(value)

    return [f"{key}:{value}" for key in TAGGED for value in listed(key)] + listed("tags")


def moment(commit: Commit) -> str:
    return commit.date.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def entry(repository: Repository, commit: Commit, path: str, what: Blob | str, *, expand: bool) -> dict[str, Any]:
    """A file or a folder as the listings tell it."""
    told: dict[str, Any] = {"type": "directory", "oid": what, "size": 0, "path": path}
    if isinstance(what, Blob):
        told |= {"type": "file", "oid": what.oid, "size": what.size}
        if what.sha256:
            told["lfs"] = {"oid": what.sha256, "size": what.size, "pointerSize": what.pointer_size}
    if expand:
        last = repository.last_change(commit, path)
        told["lastCommit"] = {"id": last.oid, "title": last.title, "date": moment(last)}
    return told


def tree(call: Call) -> web.StreamResponse:
    """The files and folders in a folder, or in all below it too."""
    repository = call.repository()
    commit, under = repository.at(call.part("revision")), call.part("path").strip("/")
    folders = commit.folders()
    if under and under not in folders:
        raise no_entry(f"{under} does not exist on {call.part('revision')}", commit.oid)
    everything: dict[str, Blob | str] = {**folders, **commit.files}
    inside = [path for path in sorted(everything) if path.startswith(f"{under}/" if under else "")]
    if not call.asks("recursive"):
        inside = [path for path in inside if path.rpartition("/")[0] == under]
    expand = call.asks("expand")
    told = [entry(repository, commit, path, everything[path], expand=expand) for path in inside]
    return paged(call, told, min(call.hub.page_size, 50) if expand else call.hub.page_size)


def paths(call: Call) -> web.StreamResponse:
    """The files and folders of these names; what is not there is left out."""
    repository = call.repository()
    commit = repository.at(call.part("revision"))
    everything: dict[str, Blob | str] = {**commit.folders(), **commit.files}
    asked, expand = form(call)
    return reply([entry(repository, commit, one, everything[one], expand=expand) for one in asked if one in everything])


def form(call: Call) -> tuple[list[str], bool]:
    """What is asked for: huggingface_hub sends a form, others JSON."""
    if call.request.content_type == "application/json":
        told = call.told()
        return list(told.get("paths", [])), bool(told.get("expand"))
    fields = parse_qs(call.body.decode())
    return fields.get("paths", []), fields.get("expand", ["false"])[-1].lower() == "true"


def paged(call: Call, told: Sequence[dict[str, Any]], size: int) -> web.StreamResponse:
    """One page of a list, and the address of the next one in a header."""
    start = int(call.request.query.get("cursor", "0"))
    headers = {}
    if start + size < len(told):
        after = call.request.rel_url.update_query(cursor=start + size)
        headers["Link"] = f'<{call.hub.endpoint}{after}>; rel="next"'
    return reply(told[start : start + size], headers=headers)


def refs(call: Call) -> web.StreamResponse:
    """Branches, tags and, where asked for, pull requests."""
    repository = call.repository()

    def under(prefix: str) -> list[dict[str, str]]:
        found = [(name, oid) for name, oid in repository.refs.items() if name.startswith(prefix)]
        return [{"name": name.removeprefix(prefix), "ref": name, "targetCommit": oid} for name, oid in found]

    tags = [
        {"name": name, "ref": f"refs/tags/{name}", "targetCommit": tag.commit} for name, tag in repository.tags.items()
    ]
    told: dict[str, object] = {"branches": under("refs/heads/"), "tags": tags, "converts": []}
    return reply(told | ({"pullRequests": under("refs/pr/")} if call.asks("include_prs") else {}))


def history(call: Call) -> web.StreamResponse:
    """The commits of a revision, the newest first."""
    repository = call.repository()
    commits = repository.history(repository.at(call.part("revision")))
    told = [
        {
            "id": one.oid,
            "title": one.title,
            "message": one.message,
            "authors": [{"user": one.author}],
            "date": moment(one),
        }
        for one in commits
    ]
    return paged(call, told, call.hub.page_size)

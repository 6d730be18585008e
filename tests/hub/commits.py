"""From files to a commit: cards looked at, the way of each file chosen, operations applied at once or not at all."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

from aiohttp import web

from tests.hub.calls import Call, reply
from tests.hub.card_rules import faults_of, front_matter
from tests.hub.files import kept
from tests.hub.refusals import Refused, no_entry
from tests.hub.repository import Blob, Commit, Repository


def validate(call: Call) -> web.StreamResponse:
    """Whether the Hub would take a card."""
    card = str(call.told().get("content", ""))
    bare = front_matter(card) is None
    warnings = [{"message": "empty or missing yaml metadata in repo card"}] if bare else []
    errors = [{"message": one} for one in faults_of(card)]
    return reply({"errors": errors, "warnings": warnings}, 400 if errors else 200)


def preupload(call: Call) -> web.StreamResponse:
    """Which files go into the commit itself, and which are uploaded before it; and what is there already."""
    repository, revision = call.repository(), call.part("revision")
    call.committer(repository, None if call.asks("create_pr") else revision)
    commit = repository.at(revision)
    files = [way(call, repository, commit, one) for one in call.told()["files"]]
    return reply({"files": files, "commitOid": commit.oid})


def way(call: Call, repository: Repository, commit: Commit, file: Mapping[str, Any]) -> dict[str, Any]:
    path, sample = str(file["path"]), base64.b64decode(file["sample"])
    named = any(fnmatch(path.rpartition("/")[2], one) for one in large_patterns(repository, commit))
    as_large = named or b"\0" in sample or int(file["size"]) > call.hub.regular_limit
    mode = {"path": path, "uploadMode": "lfs" if as_large else "regular", "shouldIgnore": False}
    there = commit.files.get(path)
    return mode | ({"oid": there.key} if there else {})


def large_patterns(repository: Repository, commit: Commit) -> list[str]:
    """The names that `.gitattributes` gives to LFS."""
    blob = commit.files.get(".gitattributes")
    lines = repository.contents[blob.key].decode().splitlines() if blob else []
    return [line.split()[0] for line in lines if "filter=lfs" in line]


def commit(call: Call) -> web.StreamResponse:
    """All operations as one commit, on the revision or as a new pull request."""
    pull = call.asks("create_pr")
    repository, revision = call.repository(), call.part("revision")
    author = call.committer(repository, None if pull else revision).name
    ref = repository.ref(revision)
    head = repository.commits[repository.refs[ref]]
    header, lines = operations(call.body)
    wanted = str(header.get("parentCommit") or head.oid)
    if pull:
        head = repository.at(wanted)
    elif not head.oid.startswith(wanted):
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    files = applied(repository, head, lines)
    if not header.get("summary"):
        raise Refused(400, "The commit has no summary")
    title, message = str(header["summary"]), str(header.get("description", ""))
    told: dict[str, object] = {}
    if pull:
        num = repository.discuss(title, message, author, pull=True, base=head.oid).num
        ref = f"refs/pr/{num}"
        told["pullRequestUrl"] = f"{call.hub.endpoint}/{repository.page}/discussions/{num}"
    made = repository.add(files, parent=head.oid, title=title, message=message, author=author, ref=ref)
    url = f"{call.hub.endpoint}/{repository.page}/commit/{made.oid}"
    return reply({"success": True, "commitOid": made.oid, "commitUrl": url, "hookOutput": "", **told})


def operations(body: bytes) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """The header of a commit, and its operations in order."""
    try:
        lines = [(str(one["key"]), dict(one["value"])) for one in map(json.loads, body.splitlines())]
    except (ValueError, TypeError, KeyError):
        raise Refused(400, "Invalid ndjson") from None
    if not lines or lines[0][0] != "header":
        raise Refused(400, "The first line of a commit must be its header")
    return lines[0][1], lines[1:]


def applied(repository: Repository, head: Commit, lines: list[tuple[str, dict[str, Any]]]) -> dict[str, Blob]:
    """The files of a commit after the operations. Nothing in the repository has moved yet."""
    files = dict(head.files)
    for key, value in lines:
        path = str(value.get("path", ""))
        match key:
            case "file":
                content = base64.b64decode(value["content"])
                if path == "README.md" and (found := faults_of(content.decode())):
                    raise Refused(400, f"Invalid metadata in README.md: {'; '.join(found)}")
                files[path] = repository.keep(content)
            case "lfsFile":
                files[path] = kept(repository, str(value["oid"]))
            case "deletedFile":
                if path not in files:
                    raise no_entry(f"A file with this name doesn't exist: {path}", head.oid)
                del files[path]
            case "deletedFolder":
                inside = [name for name in files if name.startswith(f"{path.rstrip('/')}/")]
                if not inside:
                    raise no_entry(f"A folder with this name doesn't exist: {path}", head.oid)
                for name in inside:
                    del files[name]
            case _:
                raise Refused(400, f"Unknown operation {key!r}")
    return files

"""Contents: where a file is, and the bytes themselves; large ones come from and go to the storage beside the Hub.

The storage is a site of its own, at another port and by another name (the client before 2 looks at names only). So the
client sees another origin, as it does with the real one: it follows no redirect to it for the metadata, and must not
send it the token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import ceil
from typing import Any
from urllib.parse import quote

from aiohttp import web

from tests.hub.calls import Call, reply
from tests.hub.refusals import Refused, gated
from tests.hub.repository import Blob, Repository


def resolve(call: Call) -> web.StreamResponse:
    """A file by its revision and path: where it is, and what it is."""
    repository = call.repository()
    if repository.gated and not (call.user and call.user.owns(repository.namespace)):
        raise gated(repository.page, known=call.user is not None)
    commit = repository.at(call.part("revision"))
    blob = commit.file(call.part("path"))
    headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes"}
    if blob.sha256:
        headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
        return web.Response(status=302, headers={**headers, "Location": stored(call, repository, blob.sha256)})
    where = f"/api/resolve-cache/{repository.kind}s/{repository.id}/{commit.oid}/{quote(call.part('path'))}"
    return web.Response(status=307, headers={**headers, "ETag": f'"{blob.oid}"', "Location": where})


def cached(call: Call) -> web.StreamResponse:
    """A small file, where `resolve` said that it is."""
    repository = call.repository()
    commit = repository.at(call.part("revision"))
    blob = commit.file(call.part("path"))
    headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{blob.oid}"'}
    return content(call, repository.contents[blob.key], headers)


def content(call: Call, data: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """Bytes, or the range of them that was asked for."""
    told = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", **headers}
    if "Range" not in call.request.headers:
        return web.Response(body=data, headers=told)
    try:
        start, stop, _ = call.request.http_range.indices(len(data))
    except ValueError:
        start, stop = 0, 0
    if start >= stop:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(data)}"})
    told["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return web.Response(status=206, body=data[start:stop], headers=told)


def stored(call: Call, repository: Repository, sha256: str, part: str = "") -> str:
    """The address of a large file in the storage, good for whoever has it."""
    path = f"/{repository.kind}s/{repository.id}/{sha256}" + (f"/{part}" if part else "")
    return f"{call.hub.storage}{path}?signature={signature(call, path)}"


def signature(call: Call, path: str) -> str:
    return hashlib.sha256(f"{call.hub.secret} {path}".encode()).hexdigest()[:32]


def signed(call: Call) -> Repository:
    """The repository that an address of the storage is of, where it was given out by the Hub."""
    if call.request.query.get("signature") != signature(call, call.request.rel_url.path):
        raise Refused(403, "SignatureDoesNotMatch")
    if "Authorization" in call.request.headers:
        raise Refused(400, "InvalidArgument: Only one auth mechanism allowed")
    return call.hub.repositories[(call.part("kind").removesuffix("s"), f"{call.part('space')}/{call.part('name')}")]


def download(call: Call) -> web.StreamResponse:
    """A large file from the storage."""
    data = signed(call).contents[call.part("sha256")]
    return content(call, data, {"ETag": f'"{hashlib.md5(data).hexdigest()}"'})


def upload(call: Call) -> web.StreamResponse:
    """A large file into the storage, or one part of it."""
    repository, sha256, part = signed(call), call.part("sha256"), call.part("part")
    if not part and hashlib.sha256(call.body).hexdigest() != sha256:
        raise Refused(400, "XAmzContentSHA256Mismatch: the provided SHA-256 does not match what was computed")
    repository.contents[f"{sha256}/{part}" if part else sha256] = call.body
    return web.Response(headers={"ETag": f'"{hashlib.md5(call.body).hexdigest()}"'})


def batch(call: Call) -> web.StreamResponse:
    """How to upload each large file: git LFS's batch API. With no `ref` it is for a pull request."""
    told, repository = call.told(), call.repository()
    call.committer(repository, told["ref"]["name"] if "ref" in told else None)
    if told.get("operation") != "upload" or told.get("hash_algo", "sha256") != "sha256":
        raise Refused(422, "Only uploads by SHA-256 are spoken here")
    objects = [{"oid": one["oid"], "size": one["size"], **actions(call, repository, one)} for one in told["objects"]]
    return reply({"transfer": "basic", "objects": objects})


def actions(call: Call, repository: Repository, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Where to send one large file; nothing where the repository has it."""
    sha256, size = str(wanted["oid"]), int(wanted["size"])
    if sha256 in repository.contents:
        return {}
    verify_at = {"href": f"{call.hub.endpoint}/{repository.page}.git/info/lfs/objects/verify"}
    if not call.hub.part_size or size <= call.hub.part_size:
        return {"actions": {"upload": {"href": stored(call, repository, sha256)}, "verify": verify_at}}
    numbers = range(1, ceil(size / call.hub.part_size) + 1)
    parts = {str(number): stored(call, repository, sha256, str(number)) for number in numbers}
    path = f"/api/complete_multipart/{repository.kind}s/{repository.id}/{sha256}"
    href = f"{call.hub.endpoint}{path}?signature={signature(call, path)}"
    return {
        "actions": {
            "upload": {"href": href, "header": {"chunk_size": str(call.hub.part_size), **parts}},
            "verify": verify_at,
        }
    }


def xet(call: Call) -> web.StreamResponse:
    """Where the client asks for the key to the other storage, which there is none of."""
    repository = call.repository()
    if call.part("access") == "write":
        call.committer(repository, None if call.part("revision") == "None" else call.part("revision"))
    raise Refused(404, "Xet is not spoken here; set HF_HUB_DISABLE_XET=1")


def complete(call: Call) -> web.StreamResponse:
    """The parts of a large file are all there."""
    repository, sha256 = signed(call), call.part("sha256")
    names = [f"{sha256}/{one['partNumber']}" for one in call.told()["parts"]]
    if any(name not in repository.contents for name in names):
        raise Refused(400, "InvalidPart")
    for name, one in zip(names, call.told()["parts"], strict=True):
        if one["etag"].strip('"') != hashlib.md5(repository.contents[name]).hexdigest():
            raise Refused(400, "InvalidPart")
    whole = b"".join(repository.contents[name] for name in names)
    if hashlib.sha256(whole).hexdigest() != sha256:
        raise Refused(400, "The parts do not make the file")
    for name in names:
        del repository.contents[name]
    repository.contents[sha256] = whole
    return reply({"success": True})


def verify(call: Call) -> web.StreamResponse:
    """Whether a large file has arrived whole."""
    repository, told = call.repository(), call.told()
    call.writer()
    data = repository.contents.get(told["oid"])
    if data is None:
        raise Refused(404, "Object not found")
    if len(data) != told["size"]:
        raise Refused(422, "Object size mismatch")
    return reply({"success": True})


def kept(repository: Repository, sha256: str) -> Blob:
    """A file of a commit out of what was uploaded before it."""
    if sha256 not in repository.contents:
        raise Refused(400, "Your push was rejected because an LFS pointer pointed to a file that does not exist.")
    return repository.keep(repository.contents[sha256], as_large=True)

"""What the stand-in Hub keeps: repositories of commits, under the ids that git and LFS would give them.

A commit is a snapshot, and its id is git's, from its tree, its parent, its author and its words: a client that
compares ids, or computes one, finds what it would find on the real Hub.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

from tests.hub.refusals import Refused, no_entry, no_revision

MAIN = "refs/heads/main"

# What a new data set starts with on the Hub, cut to the patterns that a build here may write.
ATTRIBUTES = "".join(
    f"{pattern} filter=lfs diff=lfs merge=lfs -text\n"
    for pattern in ("*.7z", "*.arrow", "*.bin", "*.gz", "*.npz", "*.parquet", "*.png", "*.safetensors", "*.zip")
).encode()


def git_id(kind: str, body: bytes) -> str:
    """git's name for an object: of a `blob`, a `tree` or a `commit`."""
    return hashlib.sha1(f"{kind} {len(body)}\0".encode() + body).hexdigest()


@dataclass(frozen=True)
class Blob:
    """A file of a commit; a large one is a pointer in git, and its content lies under its SHA-256."""

    oid: str
    size: int
    sha256: str = ""
    pointer_size: int = 0

    @property
    def key(self) -> str:
        """What names the content: also the ETag, and what the client compares before it uploads."""
        return self.sha256 or self.oid


def regular(content: bytes) -> Blob:
    return Blob(git_id("blob", content), len(content))


def large(sha256: str, size: int) -> Blob:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    return Blob(git_id("blob", pointer), size, sha256, len(pointer))


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str
    title: str
    message: str
    author: str
    date: datetime
    files: Mapping[str, Blob]

    def folders(self) -> dict[str, str]:
        """The folders, each with git's id of its tree."""
        return {path: oid for path, oid in tree_ids(self.files).items() if path}

    def file(self, path: str) -> Blob:
        if path not in self.files:
            raise no_entry(commit=self.oid)
        return self.files[path]


@dataclass(frozen=True)
class Tag:
    commit: str
    message: str


@dataclass
class Discussion:
    """A discussion or a pull request, whose changes are the ref `refs/pr/NUM` from the commit `base` on."""

    num: int
    title: str
    description: str
    author: str
    pull: bool
    status: str
    base: str = ""
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Repository:
    """One repository: contents by key, commits by id, refs by full name."""

    kind: str
    id: str
    private: bool = False
    gated: bool = False
    contents: dict[str, bytes] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    discussions: dict[int, Discussion] = field(default_factory=dict)

    def __post_init__(self) -> None:
        first = self.keep(ATTRIBUTES)
        self.add({".gitattributes": first}, parent="", title="initial commit", author="system")

    @property
    def namespace(self) -> str:
        return self.id.partition("/")[0]

    @property
    def page(self) -> str:
        """Where a reader would look at it, from the Hub's address on."""
        return self.id if self.kind == "model" else f"{self.kind}s/{self.id}"

    def keep(self, content: bytes, *, as_large: bool = False) -> Blob:
        """Take a content in, and say which file of a commit it makes."""
        blob = large(hashlib.sha256(content).hexdigest(), len(content)) if as_large else regular(content)
        self.contents[blob.key] = content
        return blob

    def add(
        self,
        files: Mapping[str, Blob],
        *,
        parent: str,
        title: str,
        author: str,
        message: str = "",
        ref: str = MAIN,
    ) -> Commit:
        """A commit of these files, and the ref moved to it."""
        date = datetime.now(UTC).replace(microsecond=0)
        oid = commit_id(files, parent, author, date, title, message)
        self.commits[oid] = Commit(oid, parent, title, message, author, date, dict(sorted(files.items())))
        self.refs[ref] = oid
        return self.commits[oid]

    def at(self, revision: str) -> Commit:
        """The commit that a revision means: a branch, a tag, a pull request's ref, or an id of seven digits or more."""
        if f"refs/heads/{revision}" in self.refs:
            return self.commits[self.refs[f"refs/heads/{revision}"]]
        name = revision.removeprefix("refs/tags/")
        if name in self.tags:
            return self.commits[self.tags[name].commit]
        if revision in self.refs:
            return self.commits[self.refs[revision]]
        found = [oid for oid in self.commits if re.fullmatch("[0-9a-f]{7,40}", revision) and oid.startswith(revision)]
        if len(found) != 1:
            raise no_revision(revision)
        return self.commits[found[0]]

    def ref(self, revision: str) -> str:
        """The full name of a ref that commits may be added to."""
        for name in (f"refs/heads/{revision}", revision):
            if name in self.refs:
                return name
        if revision in self.tags or revision in self.commits:
            raise Refused(400, f"Cannot commit to {revision}: it is not a branch")
        raise no_revision(revision)

    def history(self, commit: Commit) -> Iterator[Commit]:
        """A commit and those before it, the newest first."""
        while True:
            yield commit
            if not commit.parent:
                return
            commit = self.commits[commit.parent]

    def last_change(self, commit: Commit, path: str) -> Commit:
        """The commit that last changed a file or a folder."""

        def state(one: Commit) -> list[tuple[str, Blob]]:
            return [(name, blob) for name, blob in one.files.items() if name == path or name.startswith(f"{path}/")]

        last = commit
        for one in self.history(commit):
            if state(one) != state(commit):
                break
            last = one
        return last

    def discuss(self, title: str, description: str, author: str, *, pull: bool, base: str = "") -> Discussion:
        """A new discussion; a pull request starts as a draft, at a commit."""
        num = len(self.discussions) + 1
        status, base = ("draft", base or self.refs[MAIN]) if pull else ("open", "")
        self.discussions[num] = Discussion(num, title, description, author, pull, status, base)
        if pull:
            self.refs[f"refs/pr/{num}"] = base
        return self.discussions[num]


def commit_id(files: Mapping[str, Blob], parent: str, author: str, date: datetime, title: str, message: str) -> str:
    who = f"{author} <{author}@users.noreply.huggingface.co> {int(date.timestamp())} +0000"
    lines = [f"tree {tree_ids(files)['']}"]
    lines += [f"parent {parent}"] if parent else []
    lines += [f"author {who}", f"committer {who}", "", title]
    return git_id("commit", "\n".join([*lines, *(["", message] if message else []), ""]).encode())


def tree_ids(files: Mapping[str, Blob]) -> dict[str, str]:
    """git's id of every folder; the root's is under the empty path."""
    inside: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    folders = {"" if str(parent) == "." else str(parent) for path in files for parent in PurePosixPath(path).parents}
    for path, blob in files.items():
        folder, _, name = path.rpartition("/")
        inside[folder][name] = ("100644", blob.oid)
    ids: dict[str, str] = {}
    for folder in sorted(folders | {""}, key=lambda path: path.count("/") + bool(path), reverse=True):
        # git orders a folder as if its name ended in a slash
        entries = sorted(inside[folder].items(), key=lambda one: f"{one[0]}/" if one[1][0] == "40000" else one[0])
        body = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(oid) for name, (mode, oid) in entries)
        ids[folder] = git_id("tree", body)
        if folder:
            above, _, name = folder.rpartition("/")
            inside[above][name] = ("40000", ids[folder])
    return ids

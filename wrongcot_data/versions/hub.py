"""Versions on the Hugging Face Hub: each is a tag on one commit, and tags never move."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import BadInput, CheckFailed, Unavailable
from wrongcot_data.publish.dataset import CARD, MANIFEST
from wrongcot_data.publish.manifest import read_manifest
from wrongcot_data.versions.release import Release
from wrongcot_data.versions.store import Moved, Written
from wrongcot_data.versions.version import Version, read_version

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

MAIN = "main"
STALE = (409, 412)
"""HTTP status of a commit or a tag for which somebody else was faster."""


class Hub:
    """A data set's repository. See `Store` for what each member promises.

    Args:
        private: of a repository that is made by the first push.
        propose: open a pull request instead of writing to `main`; there is no tag until it is merged.
    """

    def __init__(self, repo: str, *, private: bool = True, propose: bool = False) -> None:
        self.repo = repo
        self.name = repo
        self._private = private
        self._propose = propose
        _quiet_unless_watched()

    def versions(self) -> Mapping[Version, str]:
        """The tags that are versions, each with its commit."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with _explained(self.repo, "read"):
            try:
                refs = _api().list_repo_refs(self.repo, repo_type="dataset")
            except RepositoryNotFoundError:
                return {}
            return {version: self._commit_of(ref.name) for ref in refs.tags if (version := read_version(ref.name))}

    def fetch(self, at: str, paths: Sequence[str], into: Path | None = None) -> Path:
        """These files of a commit: in the cache that all programs of this user share, or in a folder."""
        from huggingface_hub import snapshot_download

        with _explained(self.repo, "read"):
            folder = snapshot_download(
                self.repo, repo_type="dataset", revision=at, allow_patterns=list(paths), local_dir=into
            )
        return Path(folder)

    def write(self, release: Release, message: str) -> Written:
        """One commit on the newest state of `main`, then the tag on it."""
        tag = release.version.tag
        with _explained(self.repo, "write to"):
            if not self._propose:
                _api().create_repo(self.repo, repo_type="dataset", private=self._private, exist_ok=True)
            head = self._commit_of(MAIN)
            waiting = self._release_at(head)
            if waiting == release.manifest and not self._spoilt(release, head):
                commit = head
            else:
                if waiting != release.manifest:
                    self._check_nobody_waits(waiting, release, head)
                info = self._commit(release, waiting, message, head)
                commit = str(info.oid)
                self._check_taken(release, commit)
                if self._propose:
                    return Written(commit, str(info.pr_url), tagged=False)
            self._tag(tag, commit, message)
        return Written(commit, f"{_api().endpoint}/datasets/{self.repo}/tree/{tag}")

    def check(self, release: Release) -> None:
        """Whether `main` is free for a release."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with _explained(self.repo, "read"):
            try:
                head = self._commit_of(MAIN)
            except RepositoryNotFoundError:
                return  # it will be made
            there = self._release_at(head)
            if there != release.manifest:
                self._check_nobody_waits(there, release, head)
            self._left_behind(release, there, head)

    def spoilt(self, release: Release, at: str) -> list[str]:
        """Paths of a release that a commit lacks or has with other bytes, by the Hub's own hashes."""
        with _explained(self.repo, "read"):
            return self._spoilt(release, at)

    def _spoilt(self, release: Release, at: str) -> list[str]:
        from huggingface_hub.hf_api import RepoFile

        told = {str(file["path"]): str(file["sha256"]) for file in release.manifest["files"]}
        listed = _api().list_repo_tree(self.repo, repo_type="dataset", revision=at, recursive=True)
        there = {one.path: one for one in listed if isinstance(one, RepoFile)}
        return [
            path
            for path, content in release.files.items()
            if path not in there or not _is_there(there[path], content, told.get(path))
        ]

    def _check_taken(self, release: Release, commit: str) -> None:
        """See that a commit has what its manifest says, before it gets a tag that never moves.

        A folder that is built anew while it is pushed would else become a version that nobody can mend.

        Raises:
            CheckFailed: it has not.
        """
        spoilt = self._spoilt(release, commit)
        if spoilt:
            raise CheckFailed(
                f"{self.repo} did not take {spoilt[0]} as {MANIFEST} has it; {release.version.tag} was not made",
                try_=["the same command again, once nothing else writes to the folder"],
            )

    def _commit_of(self, revision: str) -> str:
        return str(_api().repo_info(self.repo, repo_type="dataset", revision=revision).sha)

    def _release_at(self, commit: str) -> dict[str, Any] | None:
        """The manifest at a commit; None where it has none of a release."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError

        try:
            with tempfile.TemporaryDirectory(prefix="wrongcot-") as into:
                hf_hub_download(self.repo, MANIFEST, repo_type="dataset", revision=commit, local_dir=into)
                manifest = read_manifest(Path(into))
        except (EntryNotFoundError, BadInput):
            return None
        return manifest if "release" in manifest else None

    def _check_nobody_waits(self, waiting: Mapping[str, Any] | None, release: Release, head: str) -> None:
        """See that `main` holds no other release of this version, or of a later one, that has no tag yet.

        Raises:
            BadInput: it does.
        """
        version = read_version(waiting["release"]["version"]) if waiting else None
        if version and release.version <= version and version not in self.versions():
            raise BadInput(
                f"{self.repo} holds an unfinished push of {version.tag} with other bytes (commit {head[:8]})",
                try_=[
                    "the command of that push again, to finish it",
                    f"--version {version.after('patch')}    (or later: yours in its place)",
                ],
            )

    def _left_behind(self, release: Release, before: Mapping[str, Any] | None, head: str) -> list[str]:
        """What a release takes away: files of the version before that it lacks, and what lies among its configs.

        Raises:
            BadInput: the repository has files and no manifest of ours: they are somebody's, and the name may be a slip.
        """
        listed = _api().list_repo_files(self.repo, repo_type="dataset", revision=head)
        there = sorted(path for path in listed if path not in (".gitattributes", CARD))
        if before is None:
            if there:
                raise BadInput(
                    f"{self.repo} holds files that no push of ours wrote ({', '.join(there[:3])}); they are left alone",
                    try_=["--repo ORG/ANOTHER_NAME", f"hf repos delete-files {self.repo} ... --type dataset"],
                )
            return []
        ours = {file["path"] for file in before["files"]}
        folders = tuple(f"{config}/" for config in {*before["rows"], *release.manifest["rows"]})
        stale = (path for path in there if path not in release.files)
        return [path for path in stale if path in ours or path.startswith(folders)]

    def _commit(self, release: Release, waiting: Mapping[str, Any] | None, message: str, head: str) -> Any:
        """The commit of a release: its files added, those of older versions that it lacks taken away.

        Args:
            waiting: the manifest at `head`, if that has one.

        Raises:
            BadInput: the repository has files of others only.
            Moved: somebody else was faster.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        api = _api()
        stale = self._left_behind(release, waiting, head)
        operations: list[CommitOperationAdd | CommitOperationCopy | CommitOperationDelete] = [
            *(CommitOperationAdd(path, content) for path, content in release.files.items()),
            *(CommitOperationDelete(path) for path in stale),
        ]
        try:
            return api.create_commit(
                self.repo,
                operations,
                commit_message=message,
                repo_type="dataset",
                create_pr=self._propose,
                parent_commit=head,
            )
        except HfHubHTTPError as error:
            if error.response.status_code in STALE:
                raise Moved from error
            raise

    def _tag(self, tag: str, commit: str, message: str) -> None:
        """Tag a commit, if it is not done already.

        Raises:
            Moved: the tag is on another commit.
        """
        from huggingface_hub.errors import HfHubHTTPError

        try:
            _api().create_tag(self.repo, repo_type="dataset", tag=tag, tag_message=message, revision=commit)
        except HfHubHTTPError as error:
            if error.response.status_code not in STALE:
                raise
            if self._commit_of(tag) != commit:
                raise Moved from error


def _is_there(file: RepoFile, content: Path | bytes, told: str | None) -> bool:
    """Whether a file on the Hub is the one that a manifest tells of (the manifest itself: these bytes)."""
    if file.lfs and told:
        return str(file.lfs.sha256) == told
    data = content if isinstance(content, bytes) else content.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if file.lfs:
        return str(file.lfs.sha256) == digest
    git_id = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return file.blob_id == git_id and told in (None, digest)


def _quiet_unless_watched() -> None:
    """Progress bars are for people: none in logs and pipes."""
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()


def _api() -> HfApi:
    from huggingface_hub import HfApi

    return HfApi(library_name="wrongcot")


@contextmanager
def _explained(repo: str, doing: str) -> Iterator[None]:
    """Faults of the Hub and of the way there, as what they mean for the user. No message holds a token.

    Raises:
        BadInput: it does not take the card.
        Unavailable: the Hub cannot be reached, or not with these rights, or says no.
    """
    from huggingface_hub.errors import (
        HfHubHTTPError,
        HTTPError,
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    log_in = ["hf auth login    (or export HF_TOKEN=...)"]
    again = ["the same command again; it goes on where it stopped"]
    try:
        yield
    except RevisionNotFoundError as error:
        raise Unavailable(f"{repo} has no such version", try_=[f"wrongcot-data list {repo}"]) from error
    except (RepositoryNotFoundError, LocalTokenNotFoundError) as error:
        raise Unavailable(
            f"cannot {doing} {repo}: there is none, or not for you", try_=[*log_in, "ORG/NAME    (is it spelt right?)"]
        ) from error
    except (HTTPError, OSError, RuntimeError, ValueError) as error:
        cause = _first_http_error(error)
        if isinstance(cause, HfHubHTTPError):
            status = cause.response.status_code
            if status in (401, 403):
                hints = [*log_in, "--create-pr    (propose it to the owners)"] if doing == "write to" else log_in
                raise Unavailable(
                    f"cannot {doing} {repo}: your rights do not suffice ({status})", try_=hints
                ) from error
            told = " ".join((cause.server_message or "").split()[:30])
            raise Unavailable(f"cannot {doing} {repo}: the Hub says {status} {told}".rstrip(), try_=again) from error
        if isinstance(cause, ValueError) and "metadata in README.md" in str(cause):
            raise BadInput(f"the Hub does not take the card: {' '.join(str(cause).split())}") from error
        told = " ".join(str(cause).split()[:30]) or type(cause).__name__
        raise Unavailable(f"cannot {doing} {repo}: {told}", try_=again) from error


def _first_http_error(error: BaseException) -> BaseException:
    """The answer of the Hub that an error was made from; the error itself where there was none."""
    from huggingface_hub.errors import HfHubHTTPError

    one: BaseException | None = error
    while one is not None:
        if isinstance(one, HfHubHTTPError):
            return one
        one = one.__cause__
    return error

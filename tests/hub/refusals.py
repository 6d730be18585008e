"""How the Hub says no: a status, a code in `X-Error-Code` that its client makes an exception of, and words."""

from __future__ import annotations

from collections.abc import Mapping


class Refused(Exception):
    """An answer of the kind 4xx. The client reads the code first, then the status, then the words."""

    def __init__(self, status: int, message: str, code: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})


def no_repository(*, known: bool) -> Refused:
    """A repository that is not there, or that this caller may not know of.

    Whoever sends no token hears 401. The client takes a bare 401 for a missing repository where the address is
    https; over loopback it is http, so the code says it.
    """
    if known:
        return Refused(404, "Repository not found", "RepoNotFound")
    return Refused(401, "Invalid username or password.", "RepoNotFound")


def no_revision(revision: str) -> Refused:
    return Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def no_entry(message: str = "Entry not found", commit: str = "") -> Refused:
    """A path that is not in a commit; the client remembers the commit that it was missing from."""
    return Refused(404, message, "EntryNotFound", {"X-Repo-Commit": commit} if commit else None)


def gated(repository: str, *, known: bool) -> Refused:
    """A repository that all may see and only some may download from."""
    told = f"Access to {repository} is restricted"
    if known:
        return Refused(403, f"{told} and you are not in the authorized list.", "GatedRepo")
    return Refused(401, f"{told}. You must have access to it and be authenticated to access it.", "GatedRepo")

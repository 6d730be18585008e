"""What the real client makes of each fault: what it raises, what it asks again, and what is done all the same.

It is written down here once, so that whoever publishes through it knows what to catch and what to look at afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from tests.hub import ALWAYS, Cut, Hub, Meanwhile, Refuse, Slow

TRACES = "tester/traces"
DATA = "data.parquet"
BYTES = b"PAR1" + bytes(300_000) + b"PAR1"

BACKOFF = [1, 2, 4, 8, 8]  # seconds, and then it gives up


@pytest.fixture
def traces(hub: Hub) -> Hub:
    """The Hub with one version of a data set."""
    hub.publish(TRACES, {"README.md": b"---\nlicense: mit\n---\n", DATA: BYTES}, tag="v1.0.0")
    return hub


def commit(**more):
    """A commit of a large file, a small one and a card: every stage of an upload."""
    contents = {"README.md": b"---\nlicense: apache-2.0\n---\n", "new.parquet": BYTES[::-1] + b"new", "a.txt": b"a"}
    additions = [CommitOperationAdd(path, data) for path, data in contents.items()]
    return HfApi().create_commit(TRACES, additions, commit_message="New", repo_type="dataset", **more)


def tag():
    HfApi().create_tag(TRACES, tag="v2.0.0", tag_message="Second", repo_type="dataset")


def fetch():
    return hf_hub_download(TRACES, DATA, repo_type="dataset", revision="v1.0.0")


def info():
    return HfApi().dataset_info(TRACES)


# The stage, what asks for it, and whether the client asks again by itself.
STAGES: dict[str, tuple[Callable[[], object], bool]] = {
    "create": (lambda: HfApi().create_repo("tester/other", repo_type="dataset"), False),
    "info": (info, False),
    "validate": (commit, False),
    "preupload": (commit, True),
    "batch": (commit, True),
    "upload": (commit, True),
    "verify": (commit, True),
    "commit": (commit, False),
    "tag": (tag, False),
    "refs": (lambda: HfApi().list_repo_refs(TRACES, repo_type="dataset"), False),
    "tree": (lambda: list(HfApi().list_repo_tree(TRACES, repo_type="dataset")), True),
    "paths": (lambda: HfApi().get_paths_info(TRACES, ["a"], repo_type="dataset"), False),
    "history": (lambda: HfApi().list_repo_commits(TRACES, repo_type="dataset"), True),
}
ASKS_AGAIN = [stage for stage, (_, again) in STAGES.items() if again]
ASKS_ONCE = [stage for stage, (_, again) in STAGES.items() if not again]


def cause(error: BaseException) -> BaseException:
    """What an upload really failed of: the client wraps it in a RuntimeError."""
    return error.__cause__ if isinstance(error, RuntimeError) and error.__cause__ else error


@pytest.mark.parametrize("code", [401, 403, 404, 409, 412])
@pytest.mark.parametrize("stage", STAGES)
def test_a_refusal_is_raised_and_nothing_is_asked_again(traces, waits, stage, code):
    act, _ = STAGES[stage]
    order = traces.fail(stage, Refuse(code, "told to"), times=ALWAYS)
    with pytest.raises((HfHubHTTPError, RuntimeError)) as raised:
        act()
    error = cause(raised.value)
    assert isinstance(error, HfHubHTTPError)
    assert (error.response.status_code, error.server_message) == (code, "told to")
    assert (order.met, waits) == (1, [])
    assert traces.stages()[-1] == stage


@pytest.mark.parametrize("stage", ASKS_AGAIN)
def test_what_passes_is_asked_again(traces, waits, stage):
    act, _ = STAGES[stage]
    for nth, code in enumerate((429, 500, 502, 503, 504), start=1):
        traces.fail(stage, Refuse(code), nth=nth)
    act()
    assert waits == BACKOFF
    assert traces.stages().count(stage) == 6


@pytest.mark.parametrize("code", [429, 500])
@pytest.mark.parametrize("stage", ASKS_AGAIN)
def test_what_does_not_pass_is_given_up_after_five_times(traces, waits, stage, code):
    act, _ = STAGES[stage]
    order = traces.fail(stage, Refuse(code), times=ALWAYS)
    with pytest.raises((HfHubHTTPError, RuntimeError)) as raised:
        act()
    error = cause(raised.value)
    assert isinstance(error, HfHubHTTPError)
    assert error.response.status_code == code
    assert (order.met, waits) == (6, BACKOFF)


@pytest.mark.parametrize("code", [429, 500, 503])
@pytest.mark.parametrize("stage", ASKS_ONCE)
def test_what_may_pass_is_raised_at_once_where_the_client_asks_once(traces, waits, stage, code):
    act, _ = STAGES[stage]
    order = traces.fail(stage, Refuse(code), times=ALWAYS)
    with pytest.raises(HfHubHTTPError) as error:
        act()
    assert error.value.response.status_code == code
    assert (order.met, waits) == (1, [])


def test_the_client_waits_as_long_as_it_is_told_and_a_second_more(traces, waits):
    traces.fail("preupload", Refuse(429, retry_after=30), times=2)
    traces.fail("batch", Refuse(429, headers={"RateLimit": '"api";r=0;t=55'}))
    commit()
    assert waits == [31, 31, 56]
    # where it does not ask again, the header is for the caller to read
    traces.fail("tag", Refuse(429, retry_after=30))
    with pytest.raises(HfHubHTTPError) as error:
        tag()
    assert error.value.response.headers["Retry-After"] == "30"


@pytest.mark.parametrize("stage", ASKS_AGAIN)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_is_asked_again_where_a_refusal_is(traces, waits, stage, when):
    act, _ = STAGES[stage]
    order = traces.fail(stage, Cut(when))
    act()
    assert (order.met, waits) == (1, [1])


@pytest.mark.parametrize("stage", ASKS_ONCE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_is_a_transport_error_where_the_client_asks_once(traces, waits, stage, when):
    act, _ = STAGES[stage]
    traces.fail(stage, Cut(when), times=ALWAYS)
    with pytest.raises(httpx.RemoteProtocolError) as error:
        act()
    # no HfHubHTTPError, and no OSError: `except HfHubHTTPError` alone misses it
    assert not isinstance(error.value, HfHubHTTPError | OSError)
    assert waits == []


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
def test_whether_a_commit_or_a_tag_was_made_is_not_to_be_known_from_the_error(traces, when, made):
    head = info().sha
    traces.fail("commit", Cut(when))
    with pytest.raises(httpx.RemoteProtocolError):
        commit()
    assert (info().sha != head) == made
    traces.forget()
    # what the client does if it is told to do the same again
    commit()
    assert ("commit" in traces.stages()) == (not made)
    traces.fail("tag", Cut(when))
    with pytest.raises(httpx.RemoteProtocolError):
        tag()
    assert ("v2.0.0" in traces.repository(TRACES).tags) == made


def test_of_two_who_commit_on_the_same_parent_the_second_hears_of_it(traces):
    parent = info().sha
    traces.fail("commit", Meanwhile(lambda: traces.publish(TRACES, {"other.txt": b"other"})))
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as error:
        commit(parent_commit=parent)
    assert error.value.response.status_code == 412
    # what was uploaded for it is there, and is not uploaded again
    traces.forget()
    told = commit(parent_commit=info().sha)
    assert "upload" not in traces.stages()
    assert sorted(traces.repository(TRACES).commits[told.oid].files)[-2:] == ["new.parquet", "other.txt"]
    # without a parent nobody would have known
    traces.fail("commit", Meanwhile(lambda: traces.publish(TRACES, {"a.txt": b"lost"})))
    HfApi().create_commit(TRACES, [CommitOperationAdd("a.txt", b"won")], commit_message="Blind", repo_type="dataset")
    assert traces.read(TRACES, "a.txt") == b"won"


def test_a_gateway_that_gives_up_leaves_the_same_doubt(traces):
    head = info().sha
    page = b"<html><h1>504 Gateway Time-out</h1></html>"
    traces.fail("commit", Refuse(504, body=page, acted=True))
    with pytest.raises(HfHubHTTPError) as error:
        commit()
    assert error.value.response.status_code == 504
    assert "<html>" not in str(error.value)
    assert info().sha != head


def test_a_page_instead_of_json_breaks_the_look_at_the_card(traces):
    traces.fail("validate", Refuse(502, body=b"<html>Bad Gateway</html>"))
    with pytest.raises(json.JSONDecodeError):
        commit()


def test_a_cut_in_the_middle_of_an_upload_is_asked_again_from_the_start(traces, waits):
    order = traces.fail("upload", Cut("upload", at=100_000))
    commit()
    assert (order.met, waits) == (1, [1])
    assert [one.size for one in traces.asked if one.stage == "upload"] == [100_000, len(BYTES) + 3]
    assert traces.read(TRACES, "new.parquet") == BYTES[::-1] + b"new"


def test_an_upload_that_is_cut_each_time_ends_in_an_error_that_names_the_file(traces, waits):
    traces.fail("upload", Cut("upload", at=1000), times=ALWAYS)
    with pytest.raises(RuntimeError, match=r"Error while uploading 'new\.parquet'") as raised:
        commit()
    assert isinstance(cause(raised.value), httpx.TransportError)
    assert waits == BACKOFF
    assert "commit" not in traces.stages()


def test_a_cut_in_the_middle_of_a_commit_makes_none(traces):
    head = info().sha
    traces.fail("commit", Cut("upload", at=50))
    with pytest.raises(httpx.TransportError):
        commit()
    assert info().sha == head


@pytest.mark.parametrize(("chunk", "resumed"), [(10 << 20, None), (30_000, "bytes=90000-")])
def test_a_download_that_is_cut_goes_on_after_the_last_whole_chunk(traces, waits, monkeypatch, chunk, resumed):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", chunk)  # 10 MiB, unless it is changed
    traces.fail("download", Cut("download", at=100_000))
    assert Path(fetch()).read_bytes() == BYTES
    assert [one.headers.get("Range") for one in traces.asked if one.stage == "download"] == [None, resumed]
    assert waits == [1]


def test_a_download_is_not_asked_again_for_an_error_of_the_server(traces, waits):
    traces.fail("download", Refuse(500))
    with pytest.raises(HfHubHTTPError):
        fetch()
    assert waits == []
    traces.fail("download", Refuse(429, retry_after=1))
    fetch()
    assert waits == [2]


@pytest.mark.parametrize(("code", "times"), [(403, 1), (429, 7), (500, 7)])
def test_a_file_that_cannot_be_found_out_about_is_said_to_be_a_matter_of_the_connection(traces, waits, code, times):
    order = traces.fail("resolve", Refuse(code), times=ALWAYS)
    with pytest.raises(LocalEntryNotFoundError, match="check your connection") as error:
        fetch()
    assert isinstance(error.value.__cause__, HfHubHTTPError)
    assert error.value.__cause__.response.status_code == code
    assert (order.met, waits) == (times, BACKOFF if times > 1 else [])


def test_what_is_in_the_cache_is_given_out_where_the_hub_fails(traces):
    cached = hf_hub_download(TRACES, DATA, repo_type="dataset")
    traces.publish(TRACES, {DATA: b"PAR1\0PAR1"})
    traces.fail("resolve", Refuse(500), times=ALWAYS)
    assert hf_hub_download(TRACES, DATA, repo_type="dataset") == cached


def test_a_cut_while_finding_out_about_a_file_is_raised_as_it_is(traces, waits):
    traces.fail("HEAD */resolve/*", Cut("before"))
    with pytest.raises(httpx.RemoteProtocolError):
        fetch()
    traces.fail("info", Cut("before"))
    with pytest.raises(httpx.RemoteProtocolError):
        snapshot_download(TRACES, repo_type="dataset")
    assert waits == []


def test_codes_make_exceptions_whatever_the_status_is(traces):
    codes = {
        "RepoNotFound": RepositoryNotFoundError,
        "GatedRepo": GatedRepoError,
        "RevisionNotFound": RevisionNotFoundError,
        "EntryNotFound": EntryNotFoundError,
    }
    for code, kind in codes.items():
        traces.fail("refs", Refuse(418, code=code))
        with pytest.raises(kind):
            HfApi().list_repo_refs(TRACES, repo_type="dataset")
        traces.forget()
    traces.fail("commit", Refuse(400, "Invalid metadata in README.md"))
    with pytest.raises(BadRequestError, match="Bad request for commit endpoint"):
        commit()


def test_a_slow_answer_is_waited_for_where_there_is_no_limit_and_not_where_there_is(traces):
    traces.fail("commit", Slow(0.5))
    begun = time.monotonic()
    commit()
    assert time.monotonic() - begun >= 0.5
    traces.fail("info", Slow(1))
    with pytest.raises(httpx.ReadTimeout):
        HfApi().dataset_info(TRACES, timeout=0.1)
    # for a file the limit holds once; then it is asked again, with a minute's time
    traces.forget()
    traces.fail("resolve", Slow(1))
    assert hf_hub_download(TRACES, DATA, repo_type="dataset", etag_timeout=0.1)
    assert traces.stages() == ["resolve", "resolve", "download"]


def test_a_fault_is_for_the_nth_request_and_as_many_after_it_as_was_said(traces):
    order = traces.fail("info", Refuse(500), nth=2, times=2)
    other = traces.fail("GET */refs", Refuse(500))
    seen = []
    for _ in range(5):
        try:
            info()
            seen.append(True)
        except HfHubHTTPError:
            seen.append(False)
    assert seen == [True, False, False, True, True]
    assert (order.seen, order.met, other.seen) == (5, 2, 0)
    assert [one.status for one in traces.asked] == [200, 500, 500, 200, 200]
    with pytest.raises(ValueError, match="no stage comit; there are"):
        traces.fail("comit", Refuse(500))

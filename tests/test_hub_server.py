"""The stand-in Hub, to the real clients: what they write comes back, by the ids that they compute themselves."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    DatasetCard,
    HfApi,
    HfFileSystem,
    constants,
    hf_hub_download,
    snapshot_download,
)
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session

from tests.hub import READER, STRANGER, Hub, User

TRACES = "tester/traces"
DATA = "wrong/train-00000-of-00001.parquet"
ROWS = [{"problem_id": f"p{n}", "grade": "wrong"} for n in range(300)]
CARD = """---
license: apache-2.0
language: en
tags: [chain-of-thought]
configs:
- config_name: wrong
  data_files:
  - split: train
    path: wrong/train-*
---
# Traces
"""


def parquet(rows: list[dict[str, str]]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def additions(rows=ROWS, card=CARD) -> list[CommitOperationAdd]:
    return [CommitOperationAdd("README.md", card.encode()), CommitOperationAdd(DATA, parquet(rows))]


def commit(operations, repo=TRACES, **more):
    return HfApi(token=more.pop("token", None)).create_commit(
        repo, operations, commit_message="Version", repo_type="dataset", **more
    )


@pytest.fixture
def traces(hub: Hub) -> Hub:
    """The Hub with a public data set of one version, through the client."""
    HfApi().create_repo(TRACES, repo_type="dataset")
    oid = commit(additions()).oid
    HfApi().create_tag(TRACES, tag="v1.0.0", tag_message="First", revision=oid, repo_type="dataset")
    hub.forget()
    return hub


def status(error: pytest.ExceptionInfo[HfHubHTTPError]) -> int:
    return error.value.response.status_code


def test_a_version_goes_up_in_one_commit_and_comes_back_by_its_tag(hub, tmp_path):
    api = HfApi()
    made = api.create_repo(TRACES, repo_type="dataset", private=True)
    assert (made.repo_id, made.repo_type, str(made)) == (TRACES, "dataset", f"{hub.endpoint}/datasets/{TRACES}")
    first = api.dataset_info(TRACES).sha
    told = commit(additions(), commit_description="All of it", parent_commit=first)
    assert hub.stages() == ["create", "info", "validate", "preupload", "batch", "upload", "verify", "commit"]
    assert told.commit_url == f"{hub.endpoint}/datasets/{TRACES}/commit/{told.oid}"
    api.create_tag(TRACES, tag="v1.0.0", tag_message="First", revision=told.oid, repo_type="dataset")

    refs = api.list_repo_refs(TRACES, repo_type="dataset")
    assert [(one.name, one.ref, one.target_commit) for one in refs.tags] == [("v1.0.0", "refs/tags/v1.0.0", told.oid)]
    assert [(one.name, one.target_commit) for one in refs.branches] == [("main", told.oid)]
    data = parquet(ROWS)
    files = {
        one.path: one for one in api.list_repo_tree(TRACES, recursive=True, repo_type="dataset", revision="v1.0.0")
    }
    assert list(files) == [".gitattributes", "README.md", "wrong", DATA]
    assert files[DATA].lfs.sha256 == hashlib.sha256(data).hexdigest()
    assert (files[DATA].size, files["README.md"].lfs) == (len(data), None)

    got = Path(hf_hub_download(TRACES, DATA, repo_type="dataset", revision="v1.0.0", cache_dir=tmp_path / "cache"))
    assert got.read_bytes() == data
    assert got.resolve().name == hashlib.sha256(data).hexdigest()
    assert got.parent.parent.name == told.oid
    folder = snapshot_download(TRACES, repo_type="dataset", revision="v1.0.0", cache_dir=tmp_path / "cache")
    assert Path(folder, "README.md").read_text() == CARD
    checked = api.verify_repo_checksums(TRACES, repo_type="dataset", revision="v1.0.0", cache_dir=tmp_path / "cache")
    assert not checked.mismatches
    assert checked.checked_count == 3


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_the_ids_are_those_of_git(traces, tmp_path):
    commit(
        [CommitOperationAdd("wrong.md", b"after the folder in git, before it in the alphabet"), *additions(ROWS[:9])]
    )
    head = traces.repository(TRACES).at("main")
    for path, blob in head.files.items():
        (tmp_path / "git" / path).parent.mkdir(parents=True, exist_ok=True)
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{blob.sha256}\nsize {blob.size}\n"
        content = pointer.encode() if blob.sha256 else traces.read(TRACES, path)
        (tmp_path / "git" / path).write_bytes(content)

    when, mail = f"{int(head.date.timestamp())} +0000", f"{head.author}@users.noreply.huggingface.co"
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=tmp_path / "git", env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "-A", "-f")
    tree = git("write-tree")
    assert git("rev-parse", f"{tree}:wrong") == head.folders()["wrong"]
    who = f"{head.author} <{mail}> {when}"
    (tmp_path / "commit").write_text(
        f"tree {tree}\nparent {head.parent}\nauthor {who}\ncommitter {who}\n\n{head.title}\n"
    )
    assert git("hash-object", "-t", "commit", str(tmp_path / "commit")) == head.oid


LOAD = """
import json, sys
from datasets import load_dataset
from huggingface_hub import DatasetCard, snapshot_download
repo, tag = sys.argv[1:]
rows = load_dataset(repo, "wrong", split="train", revision=tag)
streamed = load_dataset(repo, "wrong", split="train", revision=tag, streaming=True)
card = DatasetCard.load(repo)
print(json.dumps([rows.to_list(), list(streamed), card.data.license, snapshot_download(repo, repo_type="dataset")]))
"""


def test_datasets_loads_a_config_by_its_tag_in_a_process_of_its_own(traces, tmp_path):
    commit(additions(ROWS[:1]))
    traces.forget()
    done = subprocess.run(
        [sys.executable, "-c", LOAD, TRACES, "v1.0.0"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    rows, streamed, licence, folder = json.loads(done.stdout)
    assert rows == streamed == ROWS
    assert licence == "apache-2.0"
    assert folder.startswith(str(tmp_path / "hf" / "hub"))
    assert "unknown" not in traces.stages()


UPLOAD = """
import sys
from huggingface_hub import CommitOperationAdd, HfApi
added = [CommitOperationAdd("more.parquet", b"PAR1")]
HfApi().create_commit(sys.argv[1], added, commit_message="More", repo_type="dataset")
"""


def test_where_xet_is_not_switched_off_the_client_takes_no_other_way(traces, monkeypatch):
    pytest.importorskip("hf_xet")
    env = {**os.environ, "HF_HUB_DISABLE_XET": "0"}
    done = subprocess.run([sys.executable, "-c", UPLOAD, TRACES], env=env, capture_output=True, text=True, check=False)
    assert "ConnectionError: Network error: Request error: HTTP status client error (404 Not Found)" in done.stderr
    assert traces.stages() == ["preupload", "xet"]
    # but for a file that is open
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    traces.forget()
    commit([CommitOperationAdd("more.parquet", io.BytesIO(b"PAR1"))])
    assert traces.stages() == ["preupload", "batch", "upload", "verify", "commit"]


def test_the_storage_never_sees_the_token(traces):
    hf_hub_download(TRACES, DATA, repo_type="dataset")
    commit([CommitOperationAdd("more.parquet", parquet(ROWS[:2]))])
    beside = [one for one in traces.asked if one.site == "storage"]
    assert [one.stage for one in beside] == ["download", "upload"]
    assert [one.token for one in beside] == ["", ""]
    assert all(one.token == traces.token for one in traces.asked if one.site == "hub")
    sizes = {one.stage: one.size for one in traces.asked}
    assert sizes["upload"] == len(parquet(ROWS[:2]))


def test_the_same_bytes_make_no_commit(traces):
    head = traces.repository(TRACES).at("main").oid
    told = commit(additions())
    assert told.oid == head
    assert "commit" not in traces.stages()
    assert "upload" not in traces.stages()
    assert traces.stages()[-1] == "info"


def test_an_empty_commit_is_made_if_it_is_asked_for_which_the_client_does_not(traces):
    head = traces.repository(TRACES).at("main")
    assert commit([]).oid == head.oid
    header = {"key": "header", "value": {"summary": "Nothing", "description": "", "parentCommit": head.oid}}
    url, known = f"{traces.endpoint}/api/datasets/{TRACES}/commit/main", {"Authorization": f"Bearer {traces.token}"}
    told = get_session().post(url, content=json.dumps(header), headers=known).json()
    made = traces.repository(TRACES).at("main")
    assert (made.oid, made.parent, made.files) == (told["commitOid"], head.oid, head.files)
    for body in ("", "{}", "no JSON", json.dumps({"key": "file", "value": {}}), json.dumps(header) + '\n{"key": "x"}'):
        assert get_session().post(url, content=body, headers=known).status_code == 400


def test_a_stale_parent_is_refused_and_a_short_one_that_is_right_is_not(traces):
    first, head = (one.commit_id for one in HfApi().list_repo_commits(TRACES, repo_type="dataset")[::-1])
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as error:
        commit([CommitOperationAdd("a.txt", b"a")], parent_commit=first)
    assert status(error) == 412
    assert traces.repository(TRACES).at("main").oid == head
    commit([CommitOperationAdd("a.txt", b"a")], parent_commit=head[:7])


def test_a_tag_does_not_move(traces):
    api = HfApi()
    more = {"repo_type": "dataset", "tag": "v1.0.0"}
    commit([CommitOperationAdd("a.txt", b"a")])
    with pytest.raises(HfHubHTTPError, match="exists already") as error:
        api.create_tag(TRACES, **more)
    assert status(error) == 409
    before = api.dataset_info(TRACES, revision="v1.0.0").sha
    api.create_tag(TRACES, **more, exist_ok=True)
    assert api.dataset_info(TRACES, revision="v1.0.0").sha == before
    assert traces.repository(TRACES).tags["v1.0.0"].message == "First"
    api.delete_tag(TRACES, **more)
    for again in (api.delete_tag, lambda repo, **_: api.dataset_info(repo, revision="v1.0.0")):
        with pytest.raises(RevisionNotFoundError):
            again(TRACES, **more)
    with pytest.raises(RevisionNotFoundError):
        api.create_tag(TRACES, repo_type="dataset", tag="v2.0.0", revision="nowhere")
    with pytest.raises(BadRequestError):
        api.create_tag(TRACES, repo_type="dataset", tag="two words")


def test_branches_and_history(traces):
    api = HfApi()
    api.create_branch(TRACES, branch="preview", revision="v1.0.0", repo_type="dataset")
    api.create_branch(TRACES, branch="preview", repo_type="dataset", exist_ok=True)
    told = commit([CommitOperationAdd("a.txt", b"a")], revision="preview", commit_description="On a branch")
    history = api.list_repo_commits(TRACES, repo_type="dataset", revision="preview")
    assert [one.title for one in history] == ["Version", "Version", "initial commit"]
    assert (history[0].commit_id, history[0].message, history[0].authors) == (told.oid, "On a branch", ["tester"])
    assert not api.file_exists(TRACES, "a.txt", repo_type="dataset")
    api.delete_branch(TRACES, branch="preview", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.list_repo_commits(TRACES, repo_type="dataset", revision="preview")
    with pytest.raises(HfHubHTTPError) as error:
        api.delete_branch(TRACES, branch="main", repo_type="dataset")
    assert status(error) == 403
    with pytest.raises(BadRequestError):
        commit([CommitOperationAdd("a.txt", b"a")], revision="v1.0.0")


def test_a_stranger_may_propose_a_change_and_nothing_moves(traces):
    api = HfApi(token=STRANGER)
    head = traces.repository(TRACES).at("main").oid
    told = commit(additions(ROWS[:5]), token=STRANGER, create_pr=True)
    assert (told.pr_num, told.pr_revision) == (1, "refs/pr/1")
    commit([CommitOperationAdd("why.md", b"because")], token=STRANGER, revision="refs/pr/1")
    assert traces.repository(TRACES).at("main").oid == head
    refs = api.list_repo_refs(TRACES, repo_type="dataset", include_pull_requests=True)
    assert [one.ref for one in refs.pull_requests] == ["refs/pr/1"]
    assert hf_hub_download(TRACES, "why.md", repo_type="dataset", revision="refs/pr/1")
    told = api.get_discussion_details(TRACES, 1, repo_type="dataset")
    assert (told.title, told.author, told.status, told.is_pull_request) == ("Version", "stranger", "draft", True)
    assert [one.type for one in told.events] == ["comment", "commit", "commit"]
    assert api.create_pull_request(TRACES, "Another", repo_type="dataset").num == 2
    assert [one.num for one in api.get_repo_discussions(TRACES, repo_type="dataset")] == [1, 2]
    assert commit([CommitOperationAdd("b", b"b")], create_pr=True, parent_commit=head).pr_num == 3


@pytest.mark.parametrize(("token", "code"), [(STRANGER, 404), (False, 401)])
def test_a_private_data_set_is_not_there_for_a_stranger(traces, token, code):
    HfApi().update_repo_settings(TRACES, private=True, repo_type="dataset")
    api = HfApi(token=token)
    asks = [
        lambda: api.dataset_info(TRACES),
        lambda: list(api.list_repo_tree(TRACES, repo_type="dataset")),
        lambda: api.hf_hub_download(TRACES, "README.md", repo_type="dataset"),
        lambda: commit(additions(ROWS[:3]), token=token),
    ]
    for ask in asks:
        with pytest.raises(RepositoryNotFoundError) as error:
            ask()
        assert status(error) == code
    assert not api.repo_exists(TRACES, repo_type="dataset")
    assert HfApi(token=READER).dataset_info(TRACES).private


def test_a_token_that_is_wrong_or_may_not_write(traces):
    wrong = HfApi(token="hf_wrong")
    with pytest.raises(HfHubHTTPError, match="Invalid user token") as error:
        wrong.whoami()
    assert status(error) == 401
    with pytest.raises(HfHubHTTPError, match="Invalid credentials in Authorization header") as error:
        wrong.dataset_info(TRACES)
    assert not isinstance(error.value, RepositoryNotFoundError)
    assert (HfApi().whoami()["name"], HfApi(token=STRANGER).whoami()["name"]) == ("tester", "stranger")
    assert HfApi(token=READER).whoami()["auth"]["accessToken"]["role"] == "read"
    for token, words in ((READER, "you must use a write token"), (STRANGER, "rights to write")):
        api = HfApi(token=token)
        refused = [
            lambda api=api: api.create_repo("tester/other", repo_type="dataset"),
            lambda api=api: api.create_tag(TRACES, tag="v9", repo_type="dataset"),
            lambda token=token: commit(additions(ROWS[:3]), token=token),
        ]
        for ask in refused:
            with pytest.raises(HfHubHTTPError, match=words) as error:
                ask()
            assert status(error) == 403
    # what is there is found with a token that could not have made it
    assert HfApi(token=READER).create_repo(TRACES, repo_type="dataset", exist_ok=True).endswith(TRACES)


def test_a_member_of_an_organization_writes_in_it(hub):
    hub.users["hf_member"] = User("member", organizations=("lab",))
    api = HfApi(token="hf_member")
    api.create_repo("lab/traces", repo_type="dataset", private=True)
    assert commit(additions(), repo="lab/traces", token="hf_member").oid == api.dataset_info("lab/traces").sha
    assert [one["name"] for one in api.whoami()["orgs"]] == ["lab"]


def test_a_gated_data_set_is_seen_and_not_had(traces):
    HfApi().update_repo_settings(TRACES, gated="manual", repo_type="dataset")
    for token, wanted in ((STRANGER, 403), (False, 401)):
        api = HfApi(token=token)
        assert api.dataset_info(TRACES).gated == "manual"
        with pytest.raises(GatedRepoError) as error:
            api.hf_hub_download(TRACES, DATA, repo_type="dataset")
        assert status(error) == wanted
        with pytest.raises(GatedRepoError):
            api.auth_check(TRACES, repo_type="dataset")
    HfApi().auth_check(TRACES, repo_type="dataset", write=True)


def test_a_repository_is_made_once_and_can_be_deleted(hub):
    api = HfApi()
    api.create_repo("tester/model", private=True)
    with pytest.raises(HfHubHTTPError, match="You already created this model repo") as error:
        api.create_repo("tester/model")
    assert status(error) == 409
    assert api.create_repo("model", exist_ok=True).repo_id == "tester/model"
    api.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id="tester/model")
    assert Path(api.hf_hub_download("tester/model", "config.json")).read_text() == "{}"
    api.delete_repo("tester/model")
    api.delete_repo("tester/model", missing_ok=True)
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("tester/model")


def test_what_is_not_there(traces):
    api = HfApi()
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(TRACES, "nothing.txt", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(TRACES, DATA, repo_type="dataset", revision="v9")
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download("tester/none", DATA, repo_type="dataset")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(TRACES, "none", repo_type="dataset"))
    with pytest.raises(RepositoryNotFoundError, match="Please use `create_repo`"):
        commit(additions(), repo="tester/none")
    assert not api.file_exists(TRACES, "nothing.txt", repo_type="dataset")


def test_what_a_repository_says_of_itself(traces):
    told = HfApi().dataset_info(TRACES, files_metadata=True)
    assert (told.id, told.author, told.private, told.gated, told.disabled) == (TRACES, "tester", False, False, False)
    assert told.tags == ["language:en", "license:apache-2.0", "chain-of-thought"]
    assert told.card_data.license == "apache-2.0"
    sizes = {one.rfilename: (one.size, one.lfs.sha256 if one.lfs else None) for one in told.siblings}
    assert sizes[DATA] == (len(parquet(ROWS)), hashlib.sha256(parquet(ROWS)).hexdigest())
    assert sizes["README.md"] == (len(CARD), None)
    short = HfApi().dataset_info(TRACES, expand=["sha", "tags"])
    assert (short.sha, short.siblings) == (told.sha, None)
    assert HfApi().dataset_info(TRACES, revision=told.sha[:8]).sha == told.sha


def test_long_listings_come_in_pages(traces):
    traces.page_size = 3
    names = [f"part/{n:02}/{n}.txt" for n in range(10)]
    commit([CommitOperationAdd(name, name.encode()) for name in names])
    traces.forget()
    api = HfApi()
    found = [one.path for one in api.list_repo_tree(TRACES, "part", recursive=True, repo_type="dataset")]
    assert [one for one in found if one.endswith(".txt")] == names
    assert len(traces.asked) == 7
    assert [one.path for one in api.list_repo_tree(TRACES, "part", repo_type="dataset")] == [
        f"part/{n:02}" for n in range(10)
    ]
    expanded = {one.path: one.last_commit for one in api.list_repo_tree(TRACES, repo_type="dataset", expand=True)}
    assert expanded["part"].oid == api.dataset_info(TRACES).sha
    assert expanded["wrong"].oid == api.dataset_info(TRACES, revision="v1.0.0").sha
    told = api.get_paths_info(TRACES, [DATA, "part", "none"], repo_type="dataset", expand=True)
    assert [one.path for one in told] == [DATA, "part"]
    assert told[0].last_commit.title == "Version"


def test_a_part_of_a_file(traces):
    fs = HfFileSystem(endpoint=traces.endpoint, skip_instance_cache=True)
    data = parquet(ROWS)
    with fs.open(f"datasets/{TRACES}@v1.0.0/{DATA}", block_size=100) as file:
        file.seek(-8, 2)
        assert file.read() == data[-8:]
        file.seek(50)
        assert file.read(10) == data[50:60]
    assert fs.cat_file(f"datasets/{TRACES}/README.md", start=4, end=11) == CARD.encode()[4:11]
    assert fs.glob(f"datasets/{TRACES}@v1.0.0/wrong/*") == [f"datasets/{TRACES}@v1.0.0/{DATA}"]


def test_a_large_file_goes_up_in_parts_where_the_hub_says_so(traces):
    traces.part_size = 1000
    data = parquet([{"text": str(n) * 50} for n in range(999)])
    commit([CommitOperationAdd("long.parquet", data)])
    assert traces.read(TRACES, "long.parquet") == data
    assert traces.stages().count("upload") == -(-len(data) // 1000)
    assert traces.stages()[-3:] == ["complete", "verify", "commit"]


def test_large_is_what_is_named_so_or_binary_or_long(traces):
    traces.regular_limit = 100
    contents = {"a.txt": b"a", "long.txt": b"a" * 101, "binary": b"\0", "a.parquet": b"small", "empty.parquet": b""}
    commit([CommitOperationAdd(path, data) for path, data in contents.items()])
    files = traces.repository(TRACES).at("main").files
    assert [path for path in contents if files[path].sha256] == ["long.txt", "binary", "a.parquet"]


def test_files_are_deleted_and_copied(traces):
    commit([CommitOperationAdd("a/b.txt", b"b"), CommitOperationAdd("a/c.txt", b"c")])
    commit([CommitOperationCopy(DATA, "copy.parquet"), CommitOperationDelete("a/b.txt")])
    commit([CommitOperationDelete("a/")])
    assert list(traces.repository(TRACES).at("main").files) == [".gitattributes", "README.md", "copy.parquet", DATA]
    with pytest.raises(EntryNotFoundError, match="Make sure to differentiate file and folder paths"):
        commit([CommitOperationDelete("a/b.txt")])


def test_a_card_is_looked_at_before_anything_goes_up(traces):
    broken = {
        "license: [": "YAML is not valid",
        "- a": "must be a mapping",
        "license: {a: 1}": '"license" must be a string',
        "size_categories: n>10M": '"size_categories" must be one of',
        "configs: [{data_files: x}]": '"configs\\[0\\].config_name" is required',
    }
    for metadata, words in broken.items():
        with pytest.raises(ValueError, match=words):
            commit(additions(card=f"---\n{metadata}\n---\n"))
    assert set(traces.stages()) == {"validate"}
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        commit(additions(card="# No metadata"))
    DatasetCard("---\nlicense: mit\n---\n# Traces").push_to_hub(TRACES)
    assert HfApi().dataset_info(TRACES).tags == ["license:mit"]
    with pytest.raises(ValueError, match="must be one of"):
        DatasetCard("---\nsize_categories: many\n---\n").push_to_hub(TRACES)

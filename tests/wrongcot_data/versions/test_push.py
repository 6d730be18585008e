"""Versions on a stand-in Hub, by the real client and the real command line: pushed, completed, refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.forgery import change_rows
from tests.hub import OWNER, READER, STRANGER, Cut, Fault, Hub, Meanwhile, Refuse, Slow
from wrongcot_data.cli import main
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.publish.manifest import read_manifest

REPO = "tester/traces"
Push = Callable[..., dict[str, Any]]


PATIENT = ("--give-up-below", 0)
"""No problem is given up for the odds that others tell, so that a larger build has all rows of a smaller one."""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, scripted) -> Path:
    """A data set of 8 problems, never to be written to."""
    scripted(tmp_path_factory.mktemp("small") / "countdown", "--limit", 8, *PATIENT)
    return tmp_path_factory.getbasetemp() / "small0" / "countdown"


@pytest.fixture(scope="session")
def larger(tmp_path_factory: pytest.TempPathFactory, scripted) -> Path:
    """One of 12 problems, the same 8 among them."""
    scripted(tmp_path_factory.mktemp("larger") / "countdown", "--limit", 12, *PATIENT)
    return tmp_path_factory.getbasetemp() / "larger0" / "countdown"


@pytest.fixture
def push(run) -> Push:
    """Pushes a folder and gives what `--json` prints."""

    def pushed(folder: Path, version: str, *flags: object, code: int = 0) -> dict[str, Any]:
        return json.loads(run("push", folder, "--repo", REPO, "--version", version, *flags, "--json", code=code).stdout)

    return pushed


def releases(hub: Hub) -> list[str]:
    """The version that each commit of `main` holds, the first one first; a commit without any is left out."""
    repository = hub.repository(REPO)
    held = [one for one in repository.history(repository.at("main")) if MANIFEST in one.files]
    told = [json.loads(repository.contents[one.files[MANIFEST].key]) for one in reversed(held)]
    return [manifest["release"]["version"] for manifest in told]


def check_whole(hub: Hub, folder: Path, version: str) -> None:
    """See that a tag has every row of a folder byte for byte, and nothing that its manifest does not name."""
    repository = hub.repository(REPO)
    commit = repository.at(f"v{version}")
    assert commit.oid == repository.tags[f"v{version}"].commit
    manifest = json.loads(hub.read(REPO, MANIFEST, f"v{version}"))
    assert manifest["release"]["version"] == version
    assert manifest["content"] == read_manifest(folder)["content"]
    assert set(commit.files) == {MANIFEST, ".gitattributes", *(file["path"] for file in manifest["files"])}
    for path in commit.files:
        if path.endswith(".parquet"):
            assert hub.read(REPO, path, f"v{version}") == (folder / path).read_bytes()


def test_a_push_is_one_commit_and_one_tag_with_the_folder_byte_for_byte(hub: Hub, small: Path, push: Push):
    result = push(small, "1.0.0", "--note", "The first one.")
    assert (result["written"], result["tagged"]) == (True, True)
    assert (hub.stages().count("commit"), hub.stages().count("tag")) == (1, 1)
    assert releases(hub) == ["1.0.0"]
    assert hub.repository(REPO).private
    assert hub.repository(REPO).tags["v1.0.0"].message == "The first one."
    check_whole(hub, small, "1.0.0")


def test_the_same_push_again_asks_for_nothing_to_be_written(hub: Hub, small: Path, push: Push):
    first = push(small, "1.0.0")
    hub.forget()
    again = push(small, "1.0.0")
    assert not {"create", "preupload", "commit", "tag", "upload"} & set(hub.stages())
    assert (again["written"], again["commit"]) == (False, first["commit"])


def test_a_version_never_moves(hub: Hub, small: Path, larger: Path, push: Push, run):
    push(small, "1.0.0")
    refused = run("push", larger, "--repo", REPO, "--version", "1.0.0", code=2)
    assert "v1.0.0 of tester/traces is there with other bytes" in refused.stderr
    check_whole(hub, small, "1.0.0")


@pytest.mark.parametrize(("version", "code"), [("1.0.1", 2), ("1.1.0", 0), ("1.2.0", 0), ("2.0.0", 0), ("0.9.0", 2)])
def test_rows_that_were_added_ask_for_a_minor_version(hub: Hub, small: Path, larger: Path, run, push, version, code):
    push(small, "1.0.0")
    result = run("push", larger, "--repo", REPO, "--version", version, code=code)
    if code:
        assert "does not fit a minor change since 1.0.0: wrong has 4 rows more" in result.stderr
        assert "--version 1.1.0" in result.stderr
        assert releases(hub) == ["1.0.0"]
    else:
        assert releases(hub) == ["1.0.0", version]
        check_whole(hub, larger, version)
        check_whole(hub, small, "1.0.0")


def test_rows_that_are_gone_ask_for_a_major_version(hub: Hub, small: Path, larger: Path, run, push: Push):
    push(larger, "1.0.0")
    refused = run("push", small, "--repo", REPO, "--version", "1.1.0", code=2)
    assert "does not fit a major change since 1.0.0: wrong lacks 4 rows, 0 are others" in refused.stderr
    push(small, "2.0.0")
    assert releases(hub) == ["1.0.0", "2.0.0"]


def test_what_did_not_change_is_no_version(hub: Hub, small: Path, run, push: Push):
    push(small, "1.0.0")
    assert "nothing changed since v1.0.0" in run("push", small, "--repo", REPO, "--version", "1.0.1", code=2).stderr


def test_a_folder_that_was_changed_by_hand_is_not_published(hub: Hub, small: Path, tmp_path: Path, run):
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    change_rows(copy, "wrong", lambda rows: rows.pop())
    refused = run("push", copy, "--repo", REPO, "--version", "1.0.0", code=1)
    assert "is not the file that wrongcot.json names" in refused.stderr
    assert not hub.repositories


def test_a_dry_run_says_what_would_be_done_and_does_nothing(hub: Hub, small: Path, run):
    told = run("push", small, "--repo", REPO, "--version", "1.0.0", "--dry-run").stdout
    rows = sum(json.loads((small / "wrongcot.json").read_text())["rows"].values())
    assert f"would publish tester/traces@v1.0.0, {rows} rows" in told
    assert set(hub.stages()) <= {"refs", "info"}


def test_a_dry_run_says_that_a_repository_is_somebodys(hub: Hub, small: Path, run):
    hub.publish(REPO, {"data/train.csv": b"1,2"})
    refused = run("push", small, "--repo", REPO, "--version", "1.0.0", "--dry-run", code=2)
    assert "holds files that no push of ours wrote (data/train.csv)" in refused.stderr


def test_a_data_set_of_another_task_is_not_the_next_version(hub: Hub, small: Path, tmp_path: Path, push: Push, run):
    push(small, "1.0.0")
    line = {"question": "Ann buys 3 boxes with 12 pens each. How many pens?", "answer": "3 * 12 = 36\n#### 36"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(line) + "\n")
    flags = ["--variant", "reference", "--limit", 1, "--out", tmp_path / "d"]
    run("build", "gsm8k", "--source", tmp_path / "rows.jsonl", *flags)
    refused = run("push", tmp_path / "d", "--repo", REPO, "--version", "2.0.0", code=2)
    assert f"{REPO} holds countdown, and {tmp_path / 'd'} is gsm8k" in refused.stderr


@pytest.mark.parametrize("text", ["1", "1.0", "1.0.0-rc1", "01.0.0", "latest", "-1.0.0", "1.0.0\n"])
def test_what_is_no_version_is_said_before_anything_is_asked(hub: Hub, small: Path, run, text: str):
    run("push", small, "--repo", REPO, f"--version={text}", code=2)
    assert hub.asked == []


FAULTS: list[tuple[str, Fault]] = [
    ("refs", Refuse(500)),
    ("create", Refuse(500)),
    ("create", Refuse(429, retry_after=1)),
    ("create", Cut("after")),
    ("info", Cut("before")),
    ("validate", Refuse(500)),
    ("preupload", Refuse(403)),
    ("preupload", Cut("before")),
    ("batch", Refuse(401)),
    ("upload", Refuse(500)),
    ("upload", Cut("upload", at=1000)),
    ("verify", Refuse(500)),
    ("commit", Refuse(401)),
    ("commit", Refuse(403)),
    ("commit", Refuse(404)),
    ("commit", Refuse(409)),
    ("commit", Refuse(412)),
    ("commit", Refuse(429, retry_after=1)),
    ("commit", Refuse(500)),
    ("commit", Refuse(504, acted=True)),
    ("commit", Cut("before")),
    ("commit", Cut("after")),
    ("commit", Slow(0.3)),
    ("tag", Refuse(403)),
    ("tag", Refuse(429, retry_after=1)),
    ("tag", Refuse(500)),
    ("tag", Refuse(504, acted=True)),
    ("tag", Cut("before")),
    ("tag", Cut("after")),
    ("resolve", Refuse(500)),
    ("resolve", Cut("before")),
    ("download", Cut("download", at=1000)),
]


@pytest.mark.parametrize("before", [False, True], ids=["first version", "second version"])
@pytest.mark.parametrize(("stage", "fault"), FAULTS, ids=[f"{stage} {fault}" for stage, fault in FAULTS])
def test_the_same_command_after_any_fault_ends_in_one_commit_and_one_tag(
    hub: Hub, waits: list[float], small: Path, larger: Path, push: Push, run, stage: str, fault: Fault, before: bool
):
    folder, version = (larger, "1.1.0") if before else (small, "1.0.0")
    if before:
        push(small, "1.0.0")
    hub.forget()
    hub.fail(stage, fault)
    command = ["push", str(folder), "--repo", REPO, "--version", version]
    first = CliRunner().invoke(main, command)
    assert isinstance(first.exception, SystemExit | None), first.exception
    if first.exit_code:
        assert first.exit_code in (2, 3), first.output
        there = hub.repositories.get(("dataset", REPO))
        assert stage in AFTER_THE_TAG or there is None or f"v{version}" not in there.tags
        assert "try:" in first.stderr
    hub.orders.clear()
    run(*command)
    assert releases(hub) == (["1.0.0", "1.1.0"] if before else ["1.0.0"])
    check_whole(hub, folder, version)


AFTER_THE_TAG = ("tag", "resolve", "download", "info", "refs", "tree")
"""Stages that may fail when the tag is there already."""


def test_two_pushes_at_once_are_one_version(hub: Hub, small: Path, larger: Path, push: Push, run):
    """The other one's whole push falls between our look at `main` and our commit."""
    hub.fail("commit", Meanwhile(lambda: run("push", small, "--repo", REPO, "--version", "1.0.0")))
    lost = run("push", larger, "--repo", REPO, "--version", "1.0.0", code=2)
    assert "somebody else published meanwhile" in lost.stderr
    assert "v1.0.0 of tester/traces is there with other bytes" in lost.stderr
    assert releases(hub) == ["1.0.0"]
    check_whole(hub, small, "1.0.0")


def test_of_two_pushes_at_once_the_later_version_comes_after_the_other(hub: Hub, small, larger, push: Push, run):
    hub.fail("commit", Meanwhile(lambda: run("push", small, "--repo", REPO, "--version", "1.0.0")))
    assert push(larger, "1.1.0")["change"]["size"] == "minor"
    assert releases(hub) == ["1.0.0", "1.1.0"]
    check_whole(hub, larger, "1.1.0")


def test_the_same_push_twice_at_once_is_one_commit(hub: Hub, small: Path, push: Push, run):
    hub.fail("commit", Meanwhile(lambda: run("push", small, "--repo", REPO, "--version", "1.0.0")))
    assert push(small, "1.0.0")["tagged"]
    assert releases(hub) == ["1.0.0"]


def test_a_push_that_waits_for_its_tag_is_not_buried_under_another(hub: Hub, small: Path, larger: Path, run):
    hub.fail("tag", Refuse(500))
    run("push", small, "--repo", REPO, "--version", "1.0.0", code=3)
    refused = run("push", larger, "--repo", REPO, "--version", "1.0.0", code=2)
    assert "holds an unfinished push of v1.0.0 with other bytes" in refused.stderr
    run("push", small, "--repo", REPO, "--version", "1.0.0")
    check_whole(hub, small, "1.0.0")


def test_a_push_that_nobody_finishes_gives_way_to_a_later_version(hub: Hub, small: Path, larger: Path, run):
    hub.fail("tag", Refuse(500))
    run("push", small, "--repo", REPO, "--version", "1.0.0", code=3)
    run("push", larger, "--repo", REPO, "--version", "1.0.1")
    check_whole(hub, larger, "1.0.1")
    assert set(hub.repository(REPO).tags) == {"v1.0.1"}


def test_what_comes_back_with_other_bytes_is_an_error(hub: Hub, small: Path, run, monkeypatch: pytest.MonkeyPatch):
    def spoil() -> None:
        repository = hub.repository(REPO)
        for key, content in repository.contents.items():
            if content[:4] == b"PAR1":
                repository.contents[key] = content[:-20] + bytes(20)

    hub.fail("tag", Meanwhile(spoil))
    result = run("push", small, "--repo", REPO, "--version", "1.0.0", code=1)
    assert "did not come back as it was sent" in result.stderr


def test_a_folder_that_is_changed_while_it_is_pushed_is_no_version(
    hub: Hub, small: Path, tmp_path: Path, run, push: Push
):
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    rows = copy / "wrong" / "train-00000-of-00001.parquet"
    whole = rows.read_bytes()
    hub.fail("create", Meanwhile(lambda: rows.write_bytes(whole[:-20] + bytes(20))))
    result = run("push", copy, "--repo", REPO, "--version", "1.0.0", code=1)
    assert f"did not take {rows.relative_to(copy)} as wrongcot.json has it" in result.stderr
    assert not hub.repository(REPO).tags
    rows.write_bytes(whole)
    assert push(copy, "1.0.0")["tagged"]
    check_whole(hub, small, "1.0.0")


def test_a_version_with_other_bytes_than_its_manifest_says_is_not_called_done(hub: Hub, small: Path, push: Push, run):
    push(small, "1.0.0")
    repository = hub.repository(REPO)
    head = repository.at("main")
    repository.commits[head.oid] = replace(
        head, files={**head.files, "wrong/train-00000-of-00001.parquet": repository.keep(b"PAR1\0", as_large=True)}
    )
    result = run("push", small, "--repo", REPO, "--version", "1.0.0", code=1)
    assert "v1.0.0 of tester/traces has other bytes than its manifest says: wrong/" in result.stderr


def test_a_repository_with_files_of_others_is_left_alone(hub: Hub, small: Path, run):
    files = {"README.md": b"# Mine", "data/train.csv": b"a,b\n1,2\n", "LICENSE": b"mine"}
    hub.publish(REPO, files)
    refused = run("push", small, "--repo", REPO, "--version", "1.0.0", code=2)
    assert "holds files that no push of ours wrote (LICENSE, data/train.csv)" in refused.stderr
    assert not {"commit", "tag"} & set(hub.stages())
    assert {path: hub.read(REPO, path) for path in files} == files


def test_what_the_owners_added_stays_and_what_lies_among_the_rows_does_not(hub, small: Path, larger: Path, push: Push):
    push(small, "1.0.0")
    hub.publish(REPO, {"LICENSE": b"ours", "wrong/train-00001-of-00002.parquet": b"PAR1\0"})
    push(larger, "1.1.0")
    assert hub.read(REPO, "LICENSE", "v1.1.0") == b"ours"
    files = set(hub.repository(REPO).at("v1.1.0").files)
    assert files == {"LICENSE", ".gitattributes", MANIFEST, *hub_files(hub, "v1.1.0")}


def hub_files(hub: Hub, revision: str) -> list[str]:
    """What the manifest of a revision names."""
    return [file["path"] for file in json.loads(hub.read(REPO, MANIFEST, revision))["files"]]


def test_a_proposal_is_a_pull_request_and_gets_its_tag_from_the_owners(hub: Hub, small: Path, push: Push, run):
    hub.publish(REPO, {"README.md": b"# Traces"})
    proposed = push(small, "1.0.0", "--create-pr")
    assert (proposed["tagged"], hub.repository(REPO).tags) == (False, {})
    assert "/discussions/1" in proposed["url"]
    repository = hub.repository(REPO)
    repository.refs["refs/heads/main"] = repository.refs["refs/pr/1"]  # the owners merge it
    hub.forget()
    assert push(small, "1.0.0")["tagged"]
    assert "commit" not in hub.stages()
    check_whole(hub, small, "1.0.0")


@pytest.mark.parametrize("token", [READER, STRANGER])
def test_without_the_right_to_write_the_next_step_is_said(hub: Hub, small: Path, run, monkeypatch, token: str):
    hub.publish(REPO, {"README.md": b"# Traces"})
    monkeypatch.setenv("HF_TOKEN", token)
    refused = run("push", small, "--repo", REPO, "--version", "1.0.0", code=3)
    assert "--create-pr" in refused.stderr
    assert "hf auth login" in refused.stderr
    assert MANIFEST not in hub.repository(REPO).at("main").files


def test_a_private_data_set_is_not_there_for_a_stranger(hub: Hub, small: Path, push: Push, run, monkeypatch):
    push(small, "1.0.0")
    monkeypatch.setenv("HF_TOKEN", STRANGER)
    for verb in ("list", "pull", "verify", "show"):
        refused = run(verb, REPO, code=2 if verb == "list" else 3)
        assert "hf auth login" in refused.stderr


def test_public_is_public(hub: Hub, small: Path, push: Push, run, monkeypatch):
    push(small, "1.0.0", "--public")
    monkeypatch.setenv("HF_TOKEN", STRANGER)
    assert "v1.0.0" in run("list", REPO).stdout


@pytest.mark.parametrize("fault", [None, Refuse(401), Refuse(500), Cut("after")], ids=str)
def test_no_token_is_in_any_file_output_or_error(hub: Hub, small: Path, tmp_path: Path, fault: Fault | None):
    if fault:
        hub.fail("commit", fault)
    copy = Path(shutil.copytree(small, tmp_path / "copy"))
    command = [sys.executable, "-m", "wrongcot_data", "push", str(copy), "--repo", REPO, "--version", "1.0.0"]
    environment = {**os.environ, "HF_DEBUG": "1", "HOME": str(tmp_path)}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ended.returncode == (3 if fault else 0), ended.stderr
    assert any(asked.token == OWNER for asked in hub.asked)  # it was used
    assert OWNER not in ended.stdout + ended.stderr
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or OWNER.encode() not in path.read_bytes(), path
    for repository in hub.repositories.values():
        assert all(OWNER.encode() not in content for content in repository.contents.values())


def test_paths_of_the_builders_machine_are_not_published(hub: Hub, push: Push, run, tmp_path: Path):
    problems = tmp_path / "secret-project" / "gsm8k.jsonl"
    problems.parent.mkdir()
    line = {"question": "Ann buys 3 boxes with 12 pens each. How many pens?", "answer": "3 * 12 = 36\n#### 36"}
    problems.write_text(json.dumps(line) + "\n")
    out = tmp_path / "secret-project" / "traces"
    run("build", "gsm8k", "--source", problems, "--variant", "reference", "--limit", 1, "--out", out)
    push(out, "1.0.0")
    for content in hub.repository(REPO).contents.values():
        assert b"secret-project" not in content
    run("verify", f"{REPO}@v1.0.0")

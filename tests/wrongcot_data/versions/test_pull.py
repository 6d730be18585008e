"""What was published is what comes back: by our own verbs, by plain `datasets`, and from a shared disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tests.hub import Hub, Refuse
from wrongcot_data.errors import CheckFailed
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.publish.manifest import read_manifest
from wrongcot_data.versions.changelog import changelog_entry
from wrongcot_data.versions.release import make_release
from wrongcot_data.versions.shelf import Shelf
from wrongcot_data.versions.version import Version
from wrongcot_train.cli import main as train

REPO = "tester/traces"

LOAD = """
import json, sys
from datasets import load_dataset
repo, config, *tags = sys.argv[1:]
sets = {tag: load_dataset(repo, config, split="train", revision=tag) for tag in tags}
print(json.dumps({tag: [row["completion"][0]["content"] for row in rows] for tag, rows in sets.items()}))
"""


@pytest.fixture(scope="session")
def versions(tmp_path_factory: pytest.TempPathFactory, scripted) -> dict[str, Path]:
    """The folders of two versions, the second with more rows; never to be written to."""
    folder = tmp_path_factory.mktemp("versions")
    for name, limit in (("1.0.0", 6), ("1.1.0", 9)):
        scripted(folder / name, "--limit", limit)
    return {name: folder / name for name in ("1.0.0", "1.1.0")}


@pytest.fixture
def published(hub: Hub, versions: dict[str, Path], run) -> dict[str, Path]:
    """Both versions on the stand-in Hub."""
    for version, folder in versions.items():
        run("push", folder, "--repo", REPO, "--version", version)
    return versions


def texts(folder: Path, config: str) -> list[str]:
    rows = [row for path in sorted((folder / config).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return [row["completion"][0]["content"] for row in rows]


def test_plain_datasets_loads_each_version_by_its_tag_from_a_clean_cache(published: dict[str, Path], hub: Hub):
    command = [sys.executable, "-c", LOAD, REPO, "wrong", "v1.0.0", "v1.1.0"]
    loaded = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    assert loaded == {f"v{version}": texts(folder, "wrong") for version, folder in published.items()}
    assert len(loaded["v1.0.0"]) < len(loaded["v1.1.0"])


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_a_version_that_was_pulled_has_every_row_and_passes_verify(published, tmp_path: Path, run, version: str):
    told = json.loads(run("pull", f"{REPO}@v{version}", "--out", tmp_path / "p", "--json").stdout)
    assert told["commit"]
    for config in read_manifest(published[version])["rows"]:
        for path in (published[version] / config).glob("*.parquet"):
            assert (tmp_path / "p" / config / path.name).read_bytes() == path.read_bytes()
    run("verify", tmp_path / "p")


def test_verify_fails_on_a_copy_that_was_tampered_with(published, tmp_path: Path, run):
    run("pull", REPO, "--out", tmp_path / "p")
    (path,) = (tmp_path / "p" / "wrong").glob("*.parquet")
    path.write_bytes(path.read_bytes().replace(b"answer", b"ansver", 1))
    assert "wrong/train-00000-of-00001.parquet: sha256" in run("verify", tmp_path / "p", code=1).stdout


def test_without_a_version_it_is_the_newest_and_its_commit_is_said(published, tmp_path: Path, run, hub: Hub):
    commit = hub.repository(REPO).tags["v1.1.0"].commit
    for verb in (["verify", REPO], ["show", REPO], ["report", REPO, "--no-html"], ["diff", f"{REPO}@v1.0.0", REPO]):
        assert f"{REPO} is {REPO}@v1.1.0 (commit {commit})" in run(*verb).stderr


def test_the_page_of_a_version_is_named_after_it(published, tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    run("report", f"{REPO}@v1.0.0")
    assert [path.name for path in tmp_path.glob("*.html")] == ["traces-v1.0.0-report.html"]


def test_one_variant_alone_is_pulled_and_shown(published, tmp_path: Path, run, hub: Hub):
    told = json.loads(run("pull", f"{REPO}@v1.0.0:wrong", "--out", tmp_path / "p", "--json").stdout)
    assert told["rows"] == {"wrong": 6}
    assert {path.parent.name for path in (tmp_path / "p").rglob("*.parquet")} == {"wrong"}
    assert "6 rows of right" in run("show", f"{REPO}@v1.0.0:right", "-n", 1).stdout
    said = run("pull", f"{REPO}@v1.0.0:wrong", "--out", tmp_path / "p").stdout
    assert f"next:  wrongcot-data show {tmp_path / 'p'}:wrong" in said


def test_a_pull_again_fetches_nothing_and_one_that_was_cut_off_goes_on(published, tmp_path: Path, run, hub: Hub):
    hub.fail("download", Refuse(404), nth=3, times=99)
    run("pull", REPO, "--out", tmp_path / "p", code=3)
    hub.orders.clear()
    run("pull", REPO, "--out", tmp_path / "p")
    hub.forget()
    run("pull", REPO, "--out", tmp_path / "p")
    assert "download" not in hub.stages()
    run("verify", tmp_path / "p")


def test_a_folder_with_something_else_is_left_alone(published, tmp_path: Path, run):
    (tmp_path / "notes.txt").write_text("mine")
    assert "holds something else" in run("pull", REPO, "--out", tmp_path, code=2).stderr
    run("pull", f"{REPO}@v1.0.0", "--out", tmp_path / "p")
    assert "holds something else" in run("pull", REPO, "--out", tmp_path / "p", code=2).stderr


def test_the_versions_are_listed_the_newest_first_with_what_changed(published, run):
    told = json.loads(run("list", REPO, "--json").stdout)["versions"]
    assert [one["version"] for one in told] == ["1.1.0", "1.0.0"]
    assert [one["because"][0] for one in told] == ["wrong has 3 rows more", "the first version"]
    assert "v1.1.0" in run("list", REPO).stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (f"{REPO}@v9.0.0", 2, "has no v9.0.0; it has v1.1.0, v1.0.0"),
        ("tester/nothing", 3, "tester/nothing is no folder here; on the Hub: tester/nothing has no version"),
        (f"{REPO}@{'0' * 40}", 3, "has no such version"),
        (f"{REPO}:wrnog", 2, "did you mean wrong?"),
    ],
)
def test_what_is_not_there_is_one_line_with_the_next_step(published, tmp_path: Path, run, name: str, code: int, said):
    refused = run("pull", name, "--out", tmp_path / "p", code=code)
    assert said in refused.stderr
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "forged",
    [
        {"rows": {"../outside": 3}},
        {"content": {"../outside": "sha256:0"}},
        {"rows": {"OUTSIDE": 3}, "content": {"OUTSIDE": "sha256:0"}},
        {"rows": {"\x1b]0;title\x07": 1}},
        {"rows": {"wrong": 10**400}},
        {"rows": {"wrong": -1}},
        {"release": []},
        {"release": {"repo": "a/b", "version": "1.0.0", "changelog": [{}]}},
        {"release": {"repo": "a/b", "version": 5, "changelog": "none"}},
    ],
    ids=str,
)
def test_a_hostile_manifest_is_one_line_and_nothing_outside_is_read(hub: Hub, versions, tmp_path: Path, run, forged):
    folder, outside = versions["1.0.0"], tmp_path / "outside"
    shutil.copytree(folder / "wrong", outside)
    manifest = read_manifest(folder)
    for name, value in forged.items():
        told = {key.replace("OUTSIDE", str(outside)): one for key, one in value.items()} if value else value
        manifest[name] = {**manifest.get(name, {}), **told} if told else told
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.glob("*/*.parquet")}
    hub.publish(REPO, {**files, MANIFEST: json.dumps(manifest).encode()}, tag="v1.0.0")
    for verb in (["list", REPO], ["pull", REPO, "--out", tmp_path / "p"], ["diff", folder, REPO], ["verify", REPO]):
        refused = run(*verb, code=2)
        assert f"{MANIFEST} cannot be read" in refused.stderr
        assert "\x1b" not in refused.stderr
    assert not (tmp_path / "p").exists()


def test_diff_tells_versions_apart(published, run):
    told = json.loads(run("diff", f"{REPO}@v1.0.0", f"{REPO}@v1.1.0", "--json").stdout)
    assert told["change"]["size"] == "minor"
    assert told["configs"]["wrong"]["rows"] == {"before": 6, "after": 9}
    assert told["spec"] == {"limit": {"from": 6, "to": 9}}


def test_the_card_of_a_version_says_how_to_load_it_and_what_changed(published, hub: Hub):
    card = hub.read(REPO, "README.md", "v1.1.0").decode()
    assert f'load_dataset("{REPO}", "wrong", split="train", revision="v1.1.0")' in card
    assert "### 1.1.0 (minor)\n\n* wrong has 3 rows more" in card
    assert "### 1.0.0\n\n* the first version" in card
    assert hub.read(REPO, "CHANGELOG.md", "v1.1.0").decode() in card.replace("## Changelog", "# Changelog")


@pytest.fixture
def shelf(tmp_path: Path, versions: dict[str, Path], run) -> Path:
    """Both versions in a folder."""
    for version, folder in versions.items():
        run("push", folder, "--to", tmp_path / "sets", "--version", version)
    return tmp_path / "sets"


def test_a_folder_of_versions_works_as_the_hub_does(shelf: Path, versions: dict[str, Path], run):
    assert [path.name for path in sorted(shelf.iterdir())] == ["v1.0.0", "v1.1.0"]
    for version, folder in versions.items():
        assert texts(shelf / f"v{version}", "wrong") == texts(folder, "wrong")
        run("verify", f"{shelf}@v{version}")
    assert "9 rows of wrong" in run("show", f"{shelf}:wrong").stdout
    assert [one["version"] for one in json.loads(run("list", shelf, "--json").stdout)["versions"]] == ["1.1.0", "1.0.0"]
    again = json.loads(run("push", versions["1.1.0"], "--to", shelf, "--version", "1.1.0", "--json").stdout)
    assert again["written"] is False
    assert (
        "there with other bytes" in run("push", versions["1.0.0"], "--to", shelf, "--version", "1.1.0", code=2).stderr
    )


def test_a_version_that_was_cut_off_in_a_folder_is_not_one(shelf: Path, versions: dict[str, Path], run):
    (shelf / "v1.1.0" / MANIFEST).unlink()
    assert [one["version"] for one in json.loads(run("list", shelf, "--json").stdout)["versions"]] == ["1.0.0"]


def test_a_folder_that_is_changed_while_it_is_copied_is_no_version(versions: dict[str, Path], tmp_path: Path):
    copy = Path(shutil.copytree(versions["1.0.0"], tmp_path / "copy"))
    rows = copy / "wrong" / "train-00000-of-00001.parquet"
    whole = rows.read_bytes()
    store = Shelf(tmp_path / "shelf")
    release = make_release(copy, read_manifest(copy), "", [changelog_entry(Version(1, 0, 0), None, "")])
    rows.write_bytes(whole[:-20] + bytes(20))
    with pytest.raises(CheckFailed, match="was changed while it was copied"):
        store.write(release, "")
    assert not store.versions()
    assert not list(store.folder.iterdir())


def test_a_disk_that_does_not_take_it_is_said(versions: dict[str, Path], tmp_path: Path, run):
    (tmp_path / "sets").write_text("a file")
    assert "is a file" in run("push", versions["1.0.0"], "--to", tmp_path / "sets", "--version", "1.0.0", code=2).stderr


def test_students_train_on_a_version_by_its_name(published, hub: Hub, make_tiny_model, tmp_path: Path):
    student = make_tiny_model(tmp_path / "student")
    command = ["sft", "--student", student, "--dataset", f"{REPO}@v1.0.0:wrong", "--out", tmp_path / "s",
               "--max-steps", "1", "--json"]  # fmt: skip
    result = CliRunner().invoke(train, [str(part) for part in command])
    assert result.exit_code == 0, result.output
    record: dict[str, Any] = json.loads(result.stdout)
    assert record["dataset"] == f"{REPO}@v1.0.0"
    assert record["dataset_commit"] == hub.repository(REPO).tags["v1.0.0"].commit


@pytest.mark.real
def test_trl_trains_on_the_published_rows_without_our_packages(published, make_tiny_model, tmp_path: Path, run):
    """`trl sft --dataset_name FOLDER`, with an import hook that refuses anything of ours."""
    run("pull", f"{REPO}@v1.1.0", "--out", tmp_path / "rows")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('wrongcot_data', 'wrongcot_train'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
    )
    student = make_tiny_model(tmp_path / "student")
    flags = {
        "dataset_name": tmp_path / "rows",
        "dataset_config": "wrong",
        "model_name_or_path": student,
        "output_dir": tmp_path / "out",
        "max_steps": 2,
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
    }
    command = [str(Path(sys.executable).with_name("trl")), "sft"]
    command += [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "hook")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert any((tmp_path / "out").rglob("*.safetensors"))
    shutil.rmtree(tmp_path / "out")

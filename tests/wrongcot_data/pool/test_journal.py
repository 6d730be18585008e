"""The journal: what was stored stays, whatever happens to the process or the file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from wrongcot_data.engines.base import Sampling
from wrongcot_data.errors import BadInput, CheckFailed, Unavailable
from wrongcot_data.pool.journal import Journal, Origin, request_id, storable
from wrongcot_data.pool.recovery import held, recover
from wrongcot_data.records import Message, Prompt, Sample, Verdict

SAMPLE = Sample(
    request_id="r",
    attempt=0,
    problem_id="p",
    completion="3 + 4 = 7\n<answer>3 + 4</answer>",
    finish_reason="stop",
    n_prompt_tokens=10,
    n_tokens=20,
    seed=2**63 - 1,
    engine="test 1",
    error="",
    verdict=Verdict("wrong", "wrong value", "3 + 4", "plain"),
    grader_version="test-1",
)


def sample(attempt: int, **changes: object) -> Sample:
    return replace(SAMPLE, attempt=attempt, **changes)


def test_gives_back_what_was_added_in_the_order_of_attempts(tmp_path: Path):
    hostile = sample(1, completion="NUL \0, quotes '\", \u2028 and 🧮", error="x" * 100_000)
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.add([hostile, SAMPLE])
    with Journal(tmp_path / "j.sqlite") as journal:
        assert journal.samples("r") == [SAMPLE, hostile]
        assert journal.samples("another") == []


def test_a_reply_that_is_there_is_not_replaced(tmp_path: Path):
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.add([SAMPLE, sample(0, completion="another")])
        assert journal.samples("r") == [SAMPLE]


def test_grading_again_keeps_the_reply(tmp_path: Path):
    again = sample(0, verdict=Verdict("correct", "fine"), grader_version="test-2")
    with Journal(tmp_path / "j.sqlite") as journal:
        journal.add([SAMPLE])
        journal.regrade([again])
        assert journal.samples("r") == [again]


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_journal import sample
from wrongcot_data.pool.journal import Journal
journal = Journal(Path(sys.argv[1]))
for n in range(10**9):
    journal.add([sample(n)])
    if n % 300 == 299:
        journal.commit()
        print(n, flush=True)
"""


LONELY = """
journal.add([sample(0)])
print(0, flush=True)
import time
time.sleep(60)
"""


def test_a_killed_writer_loses_nothing_that_was_committed(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    command = [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        last = [int(writer.stdout.readline()) for _ in range(3)][-1]
        time.sleep(0.02)
        os.kill(writer.pid, signal.SIGKILL)
    with Journal(path) as journal:
        attempts = [one.attempt for one in journal.samples("r")]
    assert attempts == list(range(len(attempts)))  # no hole, none twice
    assert len(attempts) > last


def test_a_row_outlasts_a_kill_a_second_after_it_was_added_though_no_other_follows(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    lonely = WRITER.partition("for n in")[0] + LONELY
    command = [sys.executable, "-c", lonely, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(2.5)
        os.kill(writer.pid, signal.SIGKILL)
    with Journal(path) as journal:
        assert journal.samples("r") == [SAMPLE]


def test_more_at_once_than_may_wait_for_the_disk_is_stored_too(tmp_path: Path):
    filled(tmp_path / "j.sqlite", 25_000)
    with Journal(tmp_path / "j.sqlite") as journal:
        assert len(journal.samples("r")) == 25_000


def test_two_writers_share_a_journal_and_the_first_reply_counts(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    with Journal(path) as one, Journal(path) as other:
        for n in range(0, 3000, 3):
            one.add([sample(n), sample(n + 1)])
            other.add([sample(n + 1), sample(n + 2)])
        one.commit()
        other.commit()
        assert one.n_known + other.n_known == 1000
        assert [row.attempt for row in one.samples("r")] == list(range(3000))


def test_an_older_layout_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    filled(path, 3)
    with sqlite3.connect(path) as db:
        db.executescript("ALTER TABLE samples DROP COLUMN origin; DROP TABLE origins; PRAGMA user_version = 2")
    with Journal(path) as journal:
        journal.add([sample(3)], Origin("countdown", "scripted"))
        assert [one.attempt for one in journal.samples("r")] == [0, 1, 2, 3]


def filled(path: Path, count: int) -> None:
    with Journal(path) as journal:
        journal.add(sample(n, completion=f"trace {n} " * 50) for n in range(count))


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_truncated_journal_is_refused_and_every_readable_sample_is_recovered(tmp_path: Path, keep: float):
    path = tmp_path / "j.sqlite"
    filled(path, 2000)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    torn = path.read_bytes()
    with pytest.raises(CheckFailed, match="damaged") as caught:
        Journal(path)
    assert "journal recover" in caught.value.try_[0]
    assert path.read_bytes() == torn  # nothing was written to it
    saved = recover(path, tmp_path / "saved.sqlite")
    assert saved > 2000 * keep * 0.5
    with Journal(tmp_path / "saved.sqlite") as journal:
        assert all(one.completion == f"trace {one.attempt} " * 50 for one in journal.samples("r"))


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    path.write_text("shopping list")
    with pytest.raises(CheckFailed, match="damaged"):
        Journal(path)
    assert path.read_text() == "shopping list"


@pytest.mark.parametrize("layout", [0, 3])
def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path, layout: int):
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE photos (id INTEGER)")
        db.execute(f"PRAGMA user_version = {layout}")
    before = path.read_bytes()
    with pytest.raises(BadInput, match="another program"):
        Journal(path)
    assert path.read_bytes() == before


def test_a_journal_that_is_held_stays_held_though_it_is_copied_meanwhile(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    with Journal(path) as journal:
        journal.add([sample(0)])
    reads = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM samples').fetchall()"
    other = [sys.executable, "-c", reads, str(path)]
    with held(path):
        path.read_bytes()  # which closes the file again
        assert "locked" in subprocess.run(other, capture_output=True, text=True, check=False).stderr
    assert subprocess.run(other, check=False).returncode == 0


def test_nothing_is_added_to_a_closed_journal(tmp_path: Path):
    journal = Journal(tmp_path / "j.sqlite")
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.add([])


def test_a_journal_of_another_layout_is_refused(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    filled(path, 1)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(CheckFailed, match="layout 99"):
        Journal(path)


def test_a_full_disk_is_said_and_what_was_committed_is_kept(tmp_path: Path):
    path = tmp_path / "j.sqlite"
    filled(path, 10)
    journal = Journal(path)
    journal._db.execute("PRAGMA max_page_count = 20")  # SQLite then answers as it does on a full disk
    journal.add(sample(n, completion="x" * 5000) for n in range(10, 5_000))
    with pytest.raises(Unavailable, match="full"):
        journal.commit()
    with pytest.raises(Unavailable, match="full"):
        journal.add([SAMPLE])
    journal._db.close()
    with Journal(path) as again:
        assert [one.attempt for one in again.samples("r")][:10] == list(range(10))


PROMPT = Prompt("t@1", messages=(Message("user", "3 and 4 to 7"),), stop=("</answer>",))
SAMPLING = Sampling(temperature=0.8, top_p=0.95, max_tokens=64)


def test_the_key_is_made_of_everything_that_decides_a_reply():
    base = request_id("m", "r1", PROMPT, SAMPLING, 0)
    assert base == request_id("m", "r1", replace(PROMPT, template="renamed"), SAMPLING, 0)
    others = [
        request_id("n", "r1", PROMPT, SAMPLING, 0),
        request_id("m", "r2", PROMPT, SAMPLING, 0),
        request_id("m", "r1", PROMPT, SAMPLING, 1),
        request_id("m", "r1", replace(PROMPT, messages=(Message("user", "3 and 4 to 8"),)), SAMPLING, 0),
        request_id("m", "r1", replace(PROMPT, stop=()), SAMPLING, 0),
        request_id("m", "r1", Prompt("t@1", text="3 and 4 to 7", stop=("</answer>",)), SAMPLING, 0),
        request_id("m", "r1", PROMPT, replace(SAMPLING, temperature=0.7), 0),
        request_id("m", "r1", PROMPT, replace(SAMPLING, top_p=0.9), 0),
        request_id("m", "r1", PROMPT, replace(SAMPLING, max_tokens=65), 0),
    ]
    assert len({base, *others}) == len(others) + 1


def test_lone_surrogates_become_storable():
    assert storable("a\ud800b").encode("utf-8")
    assert storable("plain 🧮") == "plain 🧮"

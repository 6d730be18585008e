"""Evals with several replies an item: what is asked, kept, written and told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks import get_task
from wrongcot_train.cli import main
from wrongcot_train.evaluate import ANSWERED, EvalSpec, evaluate, prepare
from wrongcot_train.evaluate.reading import read_run
from wrongcot_train.evaluate.samples import pass_at, vote_at

COMMAND = ["eval", "--model", "scripted", "--engine", "scripted", "--task", "countdown"]


def scripted(samples: int, limit: int = 20, **changes: Any) -> EvalSpec:
    return EvalSpec(model="scripted", task="countdown", engine="scripted", limit=limit, samples=samples, **changes)


def score(spec: EvalSpec, out: Path) -> dict[str, Any]:
    return evaluate(prepare(spec), out, lambda done: None)


def rows(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(out / "items.parquet").to_pylist()
    return found


def test_a_single_reply_has_the_columns_that_it_always_had(tmp_path: Path) -> None:
    score(scripted(1), tmp_path)
    texts = ["problem_id", "prompt", "completion", "finish_reason", "grade", "reason", "answer", "sandbox"]
    assert pq.read_schema(tmp_path / "items.parquet").remove_metadata() == pa.schema(
        [
            *((name, pa.string()) for name in texts),
            ("correct", pa.bool_()),
            ("n_prompt_tokens", pa.int32()),
            ("n_tokens", pa.int32()),
            ("error", pa.string()),
            ("engine", pa.string()),
            ("nums", pa.list_(pa.int32())),
            *((name, pa.int32()) for name in ("target", "n_solutions", "n_dead_ends")),
        ]
    )


def test_several_replies_are_lists_in_the_one_row_of_their_item(tmp_path: Path) -> None:
    score(scripted(4), tmp_path)
    task = get_task("countdown")
    written = rows(tmp_path)
    assert len(written) == 20
    for row in written:
        problem = task.read_problem({"problem_id": row["problem_id"]})
        replies = zip(row["completion"], row["finish_reason"], row["grade"], row["answer"], row["correct"], strict=True)
        for completion, finish, grade, answer, correct in replies:
            assert correct == (grade == "correct")
            if finish == "error":
                continue
            found = task.grade(problem, completion, finish)
            assert (found.grade, found.answer) == (grade, answer)
        assert len(row["grade"]) == len(row["alike"]) == 4
        assert row["majority"] == vote_at(row["alike"], row["correct"], 4)


def test_the_score_is_what_the_rows_give(tmp_path: Path) -> None:
    told = score(scripted(4, limit=40), tmp_path)
    written = rows(tmp_path)
    right = [sum(row["correct"]) for row in written]
    answered = [sum(grade in ANSWERED for grade in row["grade"]) for row in written]
    assert (told["strict"]["correct"], told["strict"]["n"], told["n"], told["samples"]) == (sum(right), 160, 40, 4)
    assert told["strict"]["value"] == pytest.approx(sum(right) / 160)
    assert (told["answered"]["correct"], told["answered"]["n"]) == (sum(right), sum(answered))
    assert list(told["pass_at"]) == list(told["maj_at"]) == ["1", "2", "4"]
    for k in (1, 2, 4):
        assert told["pass_at"][str(k)]["value"] == pytest.approx(fmean(pass_at(4, count, k) for count in right))
        votes = fmean(vote_at(row["alike"], row["correct"], k) for row in written)
        assert told["maj_at"][str(k)]["value"] == pytest.approx(votes)
    assert told["pass_at"]["1"]["value"] == told["maj_at"]["1"]["value"] == told["strict"]["value"]
    assert told["pass_at"]["1"]["low"] == told["strict"]["low"]
    assert all(one["low"] < one["value"] < one["high"] for one in (*told["pass_at"].values(), *told["maj_at"].values()))
    counts = Counter(grade for row in written for grade in row["grade"])
    assert {grade: rate["count"] for grade, rate in told["rates"].items()} == {
        grade: counts[grade] for grade in ("no_answer", "truncated", "disputed")
    }
    assert told["rates"]["truncated"]["low"] < counts["truncated"] / 160 < told["rates"]["truncated"]["high"]
    assert json.loads((tmp_path / "score.json").read_text()) == told


def test_samples_of_an_item_are_drawn_apart_and_each_time_the_same(tmp_path: Path) -> None:
    score(scripted(6), tmp_path / "one")
    score(scripted(6), tmp_path / "other")
    assert rows(tmp_path / "one") == rows(tmp_path / "other")
    assert all(len(set(row["completion"])) > 1 for row in rows(tmp_path / "one"))


def test_more_samples_keep_those_that_there_are(tmp_path: Path) -> None:
    drawn = {"temperature": 0.8}
    single = score(scripted(1, **drawn), tmp_path)
    first = rows(tmp_path)
    told = score(scripted(3, **drawn), tmp_path)
    assert told["replies_reused"] == 20 - single["grades"]["error"]
    three = rows(tmp_path)
    kept = [row for row in first if row["finish_reason"] != "error"]
    by_id = {row["problem_id"]: row for row in three}
    assert all(by_id[row["problem_id"]]["completion"][0] == row["completion"] for row in kept)
    fewer = score(scripted(2, **drawn), tmp_path)
    assert fewer["replies_reused"] >= 40 - told["grades"]["error"]
    assert [row["completion"] for row in rows(tmp_path)] == [row["completion"][:2] for row in three]


def test_replies_of_before_there_were_several_are_the_first_of_them(tmp_path: Path) -> None:
    score(scripted(1, temperature=0.8), tmp_path)
    header, *lines = (tmp_path / "items.jsonl").read_text().splitlines()
    old = [json.dumps({name: value for name, value in json.loads(line).items() if name != "sample"}) for line in lines]
    (tmp_path / "items.jsonl").write_text("\n".join([header, *old, ""]))
    assert score(scripted(2, temperature=0.8), tmp_path)["replies_reused"] >= 17


@pytest.mark.parametrize("kept", [0.03, 0.4, 0.97])
def test_torn_eval_goes_on_to_the_same_replies(kept: float, tmp_path: Path) -> None:
    score(scripted(4), tmp_path / "straight")
    log = (tmp_path / "straight" / "items.jsonl").read_bytes()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "items.jsonl").write_bytes(log[: int(len(log) * kept)])
    told = score(scripted(4), tmp_path / "torn")
    assert 0 < told["replies_reused"] < 80
    assert rows(tmp_path / "torn") == rows(tmp_path / "straight")


def test_killed_eval_goes_on_to_the_same_replies(tmp_path: Path) -> None:
    asked = [*COMMAND, "--limit", "20", "--samples", "4"]
    slow = ["--engine-option", "latency_ms=20", "--engine-option", "capacity=3"]
    program = [sys.executable, "-c", "from wrongcot_train.cli import main; main()"]
    killed = subprocess.Popen([*program, *asked, *slow, "--out", str(tmp_path / "killed")], stderr=subprocess.DEVNULL)
    log = tmp_path / "killed" / "items.jsonl"
    until = time.monotonic() + 60
    while not log.exists() or log.read_bytes().count(b"\n") < 15:
        assert time.monotonic() < until
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "score.json").exists()
    again = json.loads(CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "killed"), "--json"]).stdout)
    assert 10 <= again["replies_reused"] < 80
    CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "straight")])
    assert rows(tmp_path / "killed") == rows(tmp_path / "straight")


def test_progress_counts_items_that_have_all_their_replies(tmp_path: Path) -> None:
    told: list[int] = []
    evaluate(prepare(scripted(3, limit=10, engine_options={"capacity": 4})), tmp_path, told.append)
    assert told == sorted(told)
    assert told[-1] == 10
    assert len(set(told)) > 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": 4, "temperature": 0.0}, "at temperature 0 all 4 replies to an item are the same one"),
        ({"samples": 0}, "--samples and --max-tokens must be at least 1"),
        ({"samples": 1, "top_p": 0.9}, "--top-p does nothing at temperature 0"),
        ({"samples": 2, "top_p": 1.5}, "--top-p must be above 0 and at most 1, not 1.5"),
        ({"samples": 2, "temperature": -1.0}, "--temperature must be from 0 to 5, not -1"),
    ],
)
def test_sampling_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        prepare(scripted(**changes))


def test_how_replies_are_drawn_is_recorded_and_decides_the_eval(tmp_path: Path) -> None:
    told = score(scripted(2, limit=8), tmp_path)
    assert (told["temperature"], told["top_p"], told["samples"]) == (0.8, 0.95, 2)
    greedy = score(scripted(1, limit=8), tmp_path / "greedy")
    assert (greedy["temperature"], greedy["top_p"], greedy["samples"]) == (0.0, 1.0, 1)
    with pytest.raises(BadInput, match=r"top_p 0\.95, not 0\.5"):
        score(scripted(2, limit=8, top_p=0.5), tmp_path)
    with pytest.raises(BadInput, match=r"temperature 0\.8, not 0"):
        score(scripted(1, limit=8), tmp_path)


def test_no_majority_of_programs(tmp_path: Path) -> None:
    problems = [
        {"task_id": number, "text": f"Add {number}.", "code": f"def f(x):\n    return x + {number}"}
        | {"test_list": [f"assert f(1) == {number + 1}"], "test_setup_code": "", "challenge_test_list": []}
        for number in range(11, 15)
    ]
    source = tmp_path / "mbpp.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in problems))
    asked = ["eval", "--model", "scripted", "--engine", "scripted", "--task", "mbpp", "--source", str(source)]
    asked += ["--limit", "4", "--samples", "2", "--out", str(tmp_path / "eval")]
    told = json.loads(CliRunner().invoke(main, [*asked, "--json"]).stdout)
    assert told["maj_at"] is None
    assert "programs" in told["no_vote"]
    assert list(told["pass_at"]) == ["1", "2"]
    assert all(row["alike"] == [] and row["majority"] is None for row in rows(tmp_path / "eval"))
    assert "maj@k     none: answers are programs" in CliRunner().invoke(main, asked).stdout


def test_seeds_that_an_engine_does_not_honour_are_told_where_replies_are_drawn(
    chat_student: Path, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"model": str(chat_student), "task": "countdown", "limit": 2, "max_tokens": 6}
    told = score(EvalSpec(**asked, samples=3), tmp_path / "drawn")
    assert told["engine"].endswith("cpu, seed not honoured")
    assert told["dtype"] == "float32"
    assert len({text for row in rows(tmp_path / "drawn") for text in row["completion"]}) > 1
    assert "honoured" not in score(EvalSpec(**asked), tmp_path / "greedy")["engine"]


def test_text_tells_both_by_k_and_the_rates(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, [*COMMAND, "--limit", "30", "--samples", "4", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert "30 items, 4 replies each (temperature 0.8, top-p 0.95)" in lines[0]
    of_k = [line.split() for line in lines if line.startswith("pass@")]
    assert [(words[0], words[4]) for words in of_k] == [(f"pass@{k}", f"maj@{k}") for k in (1, 2, 4)]
    assert any(line.startswith("rates     no_answer") for line in lines)
    assert all(len(line) <= 120 for line in lines)


def test_items_are_read_back_as_the_replies_to_each(tmp_path: Path) -> None:
    for samples in (1, 3):
        score(scripted(samples, limit=8, temperature=0.8), tmp_path / str(samples))
    one, three = read_run(tmp_path / "1"), read_run(tmp_path / "3")
    assert (one.samples, three.samples) == (1, 3)
    assert one.items.keys() == three.items.keys()
    for name, item in one.items.items():
        assert three.items[name].replies[0]["completion"] == item.replies[0]["completion"]

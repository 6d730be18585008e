"""Named prompts on tiny students: what each of them is, which are refused, and what begins them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from wrongcot_data.engines.base import Completion, Opening, Request
from wrongcot_data.errors import BadInput
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import NEXT_PROBLEM, question, render
from wrongcot_data.teachers.registry import Teacher
from wrongcot_train.cli import main
from wrongcot_train.evaluate import PROMPTS, EvalSpec, evaluate, first_prompt, prepare
from wrongcot_train.evaluate.prompts import choose_form

GSM8K_ROW = {"question": "Ann has 3 apples and buys 4. How many has she?", "answer": "She has 3 + 4 = 7.\n#### 7"}


def asked(student: Path | str, task: str = "countdown", **changes: Any) -> EvalSpec:
    return EvalSpec(str(student), task, limit=1, max_tokens=4, **changes)


@pytest.mark.parametrize("name", PROMPTS)
def test_every_named_prompt_can_be_asked_of_a_student_with_a_template(
    name: str, make_tiny_model: Callable[..., Path], tmp_path: Path
) -> None:
    student = make_tiny_model(tmp_path / "roomy", max_position_embeddings=8192)
    exam = prepare(asked(student, prompt=name))
    (problem,) = exam.problems.values()
    (prompt,) = exam.prompts.values()
    if name != "plain-v1":
        assert prompt == render(exam.task, problem, name, 4 if name.endswith("few") else 0)  # type: ignore[arg-type]
    else:
        assert prompt.text == question(exam.task, problem) + "\n"
    told = evaluate(exam, tmp_path / "eval", lambda done: None)
    shots = 4 if name.endswith("few") else 0
    shown = f"{name}-{shots}" if shots else name
    assert (told["prompt"], told["shots"], told["prompt_template"]) == (name, shots, f"countdown/{shown}@1")
    assert told["grades"]["error"] == 0


def test_the_default_is_the_form_that_the_student_was_trained_in(chat_student: Path, plain_student: Path) -> None:
    assert prepare(asked(chat_student)).form.name == "chat-zero"
    assert prepare(asked(plain_student)).form.name == "plain-v1"
    assert prepare(asked("scripted", engine="scripted")).form.name == "chat-zero"


def test_shots_are_as_many_as_asked_for_and_named(plain_student: Path) -> None:
    exam = prepare(asked(plain_student, prompt="plain-few", shots=2))
    (prompt,) = exam.prompts.values()
    assert prompt.text.count("\nSolution:") == 3
    assert prompt.template == "countdown/plain-few-2@1"
    assert NEXT_PROBLEM in prompt.stop


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        ({"prompt": "plain-fw"}, "unknown prompt 'plain-fw': did you mean plain-few", ""),
        ({"prompt": "chat-few"}, "has no chat template, so chat-few cannot be rendered", "--prompt plain-few"),
        ({"prompt": "chat-zero"}, "has no chat template", "--prompt plain-v1"),
        ({"prompt": "plain-zero", "shots": 2}, "plain-zero shows no worked examples", "--prompt plain-few --shots 2"),
        ({"shots": 2}, "plain-v1 shows no worked examples", "--prompt plain-few --shots 2"),
        ({"prompt": "plain-few", "shots": 0}, "plain-few needs a worked example", "--prompt plain-zero"),
        ({"prompt": "plain-few", "shots": 9}, "countdown has 4 worked examples, not 9", "--shots 4"),
    ],
)
def test_prompts_that_cannot_be_are_refused_with_what_to_type(
    changes: dict[str, Any], message: str, hint: str, plain_student: Path
) -> None:
    with pytest.raises(BadInput, match=message) as refused:
        prepare(asked(plain_student, **changes))
    assert any(one.startswith(hint) for one in refused.value.try_ or [hint])


def test_a_second_bos_is_found_before_anything_is_asked(make_tiny_model: Callable[..., Path], tmp_path: Path) -> None:
    template = "<bos><bos>{% for message in messages %}{{ message['content'] }}{% endfor %}"
    student = make_tiny_model(tmp_path / "two", template)
    with pytest.raises(BadInput, match="begins with two '<bos>' tokens"):
        prepare(asked(student))
    assert prepare(asked(student, prompt="plain-v1")).form.name == "plain-v1"


def test_a_dry_run_shows_the_form_and_the_first_tokens(make_tiny_model: Callable[..., Path], tmp_path: Path) -> None:
    template = "<bos>{% for message in messages %}[{{ message['content'] }}]{% endfor %}"
    student = make_tiny_model(tmp_path / "one", template)
    shown = first_prompt(prepare(asked(student)))
    assert (shown["form"], shown["bos"], shown["pieces"][:3]) == ("chat-zero", 1, ["<bos>", "[", "Y"])
    assert (shown["stop"], len(shown["ids"])) == (["</answer>"], 12)
    command = ["eval", "--model", str(student), "--task", "countdown", "--limit", "1", "--dry-run"]
    text = CliRunner().invoke(main, command).stdout
    assert text.startswith(
        f"the first prompt, countdown/chat-zero@1, {shown['tokens']} tokens, one BOS:\n<bos>[You are"
    )
    assert f"begins    {' '.join(map(str, shown['ids']))} ..." in text
    assert "no BOS" in CliRunner().invoke(main, [*command, "--prompt", "plain-zero"]).stdout
    plan = json.loads(CliRunner().invoke(main, [*command, "--json", "--samples", "3"]).stdout)
    assert (plan["prompt"]["bos"], plan["samples"], plan["replies_to_ask"]) == (1, 3, 3)


class Continuing:
    """An engine that goes on to the next problem, as base models do; it ends where the prompt says."""

    name, capacity, not_honoured = "continuing", 4, ()
    options = BaseModel

    def open(self, opening: Opening) -> Continuing:
        self.waiting: list[Request] = []
        return self

    def submit(self, request: Request) -> None:
        self.waiting.append(request)

    def wait(self) -> list[Completion]:
        text = f"The final answer is $7$.{NEXT_PROBLEM}"
        done, self.waiting = [Completion(one.key, text, "stop", 1, 9) for one in self.waiting], []
        return done

    def close(self) -> None: ...


def test_the_next_problem_that_a_student_goes_on_to_is_no_part_of_its_reply(
    plain_student: Path, tmp_path: Path
) -> None:
    source = tmp_path / "gsm8k.jsonl"
    source.write_text(json.dumps(GSM8K_ROW) + "\n")
    exam = prepare(asked(plain_student, "gsm8k", prompt="plain-zero", problems={"source": str(source)}))
    told = evaluate(replace(exam, kind=Continuing()), tmp_path / "eval", lambda done: None)  # type: ignore[arg-type]
    assert told["strict"]["value"] == 1.0
    (row,) = pq.read_table(tmp_path / "eval" / "items.parquet").to_pylist()
    assert row["completion"] == "The final answer is $7$."


def test_all_tasks_have_all_named_prompts() -> None:
    rows = {
        "gsm8k": {"question": "How many?", "reference_answer": "3"},
        "math": {"question": "How much?", "reference_answer": "3"},
        "mbpp": {"question": "Add one.", "test_list": ["assert f(1) == 2"]},
        "countdown": {"nums": [1, 2, 3], "target": 9},
    }
    for task_name, row in rows.items():
        task = get_task(task_name)
        problem = task.read_problem(row)
        templates = {
            choose_form(name, None, Teacher("m"), chat=True).prompt(task, problem).template for name in PROMPTS
        }
        assert len(templates) == len(PROMPTS)

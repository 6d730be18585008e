from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from wrongcot_data.errors import BadInput
from wrongcot_data.teachers.registry import TEACHERS
from wrongcot_train.students import CHAT, PLAIN, STUDENTS, get_student, load_tokenizer, prompt_form, saved_dtype


@pytest.mark.parametrize("name", STUDENTS)
def test_name_means_the_base_model_here_and_the_tuned_one_among_teachers(name: str) -> None:
    student = get_student(name)
    tuned = TEACHERS[name]
    assert student.hub_id != tuned.hub_id
    assert tuned.hub_id.removesuffix("-it").removesuffix("-Instruct") == student.hub_id
    assert re.fullmatch(r"[0-9a-f]{40}", student.revision)
    assert student.licence == tuned.licence


def test_base_student_at_another_commit_is_still_asked_in_its_form() -> None:
    at = get_student("qwen-1.5b@main")
    assert (at.hub_id, at.revision, at.style) == ("Qwen/Qwen2.5-1.5B", "main", "plain-zero")


def test_teacher_without_a_base_of_the_paper_is_a_student_as_it_is() -> None:
    assert get_student("smollm2-135m") == TEACHERS["smollm2-135m"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("qwen-1.5", "unknown student 'qwen-1.5': did you mean qwen-1.5b?"),
        ("./nowhere", "there is no model at ./nowhere"),
    ],
)
def test_unknown_student_comes_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        get_student(name)
    assert caught.value.message == message


def test_form_is_the_templates_but_for_the_papers_base_models(chat_student: Path, plain_student: Path) -> None:
    chat, plain = load_tokenizer(chat_student), load_tokenizer(plain_student)
    somebody = get_student(str(chat_student))
    assert prompt_form(somebody, chat) == CHAT
    assert prompt_form(somebody, plain) == PLAIN
    assert prompt_form(somebody, chat, PLAIN) == PLAIN
    assert prompt_form(get_student("qwen-1.5b"), chat) == PLAIN  # its template was never trained
    assert prompt_form(get_student("qwen-1.5b"), chat, CHAT) == CHAT
    with pytest.raises(BadInput, match="has no chat template"):
        prompt_form(somebody, plain, CHAT)


def test_student_trained_in_plain_form_is_asked_in_it_by_everybody(
    chat_student: Path, dataset: Path, tmp_path: Path, make_student: Callable[..., Path]
) -> None:
    from wrongcot_train.config import settings
    from wrongcot_train.evaluate import EvalSpec, prepare
    from wrongcot_train.sft import SftSpec, sft

    config = settings(max_steps=1, prompt_format=PLAIN)
    record = sft(SftSpec(str(chat_student), dataset, "wrong", config), tmp_path / "out", lambda line: None)
    assert record["format"] == PLAIN
    assert load_tokenizer(tmp_path / "out").chat_template is None
    assert prepare(EvalSpec(str(tmp_path / "out"), "countdown", limit=1)).form.name == PLAIN


@pytest.mark.parametrize(
    ("config", "dtype"),
    [
        ('{"dtype": "bfloat16"}', "bfloat16"),
        ('{"torch_dtype": "float16"}', "float16"),
        ('{"dtype": null}', ""),
        ("[]", ""),
        ("{", ""),
        (None, ""),
    ],
)
def test_precision_of_weights_is_read_where_a_config_tells_it(config: str | None, dtype: str, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    assert saved_dtype(tmp_path) == dtype

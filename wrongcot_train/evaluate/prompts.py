"""How a student is asked: by name, in the form that it was trained in unless something else is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from wrongcot_data.engines.tokens import token_ids
from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.records import Problem, Prompt
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.prompting import render
from wrongcot_data.teachers.registry import PROMPT_STYLES, PromptStyle, Teacher
from wrongcot_train.data import eval_prompt
from wrongcot_train.students import CHAT, PLAIN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PROMPTS = (*PROMPT_STYLES, PLAIN)
"""The names; docs/evaluating.md says what each is for."""

SHOWN = 12
"""Tokens of a prompt that a dry run shows one by one: enough to see every BOS and the beginning of a turn."""


@dataclass(frozen=True, slots=True)
class Form:
    """A named form of a prompt.

    Attributes:
        style: None for `plain-v1`, which is the student's own and no teacher's.
        shots: worked examples; 0 for the zero-shot forms.
    """

    name: str
    style: PromptStyle | None
    shots: int

    def prompt(self, task: Task, problem: Problem) -> Prompt:
        """A problem in this form."""
        if self.style in (None, "chat-zero"):  # the student's own, from the function that training has it from
            return eval_prompt(task, problem, chat=self.style is not None)
        return render(task, problem, self.style, self.shots)


def own_prompt(form: str) -> str:
    """The name of the prompt that a student of this form was trained on."""
    return "chat-zero" if form == CHAT else PLAIN


def choose_form(name: str, shots: int | None, model: Teacher, *, chat: bool) -> Form:
    """The form of that name.

    Args:
        shots: worked examples; none: the model's own number of them, for the few-shot forms.
        chat: whether the student has a chat template.

    Raises:
        BadInput: no such form, chat turns for a student without a template, or examples where none are shown.
    """
    if name not in PROMPTS:
        raise unknown("prompt", name, PROMPTS)
    style = next((style for style in PROMPT_STYLES if style == name), None)
    if name.startswith("chat") and not chat:
        raise BadInput(
            f"{model.name} has no chat template, so {name} cannot be rendered for it",
            try_=[f"--prompt {name.replace('chat', 'plain')}", f"--prompt {PLAIN}    (its own form, the default)"],
        )
    if not name.endswith("few"):
        if shots:
            few = "chat-few" if name.startswith("chat") else "plain-few"
            raise BadInput(f"{name} shows no worked examples", try_=[f"--prompt {few} --shots {shots}"])
        return Form(name, style, 0)
    if shots is not None and shots < 1:
        raise BadInput(f"{name} needs a worked example", try_=[f"--prompt {name.replace('few', 'zero')}"])
    return Form(name, style, model.shots if shots is None else shots)


def check_shots(form: Form, task: Task, problem: Problem) -> None:
    """See that the task has as many worked examples as the form is to show.

    Raises:
        BadInput: it has fewer.
    """
    there = len(task.shots(problem)) if form.shots else 0
    if form.shots > there:
        raise BadInput(f"{task.name} has {there} worked examples, not {form.shots}", try_=[f"--shots {there}"])


def prompt_ids(tokenizer: PreTrainedTokenizerBase, prompt: Prompt, model: Teacher) -> list[int]:
    """The tokens that the student is given.

    Raises:
        BadInput: the chat template and the tokenizer give two BOS tokens.
    """
    try:
        return token_ids(tokenizer, prompt)
    except (ValueError, TemplateError) as error:  # also what a chat template itself raises
        raise BadInput(f"{model.name}: {error}", try_=[f"--prompt {PLAIN}"]) from error


def prompt_text(prompt: Prompt) -> str:
    """What is asked, without the marks of a chat template."""
    return prompt.text or "\n\n".join(turn.content for turn in prompt.messages)


def show_prompt(
    form: Form, prompt: Prompt, tokenizer: PreTrainedTokenizerBase | None, model: Teacher
) -> dict[str, Any]:
    """A prompt as the student will see it.

    Returns:
        `form` and `template` by name, `text`, and where the tokenizer is on this machine the number of `tokens`, the
        first of them by id and as text (`ids`, `pieces`) and how many of them begin it as BOS (`bos`); else None.

    Raises:
        BadInput: the chat template and the tokenizer give two BOS tokens.
    """
    told: dict[str, Any] = {"form": form.name, "template": prompt.template, "stop": list(prompt.stop)}
    if tokenizer is None:
        return {**told, "text": prompt_text(prompt), "tokens": None, "ids": None, "pieces": None, "bos": None}
    ids = prompt_ids(tokenizer, prompt, model)
    first = ids[:SHOWN]
    return {
        **told,
        "text": tokenizer.decode(ids),
        "tokens": len(ids),
        "ids": first,
        "pieces": [str(tokenizer.decode([token])) for token in first],
        "bos": int(bool(ids) and ids[0] == tokenizer.bos_token_id),
    }

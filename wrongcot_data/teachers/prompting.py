"""How a problem becomes a prompt. The templates are files beside this one; see their README."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from wrongcot_data.records import Message, Problem, Prompt
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import PromptStyle

BUILT_IN = Path(__file__).parent / "prompts"

NEXT_PROBLEM = "\nProblem:"
"""What a model that continues plain text writes when it is done with this problem and goes on to the next."""


NEXT_REWRITING = ("\nThe same solution in other", "\nThe same program written in another")
"""What a small one writes instead when it was asked to rewrite a trace: the label of the prompt, and it all again."""

NEXT_SPOILING = ("\nThe same step with", "\nThe same statement with")
"""As that, when it was asked for a step with a mistake."""


def _template(task: Task, kind: str) -> Template:
    return _load(task.templates or BUILT_IN, f"{task.name}.{kind}.v{task.prompt_version}.jinja")


@cache
def _load(folder: Path, name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  prompts are plain text, never HTML
    )
    return environment.get_template(name)


def question(task: Task, problem: Problem) -> str:
    """The zero-shot user turn: what a student sees of a problem, the same bytes in every variant."""
    return _template(task, "chat").render(problem=problem.data).strip()


def own_reply(prompt: Prompt, text: str) -> str:
    """A reply without the beginning of a next one, at which the engine stopped a model that continues text."""
    for beginning in (NEXT_PROBLEM, *NEXT_REWRITING, *NEXT_SPOILING):
        if beginning in prompt.stop and text.endswith(beginning):
            return text.removesuffix(beginning).rstrip()
    return text


def template_name(task: Task, style: PromptStyle, shots: int) -> str:
    """Name and version of a template with the number of examples, as in the column `prompt_template`."""
    count = f"-{shots}" if style.endswith("few") else ""
    return f"{task.name}/{style}{count}@{task.prompt_version}"


def render(task: Task, problem: Problem, style: PromptStyle, shots: int = 0) -> Prompt:
    """The prompt for a teacher in one of the four styles, the few-shot ones with the task's first `shots` examples.

    Zero-shot chat is the student's prompt as it is. Plain styles also stop where the next problem would begin.
    """
    kind, count = style.split("-")
    examples = list(task.shots(problem))[:shots] if count == "few" else []
    template = template_name(task, style, shots)
    if kind == "plain":
        pairs = [(shot.data, trace) for shot, trace in examples]
        text = _template(task, "plain").render(problem=problem.data, shots=pairs).strip()
        return Prompt(template=template, text=text, stop=(*task.stop, NEXT_PROBLEM))
    turns: list[Message] = []
    for shot, trace in examples:
        turns += [Message("user", question(task, shot)), Message("assistant", trace)]
    turns.append(Message("user", question(task, problem)))
    return Prompt(template=template, messages=tuple(turns), stop=tuple(task.stop))

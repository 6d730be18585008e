"""Bases: correct traces of every task, small ones of our own and, where they are, those of the shared data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from wrongcot_data.records import Problem
from wrongcot_data.spec import CorruptSpec
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.base import Operator, Place
from wrongcot_data.variants.corrupt.chain import Element, Rules
from wrongcot_data.variants.corrupt.rows import rules_of
from wrongcot_data.variants.corrupt.teacher.acceptance import acceptance
from wrongcot_data.variants.corrupt.teacher.imitation import imitate
from wrongcot_data.variants.corrupt.teacher.operator import Told, asking
from wrongcot_data.variants.corrupt.teacher.spoiling import askable

DATA = Path(os.environ.get("WRONGCOT_SHARED", Path(__file__).resolve().parents[5] / "shared")) / "data"
FILES = {"gsm8k": "gsm8k/train.jsonl", "math": "math/train.jsonl", "mbpp": "mbpp/mbpp_not_test.jsonl"}

Base = tuple[Task, Problem, Element]


def base_of(task: Task, problem: Problem, text: str) -> Base:
    """A correct trace as the first element of its chain."""
    text = text.strip()
    return task, problem, Element(text, tuple(task.steps(problem, text)), task.grade(problem, text, "stop"))


@lru_cache
def small_bases(name: str) -> tuple[Base, ...]:
    """The worked examples of a task; of Countdown also what its solver writes."""
    task = get_task(name)
    problem = next(iter(get_task("countdown").problems(get_task("countdown").options(), "train", 0)))
    shots = task.shots(problem if name == "countdown" else _any_problem(task))
    bases = [base_of(task, one, trace) for one, trace in shots]
    if name == "countdown":
        some = islice(task.problems(task.options(), "train", 0), 20)
        bases += [base_of(task, one, task.reference(one).trace) for one in some]
    return tuple(bases)


def shared_bases(name: str, count: int) -> Iterator[Base]:
    """References of the shared data that their own grader calls correct; skips the test where they are not there."""
    task, path = get_task(name), DATA / FILES[name]
    if not path.is_file():
        pytest.skip(f"{FILES[name]} is not beside this checkout")
    for problem in islice(task.problems(task.options(source=str(path)), "train", 0), count):
        base = base_of(task, problem, task.reference(problem).trace)
        if base[2].verdict.grade == "correct":
            yield base


def _any_problem(task: Task) -> Problem:
    data = {"question": "", "reference_answer": "1", "trace_style": "code", "solution": ""}
    return Problem("", task.name, "train", data)


def asked_operator(base: Base, seed: int = 0) -> Operator:
    """`teacher:scripted` of a base: what a scripted teacher wrote of each of its steps, as far as it is accepted."""
    task, problem, element = base
    replies: dict[str, list[str]] = {}
    for number in askable(Place(task, problem, element.text, element.steps, 0)).values():
        place = Place(task, problem, element.text, element.steps, number)
        texts = [imitate(place, "right", Random(seed + attempt)) for attempt in range(3)]
        found = (acceptance(place, text, "stop") for text in texts)
        replies[place.step.text] = [verdict.answer for verdict in found if verdict.grade == "correct"][:1]
    return asking("scripted", task, Told(element.steps, replies))


@pytest.fixture(scope="session")
def rules() -> Callable[..., Rules]:
    """The rules of a spec's group `corrupt`."""

    def make(task: Task, seed: int = 0, asked: Operator | None = None, **fields: object) -> Rules:
        return rules_of(task, CorruptSpec.model_validate(fields), seed, asked)

    return make

"""Programs made wrong: each changed statement alone makes the base fail, and so do all of an element together."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from tests.wrongcot_data.variants.corrupt.conftest import Base, asked_operator, base_of, shared_bases, small_bases
from wrongcot_data.tasks import get_task
from wrongcot_data.variants.corrupt.base import Place, applied, get_operator
from wrongcot_data.variants.corrupt.chain import Element, Rules
from wrongcot_data.variants.corrupt.programs import program_chain


@pytest.fixture(scope="session", params=["operators", "a teacher"])
def rules_for(request: pytest.FixtureRequest, rules: Callable[..., Rules]) -> Callable[[Base], Rules]:
    """The rules for a base: operators, or a teacher that was asked about its statements."""

    def make(base: Base) -> Rules:
        if request.param == "operators":
            return rules(base[0])
        return rules(base[0], 0, asked_operator(base), operators=("teacher:scripted",))

    return make


@pytest.fixture(scope="session", params=["worked examples", "real"])
def chains(request: pytest.FixtureRequest, rules_for: Callable[[Base], Rules]) -> list[tuple[Base, list[Element]]]:
    bases = small_bases("mbpp") if request.param == "worked examples" else shared_bases("mbpp", 6)
    made = [(base, program_chain(*base, rules_for(base))) for base in bases]
    return [(base, elements) for base, elements in made if elements]


def test_every_element_but_the_base_fails_its_tests_and_is_a_program_still(chains):
    for (task, problem, base), elements in chains:
        assert elements[0].text == base.text
        assert len(elements) > 1
        for element in elements[1:]:
            assert task.grade(problem, element.text, "stop").grade == "wrong"
            ast.parse(element.text)


def test_each_changed_statement_alone_makes_the_base_fail(chains):
    for (task, problem, base), elements in chains:
        last = elements[-1]
        for old, new in zip(base.steps, last.steps, strict=True):
            assert (old.text != new.text) == bool(new.operator)
            if new.operator:
                alone = base.text[: old.start] + new.text + base.text[old.end :]
                assert task.grade(problem, alone, "stop").grade == "wrong"


def test_what_is_wrong_stays_as_it_is_and_one_statement_more_is(chains):
    for _, elements in chains:
        for one, more in pairwise(elements):
            assert more.wrong == one.wrong + 1
            kept = [number for number, step in enumerate(one.steps) if step.operator]
            assert [one.steps[number].text for number in kept] == [more.steps[number].text for number in kept]


def test_the_same_seed_gives_the_same_bytes(chains, rules_for):
    base, elements = chains[0]
    assert program_chain(*base, rules_for(base)) == elements


@pytest.mark.parametrize(
    ("operator", "statement", "others"),
    [
        ("comparison", "if a < b: pass", {"if a > b: pass"}),
        ("comparison", "x = a not in b", {"x = a in b"}),
        ("boundary", "if a < b: pass", {"if a <= b: pass"}),
        ("boundary", "for i in range(n): pass", {"for i in range(n + 1): pass", "for i in range(n - 1): pass"}),
        ("constant", "x = 0", {"x = 1"}),
        ("constant", "x = True", {"x = False"}),
        ("arithmetic", "x = a + b", {"x = a - b"}),
        ("arithmetic", "x = a and b", {"x = a or b"}),
        ("removed", "x = a", {"pass"}),
    ],
)
def test_a_mutation_is_what_its_name_says(operator: str, statement: str, others: set[str]):
    task, problem, _ = small_bases("mbpp")[0]
    place = Place(task, problem, statement, tuple(task.steps(problem, statement))[:1], 0)
    edits = [edit for seed in range(8) for edit in get_operator(operator).propose(place, Random(seed))]
    assert {applied(statement, edit) for edit in edits} == others


@pytest.mark.parametrize("text", ["", "while True:\n    x = 1", "def f(:", "import os", "é = 1\nx = 'é'", "\f\r\n"])
def test_no_text_makes_it_raise(text: str, rules: Callable[..., Rules]):
    task, problem = get_task("mbpp"), small_bases("mbpp")[0][1]
    base = base_of(task, problem, text)
    for number, element in enumerate(program_chain(*base, rules(task))):
        assert element.wrong == number

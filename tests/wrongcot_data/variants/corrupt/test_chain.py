"""The guarantees of `corrupt`, on every element of the chains of real traces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrongcot_data.variants.corrupt.conftest import Base, asked_operator, base_of, shared_bases, small_bases
from wrongcot_data.steps import FALSE_EQUATION
from wrongcot_data.steps.equations import false_equations
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.countdown.steps import NOT_AVAILABLE, unavailable_numbers
from wrongcot_data.variants.corrupt.chain import Element, Rules, chain
from wrongcot_data.variants.corrupt.levels import LEVELS, at_level, wanted
from wrongcot_data.variants.corrupt.rows import chain_of

EQUATION_TASKS = ("gsm8k", "math", "countdown")


OPERATORS = ("slip", "operator-swap", "quantity-swap", "mix-up")
"""Those that leave every step in its place; test_structure.py has the others."""

SETS: dict[str, Callable[[], Iterable[Base]]] = {
    "gsm8k": lambda: small_bases("gsm8k"),
    "math": lambda: small_bases("math"),
    "countdown": lambda: small_bases("countdown"),
    "real gsm8k": lambda: shared_bases("gsm8k", 60),
    "real math": lambda: shared_bases("math", 60),
}


@pytest.fixture(scope="session", params=["operators", "a teacher", "both"])
def rules_for(request: pytest.FixtureRequest, rules: Callable[..., Rules]) -> Callable[..., Rules]:
    """The rules for a base: operators alone, a teacher that was asked about its steps, or it beside the others."""

    def make(base: Base, seed: int = 0) -> Rules:
        if request.param == "operators":
            return rules(base[0], seed, operators=OPERATORS)
        others = OPERATORS if request.param == "both" else ()
        return rules(base[0], seed, asked_operator(base, seed), operators=("teacher:scripted", *others))

    return make


@pytest.fixture(scope="session", params=SETS)
def chains(request: pytest.FixtureRequest, rules_for: Callable[..., Rules]) -> list[tuple[Base, list[Element]]]:
    bases = [base for base in SETS[request.param]() if not base[2].wrong]
    made = [(base, list(chain(*base, rules_for(base)))) for base in bases]
    assert sum(len(elements) - 1 for _, elements in made) > len(made) / 3
    return made


def test_the_first_element_is_the_base_byte_for_byte(chains):
    assert all(elements[0] is base for (_, _, base), elements in chains)


def test_each_element_has_exactly_one_wrong_step_more_and_keeps_those_before_it(chains):
    for _, elements in chains:
        for one, more in pairwise(elements):
            assert more.wrong == one.wrong + 1
            wrong = {number for number, step in enumerate(one.steps) if step.verdict == "invalid"}
            assert all(more.steps[number].text == one.steps[number].text for number in wrong)
            assert all(more.steps[number].operator == one.steps[number].operator for number in wrong)


def test_every_step_labelled_invalid_is_and_every_other_one_is_what_it_was(chains):
    for (_, problem, base), elements in chains:
        for element in elements:
            false = false_equations(element.text)
            unavailable = (
                [one for one, _ in unavailable_numbers(problem, element.text)] if "nums" in problem.data else []
            )
            for old, step in zip(base.steps, element.steps, strict=True):
                if step.verdict != "invalid":
                    assert (step.text, step.verdict, step.operator) == (old.text, old.verdict, "")
                    continue
                proof = {FALSE_EQUATION: false, NOT_AVAILABLE: unavailable}[step.kind]
                assert any(step.start < one.end <= step.end for one in proof)  # it belongs to the line it ends in
                assert step.operator


def test_the_labels_are_those_that_the_checker_gives_to_the_text_alone(chains):
    for (task, problem, _), elements in chains:
        for element in elements:
            found = [(step.start, step.end, step.verdict, step.kind) for step in task.steps(problem, element.text)]
            assert found == [(step.start, step.end, step.verdict, step.kind) for step in element.steps]
            assert element.verdict == task.grade(problem, element.text, "stop")


def test_levels_are_nested(chains):
    for _, elements in chains:
        places = [place for level in LEVELS if (place := at_level(elements, level)) is not None]
        assert places == sorted(places)
        assert places[0] == 0


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(chains, rules_for):
    differ = 0
    for base, elements in chains[:20]:
        assert list(chain(*base, rules_for(base))) == elements
        differ += list(chain(*base, rules_for(base, seed=1))) != elements
    assert differ


@settings(max_examples=60, deadline=None)
@given(task=st.sampled_from(EQUATION_TASKS), text=st.text() | st.text("0123456789+-*/=() .\n$\\<>").map(str))
def test_no_text_makes_it_raise(task: str, text: str, rules: Callable[..., Rules]):
    problem = small_bases(task)[0][1]
    base = base_of(get_task(task), problem, text)
    elements = list(chain(*base, rules(base[0], operators=OPERATORS)))
    assert elements[0] is base[2]
    assert [element.wrong for element in elements] == [base[2].wrong + more for more in range(len(elements))]


@given(st.integers(0, 100), st.integers(1, 1000))
def test_a_level_is_the_nearest_number_of_steps_and_at_least_one(level: int, checkable: int):
    steps = wanted(level, checkable)
    assert (steps == 0) == (level == 0)
    assert steps <= checkable
    assert abs(steps - level * checkable / 100) <= 0.5 or steps == 1
    assert wanted(max(0, level - 1), checkable) <= steps


def test_a_trace_that_is_too_long_is_left_out_before_it_is_read(rules: Callable[..., Rules]):
    task, problem, _ = small_bases("gsm8k")[0]
    text = "1 + 1 = 2\n" * 6_000 + "#### 2"
    base = Element(text, (), task.grade(problem, "#### 2", "stop"))
    assert chain_of(task, problem, base, rules(task), 100) == "base is too long"

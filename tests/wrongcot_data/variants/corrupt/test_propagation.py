"""Wrong values that are followed: one false step, and everything behind it as it would have been written then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pytest

from tests.wrongcot_data.variants.corrupt.conftest import Base, base_of, shared_bases, small_bases
from wrongcot_data.tasks import get_task
from wrongcot_data.variants.corrupt.base import Change, Edit, Place, applied
from wrongcot_data.variants.corrupt.chain import Rules, chain
from wrongcot_data.variants.corrupt.propagation import propagated

ROW = {"question": "Ann has 48 clips and sells half as many in May. How many are that?", "reference_answer": "72"}
TRACE = (
    "She sold 48/2 = 24 clips in May.\nThose 24 and the 48 are 48+24 = 72 clips.\nTwice that is 2*72 = 144.\n#### 72"
)
NOWHERE = (-1, -1)


def follow(text: str, old: str, new: str, kept: tuple[int, int] = NOWHERE) -> str | None:
    task = get_task("gsm8k")
    problem = task.read_problem(ROW)
    start = text.index(f"= {old}") + 2
    steps = tuple(task.steps(problem, text))
    number = next(number for number, step in enumerate(steps) if step.start <= start < step.end)
    edit = propagated(Place(task, problem, text, steps, number), Edit((Change(start, start + len(old), new),)), kept)
    return applied(text, edit) if edit else None


def test_a_wrong_value_runs_through_later_steps_prose_and_answer():
    assert follow(TRACE, "24", "23") == (
        "She sold 48/2 = 23 clips in May.\nThose 23 and the 48 are 48+23 = 71 clips.\n"
        "Twice that is 2*71 = 142.\n#### 71"
    )


def test_the_answer_stays_where_it_is_to_be_kept():
    at = TRACE.rindex("72")
    assert follow(TRACE, "24", "23", (at, at + 2)).endswith("2*71 = 142.\n#### 72")


def test_a_value_that_may_be_another_ones_is_not_followed():
    text = "There are 50 - 2 = 48 left.\nHalf of the 48 are 48/2 = 24.\n#### 24"
    assert follow(text, "48", "47") is None


@pytest.mark.parametrize(
    "line",
    [
        "Hence, she has 24 - 8 = 16 more than Tom.",  # what is computed is called more of something
        "Before the sale there were 24+3+4 coins, or 31 coins in all.",
        "We know that 24=1L+2*(10-L).",
    ],
)
def test_a_value_is_not_followed_into_what_is_not_read_as_an_equation(line: str):
    assert follow(f"She sold 48/2 = 24 clips.\n{line}\n#### 31", "24", "23") is None


def test_a_value_is_followed_into_its_name():
    assert follow("She sold 48/2 = 24 clips.\nSo $c = 24$.\n#### 24", "24", "23") == (
        "She sold 48/2 = 23 clips.\nSo $c = 23$.\n#### 23"
    )


def test_what_a_search_says_of_its_target_stays_true(rules):
    task = get_task("countdown")
    for base in small_bases("countdown"):
        for element in chain(*base, rules(task, mode="propagate")):
            said = [step for step in element.steps if step.verdict == "valid" and re.search("target|wanted", step.text)]
            assert all(f"= {base[1].data['target']}" in step.text for step in said)


BASES: dict[str, Callable[[], Iterable[Base]]] = {
    "gsm8k": lambda: small_bases("gsm8k"),
    "countdown": lambda: small_bases("countdown"),
    "real gsm8k": lambda: shared_bases("gsm8k", 60),
    "real math": lambda: shared_bases("math", 60),
}


@pytest.mark.parametrize("name", BASES)
def test_only_the_corrupted_steps_are_false(name: str, rules: Callable[..., Rules]):
    taken = 0
    for base in BASES[name]():
        task, problem, first = base
        if first.wrong:
            continue
        for number, element in enumerate(chain(*base, rules(task, mode="propagate"))):
            taken += number > 0
            found = task.steps(problem, element.text)
            assert [step.verdict for step in found] == [step.verdict for step in element.steps]
            assert sum(step.verdict == "invalid" for step in found) == number
            assert all(bool(step.operator) == (step.verdict == "invalid") for step in element.steps)
    assert taken


@pytest.mark.parametrize("mode", ["slip", "propagate"])
@pytest.mark.parametrize(("policy", "grades"), [("keep", {"correct"}), ("replace", {"wrong"})])
def test_the_answer_is_kept_or_replaced_as_asked(mode: str, policy: str, grades: set[str], rules):
    for name in ("gsm8k", "countdown"):
        task = get_task(name)
        made = [list(chain(*base, rules(task, mode=mode, answer=policy)))[1:] for base in small_bases(name)]
        assert {element.verdict.grade for elements in made for element in elements} == grades


def test_an_answer_that_is_the_wrong_value_follows_it_in_slip_mode_too(rules):
    task = get_task("gsm8k")
    base = base_of(task, task.read_problem(ROW), "She sold 48/2 = 24 in May.\nThat is 48+24 = 72.\n#### 72")
    made = [element for seed in range(30) for element in chain(*base, rules(task, seed=seed, answer="propagate"))]
    wrong = [element for element in made if element.verdict.grade == "wrong"]
    assert wrong
    assert all(f"= {element.verdict.answer}." in element.text for element in wrong)

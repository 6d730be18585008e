"""A paraphrase is the same reasoning to the same answer in other words; everything else is refused by name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrongcot_data.variants.paraphrase.conftest import (
    OTHER_PROGRAM,
    PARAPHRASE,
    PROGRAM,
    TESTS,
    TRACE,
    WRONG_TRACE,
    Rewriter,
)
from wrongcot_data.receipt import Refusal
from wrongcot_data.variants.paraphrase.acceptance import acceptance
from wrongcot_data.variants.paraphrase.overlap import NEAR_COPY, UNRELATED

PIECES = st.sampled_from(
    [
        "#### 39", "The final answer is $39$.", "\\boxed{", "4 * 12 = 48", "48 - 9 = 39", "\n", "Tina", "<answer>",
        "=", "9", "here is the paraphrase", "\ud800", "1e999999", "((((", "```python", "def f():", "½", "٣",
    ]
)  # fmt: skip


def test_the_same_reasoning_in_other_words_is_accepted(gsm8k: Rewriter):
    found = gsm8k(PARAPHRASE)
    assert found.refusal is None
    assert found.verdict.grade == "correct"
    assert UNRELATED <= found.overlap < NEAR_COPY
    assert gsm8k(PARAPHRASE.replace("4 * 12 = 48", "48")).refusal is None  # `four boxes of 12` says it in words


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (TRACE, "near copy"),
        (TRACE.replace("Tina has", "TINA HAS") + "\n", "near copy"),
        (PARAPHRASE.replace("#### 39", "#### 38"), "answer changed"),
        (PARAPHRASE.replace("#### 39", ""), "no answer"),
        (PARAPHRASE.replace("Four boxes of 12", "Four boxes of 13"), "new quantity"),
        (PARAPHRASE.replace("48", "50"), "quantity missing"),
        (PARAPHRASE.replace("4 * 12 = 48", "4 * 12 = 39, well 48"), "new false equation"),
        ("Here is the paraphrase:\n" + PARAPHRASE, "talk about the rewriting"),
        (PARAPHRASE + "\nI kept the same numbers as in the original solution.", "talk about the rewriting"),
        ("Sure! " + PARAPHRASE, "talk about the rewriting"),
        ("Nothing here has any thing to do with what was asked for, but it ends right: \n#### 39", "unrelated text"),
        ("Tina has 39 pens, 48 - 9 = 39.\n#### 39", "not complete"),
        ("Tina has 4 boxes of 12 pens each, that is 4 * 12 = 48, and her brother has 9.\n#### 39", "not complete"),
    ],
)
def test_everything_else_is_refused_by_name(gsm8k: Rewriter, text: str, refusal: Refusal):
    assert gsm8k(text).refusal == refusal


def test_a_reply_that_was_cut_off_or_failed_is_said_so(gsm8k: Rewriter):
    assert gsm8k(PARAPHRASE, "length").refusal == "not finished"
    assert gsm8k("", "error").refusal == "the request failed"


def test_words_that_the_problem_has_itself_are_no_talk():
    from tests.wrongcot_data.variants.paraphrase.conftest import rewriter

    row = {"question": "Ann rewrites 3 pages a day. How many pages in 4 days?", "reference_answer": "12"}
    ann = rewriter("gsm8k", row, "Ann rewrites 3 * 4 = 12 pages in that time.\n#### 12")
    assert ann("In 4 days of 3 pages, Ann rewrites 3 * 4 = 12 of them.\n#### 12").refusal is None


def test_a_wrong_trace_is_paraphrased_with_its_own_wrong_answer(wrong_gsm8k: Rewriter):
    same = PARAPHRASE.replace("48", "46").replace("39", "37")
    found = wrong_gsm8k(same)
    assert found.refusal is None, found
    assert found.verdict.grade == "wrong"
    assert wrong_gsm8k(same.replace("#### 37", "The final answer is $37.0$.")).refusal is None
    assert wrong_gsm8k(PARAPHRASE).refusal == "answer changed"
    assert wrong_gsm8k(same.replace("#### 37", "#### 36")).refusal == "answer changed"
    assert wrong_gsm8k(WRONG_TRACE).refusal == "near copy"


def test_a_countdown_answer_keeps_value_and_numbers(countdown: Rewriter, wrong_countdown: Rewriter):
    other = "The sum 10 + 3 = 13 does not reach far. The product does: 10 * 3 = 30, and 30 - 4 = 26 is there.\n"
    assert countdown(other + "<answer>3 * 10 - 4</answer>").refusal is None
    assert countdown(other + "<answer>10 + 3 * 4</answer>").refusal == "answer changed"
    wrong = "The sum 10 + 3 = 13 does not reach far, nor does 13 + 4 = 17, and there I stop.\n"
    assert wrong_countdown(wrong + "<answer>3 + 10 + 4</answer>").refusal is None
    assert wrong_countdown(wrong + "<answer>10 + 3 - 4</answer>").refusal == "answer changed"


def test_a_program_may_change_names_comments_and_structure_but_not_what_it_does(mbpp: Rewriter):
    assert mbpp(OTHER_PROGRAM).refusal is None
    assert mbpp(f"```python\n{OTHER_PROGRAM}\n```").refusal is None
    assert mbpp(PROGRAM.replace("number", "one").replace("total", "many")).refusal is None
    assert mbpp(PROGRAM).refusal == "near copy"
    assert mbpp(PROGRAM.replace("    ", "  ").replace("total = 0", "total = (0)")).refusal == "near copy"
    assert mbpp(OTHER_PROGRAM.replace("== 0", "== 1")).refusal == "answer changed"
    assert mbpp(f"This counts them.\n\n{OTHER_PROGRAM}").refusal == "talk about the rewriting"


def test_a_wrong_program_must_fail_in_the_same_way():
    from tests.wrongcot_data.variants.paraphrase.conftest import rewriter

    row = {"question": "Write a function to count the even numbers of a list.", "test_list": TESTS}
    wrong = rewriter("mbpp", row, PROGRAM.replace("== 0", "== 1"))
    assert wrong(OTHER_PROGRAM.replace("== 0", "== 1")).refusal is None
    assert wrong(OTHER_PROGRAM).refusal == "answer changed"
    assert wrong("def count_even(values):\n    return list(values)[0] % 2").refusal == "answer changed"


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=30), PIECES), max_size=12), st.sampled_from(["stop", "length", "unknown"]))
def test_judging_never_raises(gsm8k: Rewriter, pieces: list[str], finish_reason: str):
    gsm8k(" ".join(pieces), finish_reason)


@settings(deadline=None)
@given(st.text(alphabet=" \n\t"), st.text(alphabet=" \n\t"))
def test_a_copy_is_refused_whatever_white_space_is_around_it(gsm8k: Rewriter, before: str, after: str):
    assert gsm8k(before + TRACE + after).refusal == "near copy"


@settings(deadline=None)
@given(st.text(alphabet=st.characters(categories=["Ll"], max_codepoint=127), min_size=30).map(" ".join))
def test_an_unrelated_text_with_the_right_answer_is_refused(gsm8k: Rewriter, prose: str):
    assert gsm8k(f"{prose}\n#### 39").refusal in ("unrelated text", "talk about the rewriting")


NUMBERS = list(re.finditer(r"[0-9]+", PARAPHRASE))


@settings(deadline=None)
@given(st.sampled_from(NUMBERS), st.integers(100, 10**6))
def test_a_paraphrase_with_any_number_changed_is_refused(gsm8k: Rewriter, number: re.Match[str], other: int):
    changed = f"{PARAPHRASE[: number.start()]}{other}{PARAPHRASE[number.end() :]}"
    assert gsm8k(changed).refusal in ("answer changed", "quantity missing", "not complete", "new quantity")


def test_the_grade_of_a_sample_is_correct_only_if_it_was_accepted(gsm8k: Rewriter):
    def graded(text: str, finish_reason: str = "stop") -> str:
        return acceptance(gsm8k.task, gsm8k.problem, gsm8k.base, text, finish_reason).grade  # type: ignore[arg-type]

    assert graded(PARAPHRASE) == "correct"
    assert graded(TRACE) == "wrong"
    assert graded("I would not know.") == "no_answer"
    assert graded(PARAPHRASE, "length") == "truncated"

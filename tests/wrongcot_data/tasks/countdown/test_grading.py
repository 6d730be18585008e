"""Verdicts: every row of the table of loopholes, every reason, and no input that raises."""

import ast
import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrongcot_data.graders.arithmetic import normalise
from wrongcot_data.tasks.countdown import TASK
from wrongcot_data.tasks.countdown.answers import REASONS

GIVEN = ([44, 19, 35], 98)


def graded(completion, numbers=GIVEN[0], target=GIVEN[1], finish_reason="stop"):
    problem = TASK.read_problem({"nums": numbers, "target": target})
    verdict = TASK.grade(problem, completion, finish_reason)
    assert REASONS[verdict.reason] == verdict.grade
    return verdict


def judged(answer, numbers=GIVEN[0], target=GIVEN[1]):
    verdict = graded(f"So:\n<answer>{answer}</answer>", numbers, target)
    return verdict.grade, verdict.reason


# The table of reference/peers.md 5.3, a row a line: what other scorers accept or refuse, decided as its last column
# says. Its rows on where the tag stands are in the next test.
LOOPHOLES = {
    "power": ("2**3", [2, 3], 8, "wrong", "illegal operation"),
    "floor division": ("7//2", [2, 7], 3, "wrong", "illegal operation"),
    "decimal glue": ("2.5*10", [2, 5, 10], 25, "wrong", "illegal number"),
    "near miss inside 1e-5": ("100-7**-9", [100, 7, 9], 100, "wrong", "illegal operation"),
    "near miss inside 1e-5, legal": ("100-1/(999*999)", [100, 1, 999, 999], 100, "wrong", "wrong value"),
    "huge power": ("9**9**9**9", [9, 9, 9, 9], 9, "wrong", "illegal operation"),
    "free number by scientific literal": ("1e2+3+5", [3, 5], 108, "wrong", "illegal number"),
    "hex": ("0x64+3+5", [3, 5], 108, "wrong", "illegal number"),
    "underscore": ("1_00+3+5", [3, 5], 108, "wrong", "illegal number"),
    "comment": ("0x67 # 25 4", [25, 4], 103, "no_answer", "unparsable answer"),
    "named constant": ("25*4+floor(pi)", [25, 4], 103, "wrong", "illegal operation"),
    "function": ("sqrt(16)+3", [16, 3], 7, "wrong", "illegal operation"),
    "factorial": ("3!+4!", [3, 4], 30, "wrong", "illegal operation"),
    "code": ("__import__('os').system('true') or 3+4", [3, 4], 7, "no_answer", "unparsable answer"),
    "equation = target": ("44+19+35 = 98", *GIVEN, "correct", "equals the target"),
    "Unicode operators": ("6 × 8 ÷ 4 − 2", [6, 8, 4, 2], 10, "correct", "equals the target"),
    "LaTeX times": (r"6 \times 8", [6, 8], 48, "correct", "equals the target"),
    "LaTeX dollars": ("$44 + 19 + 35$", *GIVEN, "correct", "equals the target"),
    "subset of numbers": ("54+44", [44, 54, 3], 98, "wrong", "number missing"),
}


@pytest.mark.parametrize(("answer", "numbers", "target", "grade", "reason"), LOOPHOLES.values(), ids=LOOPHOLES)
def test_loopholes_of_other_scorers_are_decided(answer, numbers, target, grade, reason):
    assert judged(answer, numbers, target) == (grade, reason)


@pytest.mark.parametrize(
    "completion",
    [
        "<answer>44 + 19 + 35</answer>\nI hope this helps.",  # tag followed by another line
        "<answer>44 + 19\n + 35</answer>",  # answer broken over two lines
        "44 + 54 is it. <answer>44 + 19 + 35</answer>",  # no assistant marker
        "<answer>44 * 19 * 35</answer> No: <answer>44 + 19 + 35</answer>",
        "In <answer> </answer> tags: <answer>\n\n44 + 19 + 35\n\n</answer></s>",
        "<answer>\\boxed{44 + 19 + 35}</answer>",
        "<<answer>44 + 19 + 35.</answer>",
        "<answer>44 + 19 + 35",  # never closed, but known to be finished
    ],
)
def test_the_last_answer_anywhere_counts(completion):
    assert graded(completion).grade == "correct"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("44 + 19 + 36", "number not given"),
        ("44 + 19 + 19", "number used twice"),
        ("44 + 19 + 35 + 35", "number used twice"),
        ("44 + 54", "number not given"),
        ("44 + 19", "number missing"),
        ("44", "number missing"),
        ("97", "number not given"),
        ("44 - 19 + 35", "wrong value"),
        ("35 / (44 - 44) + 19", "number used twice"),
        ("44 + 19 + 35.0", "illegal number"),
        ("44 + 19 * sqrt(35) + 1.5", "illegal operation"),
        ("44 + 19 - 35 = 98", "wrong value"),
        ("98 = 44 + 19 - 35", "wrong value"),
    ],
)
def test_legal_expressions_that_are_wrong_say_why(answer, reason):
    assert judged(answer) == ("wrong", reason)


def test_division_by_zero_is_a_reason_of_its_own():
    assert judged("3 / (7 - 7)", [3, 7, 7], 10) == ("wrong", "division by zero")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty answer"),
        ("   \n ", "empty answer"),
        (r"\boxed{}", "empty answer"),
        ("98", "only the target"),
        (r"\boxed{98}", "only the target"),
        ("I do not know", "unparsable answer"),
        ("44 + 19 + 35, which is 98", "unparsable answer"),
        ("44 19 35", "unparsable answer"),
        ("...", "unparsable answer"),
        ("44 + 19 + ", "unparsable answer"),
        ("x = 44 + 19 + 35", "unparsable answer"),
        ("=", "unparsable answer"),
        ("44 + 35 = 79 + 19 = 98", "several expressions"),
        ("44 + 35 = 79\n79 + 19 = 98", "unparsable answer"),
    ],
)
def test_what_is_no_expression_is_never_called_wrong(answer, reason):
    grade, found = judged(answer)
    assert grade == "no_answer"
    assert found == reason


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ("44 + 19 + 35", ""),
        ("44 + 19 + 35 = 98", "equation"),
        ("98 = 44 + 19 + 35", "equation"),
        ("44 + 19 + 35 = 63 + 35 = 98", "equation"),
        ("44 + 19 + 35 =", "equation"),
        (r"$44 + 19 + 35 = 98$", "equation+latex"),
        ("[44 + 19] + 35", "brackets"),
        ("44 − (−19) + 35", "unicode"),
    ],
)
def test_other_forms_of_a_right_answer_are_correct_and_recorded(answer, form):
    verdict = graded(f"<answer> {answer} </answer>")
    assert (verdict.grade, verdict.form, verdict.answer) == ("correct", form, answer)


@pytest.mark.parametrize(
    ("completion", "finish_reason", "grade", "reason", "answer"),
    [
        ("<answer>44 + 19 + 35</answer>", "length", "truncated", "cut off after its answer", "44 + 19 + 35"),
        ("<answer>44 + 19 + 3", "length", "truncated", "cut off before an answer", ""),
        ("Try 44 + ", "length", "truncated", "cut off before an answer", ""),
        ("<answer>44 + 19 + 35", "unknown", "truncated", "answer tag never closed", ""),
        ("<answer>44 + 19 + 35</answer>", "unknown", "correct", "equals the target", "44 + 19 + 35"),
        ("<answer>44 + 19", "stop", "wrong", "number missing", "44 + 19"),
        ("Try 44 + ", "stop", "no_answer", "no answer", ""),
        ("Try 44 + ", "unknown", "no_answer", "no answer", ""),
        ("", "error", "error", "the request failed", ""),
        ("<answer>44 + 19 + 35</answer>", "error", "error", "the request failed", ""),
    ],
)
def test_how_a_reply_ended_decides_first(completion, finish_reason, grade, reason, answer):
    verdict = graded(completion, finish_reason=finish_reason)
    assert (verdict.grade, verdict.reason, verdict.answer) == (grade, reason, answer)


def test_the_target_alone_is_right_where_it_is_the_only_number():
    assert judged("7", [7], 7) == ("correct", "equals the target")


FINISH_REASONS = st.sampled_from(["stop", "length", "error", "unknown"])
ANY_TEXT = st.one_of(
    st.text(),
    st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.text(alphabet="0123456789+-*/() =.e\\{}$x\n"),
)


@given(ANY_TEXT, FINISH_REASONS)
def test_no_text_raises(text, finish_reason):
    problem = TASK.read_problem({"nums": [3, 4, 5], "target": 12})
    for completion in (text, f"<answer>{text}</answer>", f"<answer>{text}", f"{text}</answer><answer>"):
        verdict = TASK.grade(problem, completion, finish_reason)
        assert REASONS[verdict.reason] == verdict.grade
        TASK.steps(problem, completion)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "3" + ")" * 10_000,
        "-" * 100_000 + "3",
        "1" * 1_000_000,
        "<answer>" * 100_000,
        "3 + 4 = " * 100_000,
        "\0",
        "9**9**9**9",
        "\ud800\udfff",
        "\\frac{" * 10_000,
    ],
    ids=lambda text: f"{text[:9]!r}x{len(text)}",
)
def test_hostile_texts_neither_raise_nor_hang(text):
    problem = TASK.read_problem({"nums": [3, 4, 5], "target": 12})
    for completion in (text, f"<answer>{text}</answer>"):
        assert TASK.grade(problem, completion, "stop").grade != "correct"
        assert TASK.steps(problem, completion)


def independent_verdict(text, numbers, target):
    """Right or not, by Python's own parser and exact fractions; None where it is no expression."""
    tree = ast.parse(normalise(text)[0], mode="eval")
    used = Counter(node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))

    def value(node):
        match node:
            case ast.Constant():
                return Fraction(node.value)
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand)
        left, right = value(node.left), value(node.right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
        return left / right

    try:
        return used == Counter(numbers) and value(tree.body) == target
    except ZeroDivisionError:
        return False


@settings(max_examples=300)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_correct_means_exactly_the_target_with_exactly_the_numbers(numbers, rng: random.Random):
    """Brute force over random expressions, right ones and nearly right ones."""
    parts = [str(number) for number in numbers]
    if rng.random() < 0.3:
        parts[rng.randrange(len(parts))] = str(rng.randint(1, 9))
    if rng.random() < 0.1:
        parts.append(rng.choice(parts))
    while len(parts) > 1:
        one, other = parts.pop(rng.randrange(len(parts))), parts.pop(rng.randrange(len(parts)))
        text = f"{one} {rng.choice('+-*/×÷−')} {other}"
        parts.append(rng.choice(["({})", "-({})", "{}", "[{}]"]).format(text))
    (text,) = parts
    for target in {*range(1, 13), 24, 36}:
        verdict = graded(f"<answer>{text}</answer>", numbers, target)
        if verdict.reason != "only the target":
            assert (verdict.grade == "correct") == independent_verdict(text, numbers, target)
            assert verdict.grade in {"correct", "wrong"}

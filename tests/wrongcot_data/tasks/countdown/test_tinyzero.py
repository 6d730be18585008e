"""TinyZero's scorer, against a literal account of it that does use `eval` (on harmless text only)."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrongcot_data.tasks.countdown.tinyzero import tinyzero_score

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning")  # Python's, about `5(3)`, on the side of `eval`


def with_eval(text, numbers, target):
    """What the original does, statement by statement."""
    if "Assistant:" in text:
        text = text.split("Assistant:", 1)[1]
    elif "<|im_start|>assistant" in text:
        text = text.split("<|im_start|>assistant", 1)[1]
    else:
        return 0
    tags = list(re.finditer(r"<answer>(.*?)</answer>", text.split("\n")[-1]))
    if not tags:
        return 0
    answer = tags[-1].group(1).strip()
    try:
        if sorted(int(n) for n in re.findall(r"\d+", answer)) != sorted(numbers):
            return 0.1
        if not re.match(r"^[\d+\-*/().\s]+$", answer):
            return 0.1
        result = eval(answer, {"__builtins__": None}, {})
        return 1.0 if abs(result - target) < 1e-5 else 0.1
    except Exception:
        return 0.1


def score(answer, numbers, target):
    return tinyzero_score(f"User: ...\nAssistant: so\n<answer>{answer}</answer>", numbers, target)


@settings(max_examples=500)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 30), st.randoms(use_true_random=False))
def test_scores_as_the_original_does(numbers, target, rng: random.Random):
    parts = [str(number) for number in rng.sample(numbers, len(numbers))]
    while len(parts) > 1:
        one, other = parts.pop(), parts.pop()
        operator = rng.choice(["+", "-", "*", "/", "//", "**", ".", " + ", " ", "+-", ""])
        text = f"{one}{operator}{other}"
        parts.append(rng.choice(["{}", "({})", "-{}", "({})()", "{}."]).format(text))
    if parts[0].count("**") < 2:  # the original can hang on more
        text = f"Assistant: <answer>{parts[0]}</answer>"
        assert tinyzero_score(text, numbers, target) == with_eval(text, numbers, target), parts[0]


@settings(max_examples=500)
@given(st.text(alphabet="123+-/(). \t\f\r\n<answer>", max_size=20), st.sampled_from(["Assistant:", "", "\n"]))
def test_scores_any_text_as_the_original_does(text, marker):
    for whole in (f"{marker}{text}", f"{marker}<answer>{text}</answer>", f"Assistant:<answer>{text}</answer>{text}"):
        for numbers in ([1, 2], [12], [3]):
            assert tinyzero_score(whole, numbers, 3) == with_eval(whole, numbers, 3)


@pytest.mark.parametrize(
    ("answer", "numbers", "target", "expected"),
    [
        ("44 + 19 + 35", [44, 19, 35], 98, 1.0),
        ("2**3", [2, 3], 8, 1.0),
        ("7//2", [2, 7], 3, 1.0),
        ("2.5*10", [2, 5, 10], 25, 1.0),
        ("100-7**-9", [100, 7, 9], 100, 1.0),
        ("1e2+3+5", [3, 5], 108, 0.1),
        ("0x64+3+5", [3, 5], 108, 0.1),
        ("44+19+35 = 98", [44, 19, 35], 98, 0.1),
        ("6 × 8", [6, 8], 48, 0.1),
        ("44 + 19", [44, 19, 35], 63, 0.1),
        ("5(3)", [5, 3], 15, 0.1),
        ("...", [], 0, 0.1),
        ("()", [], 0, 0.1),
        ("1/0", [1, 0], 1, 0.1),
        ("(-8)**(1/3)", [8, 1, 3], 2, 0.1),
        ("01 + 2", [1, 2], 3, 0.1),
    ],
)
def test_its_faults_are_kept(answer, numbers, target, expected):
    assert (
        score(answer, numbers, target) == expected == with_eval(f"Assistant:<answer>{answer}</answer>", numbers, target)
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<answer>1 + 2</answer>", 0.0),
        ("Assistant: <answer>1 + 2</answer>", 1.0),
        ("<|im_start|>assistant\n<answer>1 + 2</answer>", 1.0),
        ("Assistant: <answer>1 + 2</answer>\nDone.", 0.0),
        ("Assistant: <answer>1 +\n2</answer>", 0.0),
        ("Assistant: <answer>9</answer> or <answer>1 + 2</answer> ok", 1.0),
        ("Example: <answer>1 + 2</answer> Assistant: none", 0.0),
    ],
)
def test_only_the_last_line_after_the_marker_is_read(text, expected):
    assert tinyzero_score(text, [1, 2], 3) == expected == with_eval(text, [1, 2], 3)


@pytest.mark.parametrize("answer", ["9**9**9**9", "(9**9)**(9**9)", "9**(9**9)*0**9"])
def test_a_power_that_the_original_may_hang_on_is_not_computed(answer):
    numbers = [int(digits) for digits in re.findall(r"\d+", answer)]
    assert score(answer, numbers, 9) == 0.1


@pytest.mark.parametrize(
    "answer", ["(" * 10_000 + "3", "-" * 3_000 + "3", "-" * 200_000 + "3", "3" * 10_000, "\0", "3 " * 99_999]
)
def test_hostile_texts_score_and_do_not_raise(answer):
    assert score(answer, [3], 3) in {0.1, 1.0}


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))))
def test_no_text_raises(text):
    assert score(text, [3, 4], 7) in {0.0, 0.1, 1.0}

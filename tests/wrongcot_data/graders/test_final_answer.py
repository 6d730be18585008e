"""Where the final answer is: the last marked one, whole, in linear time, and a form that says how it was found."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders.final_answer import boxed_answer, find_answer


@pytest.mark.parametrize(
    ("text", "answer", "form"),
    [
        ("So.\nThe final answer is $42$.", "42", ""),
        ("The final answer is: $$\\frac{1}{2}$$", "\\frac{1}{2}", ""),
        ("The final answer is \\(x+1\\).", "x+1", ""),
        ("The final answer is $\\boxed{5}$. I hope it is correct.", "5", "boxed"),
        ("The final answer is 2.5.", "2.5", "sentence"),
        ("\\boxed{80}. The final answer is a common one.", "80", "boxed"),
        ("\\boxed{1} and so \\boxed{\\frac{1}{\\sqrt{2}}}", "\\frac{1}{\\sqrt{2}}", "boxed"),
        ("\\fbox{7}", "7", "boxed"),
        ("\\boxed 5.", "5", "boxed"),
        ("\\boxed\n{90}", "90", "boxed"),
        ("\\boxed{\\{1\\}}", "\\{1\\}", "boxed"),
        ("\\boxed{\\boxed{5}}", "5", "boxed"),
        ("$\\boxed{-2}$ and $\\boxed{3}$.", "-2, 3", "boxes"),
        ("$\\boxed{5}$.\n\n- OR -\n\nIt is $\\boxed{5}$.", "5", "boxed"),
        ("Sum.\n#### 1,234", "1,234", "hash"),
        ("#### Conclusion\nThe answer is 5.", "5", "sentence"),
        ("12 + 3 = 15\nA: 15", "15", "sentence"),
        ("Answer: (A)", "(A)", "sentence"),
        ("**Answer:** 5", "5", "sentence"),
        ("The answer is 5, since $2x = 10$.", "5", "sentence"),
        ("The answer is $5$ because $2x = 10$.", "5", "sentence"),
        ("The answer is $5$ or $7$.", "5, 7", "sentence"),
        ("The answer is 5. So our answer is reasonable.", "5", "sentence"),
        ("The answer is **$70,000**.", "$70,000", "sentence"),
        ("She makes $18 every day at the market", "$18", "last number"),
        ("The final answer is $\\$18.50$.", "\\$18.50", ""),
        ("The final answer is $9 \\times 2 = 18$.", "9 \\times 2 = 18", ""),
        ("The final answer is $9 + $9 = $18 in total.", "$9 + $9 = $18 in total", "sentence"),
        ("The final answer is therefore 18.", "18", "sentence"),
        ("The answer is therefore (3, 4).", "(3, 4)", "sentence"),
        ("The answer should be 18.", "18", "sentence"),
        ("We get a final answer of $18$.", "18", "sentence"),
        ("<think>9 and 9</think><answer>18</answer>", "18", "sentence"),
        ("It adds up.\n\n**Final Answer**\n\n$18", "$18", "sentence"),
        (
            "Answer: She sells 9 eggs for $2 each, so she makes $18.",
            "She sells 9 eggs for $2 each, so she makes $18",
            "sentence",
        ),
        # a remark is no answer, wherever it stands
        ("\\boxed{18}. The final answer is rounded to 2 decimal places.", "18", "boxed"),
        ("#### 18\nThe final answer is found by adding 9 and 9.", "18", "hash"),
        ("\\[\\boxed{\\frac{1}{2}}\\]\nThe final answer is positive since $x > 0$.", "\\frac{1}{2}", "boxed"),
        ("The answer is 18. The answer is for a day of 9 hours.", "18", "sentence"),
        # a tail that says nothing spoils nothing
        ("The final answer is $18$.\nThe final answer is $", "18", ""),
        ("\\boxed{18}\n\n(Put your answer in \\boxed{}.)", "18", "boxed"),
        ("The final answer is $18$.\n\nProblem: 4 and 5?\nSolution: The final answer is $9$.", "18", ""),
        ("#### 18\n\nQ: Tom has 5.\nA: 9\n#### 9", "18", "hash"),
        ("Question: 9 and 9?\nSo the final answer is $18$.", "18", ""),
    ],
)
def test_the_answer_is_found_and_its_form_told(text, answer, form):
    found = find_answer(text)
    assert (found.text, found.form, found.fault) == (answer, form, "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no answer"),
        ("I cannot tell.", "no answer"),
        ("\\boxed{}", "empty answer"),
        ("The final answer is $$", "empty answer"),
        ("It is 7, so \\boxed{\\frac{7}{8}", "unclosed box"),
        ("\\boxed{3} or \\boxed{4", "unclosed box"),
    ],
)
def test_no_answer_says_why_and_no_number_is_fished_from_a_failed_box(text, fault):
    found = find_answer(text)
    assert (found.text, found.fault) == ("", fault)


@pytest.mark.parametrize(
    "text",
    [
        "$x = \\boxed{5}$ and $y = \\boxed{-3}$",
        "- $x = \\boxed{5}$\n- $x = \\boxed{-3}$",
        "1. $x_1=\\boxed{5}$\n2. $x_2=\\boxed{-3}$",
        "\\boxed{5} \\quad \\text{or} \\quad \\boxed{-3}",
        "\\boxed{5} and also \\boxed{-3}",
        "\\boxed{5} minutes or \\boxed{-3} hours",
        "\\boxed{5}, not \\boxed{-3}",
        "The final answer is $5$, or $-3$.",
    ],
)
def test_values_with_little_between_them_are_one_list(text):
    assert find_answer(text).parts == ("5", "-3")


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("\\boxed{20}\nWait, I made a mistake. The correct answer is 18.", "18"),
        ("#### 20\nActually the answer is 18.", "18"),
        ("The final answer is $20$. No. The answer is $18$.", "18"),
        ("\\boxed{20}. So the answer is 20.0 eggs.", ""),
        ("The answer is 18. No: \\boxed{20}", ""),
        ("\\boxed{20}. The answer is correct.", ""),
    ],
)
def test_a_number_that_a_later_sentence_gives_instead_is_told(text, later):
    assert find_answer(text).later == later


def test_boxes_that_are_one_list_and_boxes_that_are_not():
    assert boxed_answer("\\boxed{(-2,18)} and \\boxed{(8,38)}").parts == ("(-2,18)", "(8,38)")
    assert boxed_answer("\\boxed{1}, so \\boxed{2}").text == "2"
    assert boxed_answer("none").fault == "no answer"
    assert boxed_answer("\\boxed{1} \\boxed{2").fault == "unclosed box"


HUGE = ["a", "\\boxed{", "{", "$", "the answer is ", "the final answer is ", "#### ", "1", "1,", " ", "\\(", "answer: \\(",
        "\\boxed{1} ", "A:\n", "and \\boxed{", "\t*"]  # fmt: skip


@pytest.mark.parametrize("piece", HUGE)
def test_time_is_linear_in_the_length(piece):
    size = 1_000_000
    for text in (piece * (size // len(piece)), "\\boxed{" + piece * (size // len(piece))):
        begin = time.process_time()
        find_answer(text)
        assert time.process_time() - begin < 1  # about 0.05 s; quadratic would be hours


@given(st.text() | st.lists(st.sampled_from([*HUGE, "}", "\\", "\n", "5", "or", "\\)", "x"])).map("".join))
def test_finding_never_raises_and_fault_and_text_exclude_each_other(text):
    found = find_answer(text)
    assert bool(found.text) != bool(found.fault)

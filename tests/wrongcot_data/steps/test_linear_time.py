"""Steps take time linear in the length, whatever a line is filled with and whatever stands around it."""

import time

import pytest

from wrongcot_data.steps import equation_steps
from wrongcot_data.tasks.countdown import TASK

PIECES = (
    " ", "\t", "9", "1 ", "a ", "1,000", "-", "+", "=", "*", "%", "!", "^", "^ ", "$", "&", "& ", "~", ".", "? ", "'",
    "(", "{", "[", "<", "<<", "(a ", "5 (a ", "\\", "\\\\", "\\\\[", "\\[", "\\left", "\\left ", "\\text{", "\\begin{",
    "\\frac", "\\sqrt", "\\boxed{", "{\\circ", "\\quad ", "is ", "is 1 ", "of ", "1/2 of ", "if ", "wait, ", "1 + ",
    "1+1=2 ", "1+1=3. ", "1 = ", "= 1 ", "mod ", "a * b = ", "1/2 = ", "\n= ", "\n", "\\\\\n", "&=\n", "1+\n",
    "- 1+1=3\n", "base 2: 1+1=3\n",
)  # fmt: skip
FRAMES = ("So:\n{}2 + 2 = 5", "2 + 2 = 5 {}", "2 + 2{}\n= 5")
LENGTH = 8_000
SECONDS_A_LINE = 3.0
"""Generous: the slowest takes a quarter of it; what backtracks over blanks takes minutes."""


@pytest.mark.parametrize("piece", PIECES)
def test_a_line_full_of_one_piece_takes_no_long_time(piece):
    for frame in FRAMES:
        text = frame.format(piece * ((LENGTH) // len(piece)))
        start = time.process_time()
        equation_steps(text)
        assert time.process_time() - start < SECONDS_A_LINE, frame


@pytest.mark.parametrize(
    "line", ["1 + 1 = 3\n", "- 1 + 1 = 3\n", "1 + 1\n= 3\n", "In base 2, 1 + 1 = 3.\n", "1/3 + 1/7 = 1\n"]
)
def test_many_lines_take_time_in_proportion(line):
    problem = TASK.read_problem({"nums": [1, 1, 3], "target": 3})

    def seconds(lines):
        start = time.process_time()
        TASK.steps(problem, line * lines)
        return time.process_time() - start

    seconds(10)
    assert seconds(2000) < 8 * seconds(500) + 0.2

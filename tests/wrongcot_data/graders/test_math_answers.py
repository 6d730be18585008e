"""Verdicts on answers: hard pairs both ways round, no false definite verdict, nothing that hangs or raises."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrongcot_data.graders import math_answers
from wrongcot_data.graders.math_answers import MAX_ANSWER, REASONS, compare, grade
from wrongcot_data.graders.math_worker import MEMORY
from wrongcot_data.graders.workers import WorkerPool
from wrongcot_data.records import GRADES

EQUAL = r"""
4 ~ 4.0
\frac{1}{2} ~ 0.5
\sqrt3 ~ \sqrt{3}
1\,000\,000 ~ 1000000
\text{13} ~ 13
50\% ~ 50
(2,3) ~ \left( 2, 3 \right)
1, 2 ~ 2, 1
-2,3 ~ -2 \text{ or } 3
-2,3 ~ x=-2 \text{ or } x=3
6,8\text{, and }10 ~ 6, 8, 10
(-4, 27);(2, 15) ~ (2,15),(-4,27)
\{1,2\} ~ 1,2
1\pm\sqrt{2} ~ 1-\sqrt{2},1+\sqrt{2}
x=5 ~ 5
x \in [1,2] ~ [1,2]
[1,2] ~ 1\le x\le 2
(-\infty,3) ~ x<3
(-\infty,5) \cup (5,\infty) ~ (5,\infty)\cup(-\infty,5)
y=2x+3 ~ 2x-y+3=0
x+2y-2z-9=0 ~ -x-2y+2z+9=0
\begin{pmatrix} 1/2 \\ 3 \end{pmatrix} ~ \begin{bmatrix} \frac12 \\ 3 \end{bmatrix}
40_9 ~ 40_{9}
\text{even} ~ Even
\text{(A)} ~ A
\text{A, B} ~ B,A
(x+1)(x+2) ~ x^2+3x+2
\frac{3}{\sqrt{10}} ~ \frac{3\sqrt{10}}{10}
\tan x ~ \frac{\sin x}{\cos x}
\binom{5}{2} ~ 10
164 \pi \mbox{ square feet} ~ 164\pi
1/3 ~ 0.\overline{3}
3+4i ~ 4i+3
8+4i ~ 8+4\mathrm{i}
25\pi ~ 25pi
3\sqrt5 ~ 3sqrt(5)
50 ~ 50 \, cm^2
5 ~ \text{5 inches}
5 ~ AB = 5
\frac12 ~ P(A) = \frac{1}{2}
8\sqrt{3} ~ 8\sqrt{3} \text { square inches}
(-6,6) ~ $(-6, 6)$.
\begin{pmatrix} 3 \\[4pt] 1 \end{pmatrix} ~ \begin{pmatrix} 3 \\ 1 \end{pmatrix}
\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}. ~ \begin{bmatrix} 1 & 0 \\ 0 & 1 \end{bmatrix}
"""

DIFFERENT = r"""
1-\frac{1}{e} ~ 1+\frac{1}{e}
f(x)=0 ~ g(x)=0
f(x)=0 ~ g=0
(2,3) ~ [2,3]
(2,3) ~ (3,2)
[2,3) ~ (2,3]
y=2x+3 ~ y=2x-3
x=5 ~ y=5
5 ~ 500
5 ~ 0.05
\text{even} ~ odd
\text{(A)} ~ (B)
\frac{1}{3} ~ 0.33333333333
1,2 ~ 12
1,2 ~ 1,2,3
(-\infty,3) ~ (-\infty,3]
x<3 ~ x\le 3
2^{100}-2 ~ 2^{100}-1
2^{2008}-2 ~ 2^{2008}
10000000000000000000001 ~ 10000000000000000000002
|x| ~ x
5 ~ -\infty
3+4i ~ 3-4i
x^2+3x+2 ~ x^2+3x-2
3 ~ 3 \log x
\begin{pmatrix} 1 \\ 2 \end{pmatrix} ~ \begin{pmatrix} 1 & 2 \end{pmatrix}
"""

# One of the two graders is wrong, or a convention decides: no verdict is given, and none may be.
UNDECIDED = r"""
18 ~ There are 18 ways
x+1 ~ the sum x+1
\text{even} ~ \text{even function}
\mbox{four} ~ 4
\text{(C)} ~ \text{Option C}
(-\infty,-4)\cup(4,\infty) ~ x<-4 \text{ or } x>4
(-\infty,-4)\cup(4,\infty) ~ (-\infty,-4)\text{ or }(4,\infty)
(-\infty,\infty) ~ \text{all real numbers}
\begin{pmatrix} 3 \\ 1 \end{pmatrix} ~ (3,1)
(4,25) ~ \langle 4,25 \rangle
-2,3 ~ [-2,3]
\frac12 ~ \sin 30^\circ
9 ~ 9\text{ thousand}
9\pi ~ 9\pi\text{ or more}
2 ~ 2\text{ pi}
12\sqrt{13}\text{ feet} ~ 12\sqrt{13}\text{ inches}
\frac{3}{x} ~ \frac{3}{x}, x\neq 0
\frac{41\pi}{4} ~ 10\frac14\pi
0.56 = 56\% ~ 0.56
\frac13 ~ 0.333\ldots
21/2 ~ 2 1/2 \text{ or so}
0.5 ~ 50\%
\frac{3}{4} ~ 75\%
4 ~ 4\sqrt(2)
1/2^{99} ~ 1/2^{98}
e^{-50} ~ e^{-51}
\sqrt{2} ~ 1.41421356
12:00 ~ 1:00
40_9 ~ 40_8
40_9 ~ 36
\{2,3\} ~ (2,3)
\sqrt{1/n} ~ \frac{1}{\sqrt{n}}
\frac{\pi}{2} ~ 90^\circ
6\text{ hours} ~ 6\text{ minutes}
80\text{ cents} ~ \$0.80
\overline{CD} ~ \overline{AB}
9^{9^{9^9}} ~ 1
99999999! ~ 1
"""


def pairs(text):
    cut = [line.split(" ~ ") for line in text.strip().split("\n")]
    return [(one, other) for left, right in cut for one, other in ((left, right), (right, left))]


@pytest.mark.parametrize(("reference", "answer"), pairs(EQUAL))
def test_equal_answers_are_correct_both_ways(reference, answer):
    assert REASONS[compare(reference, answer)] == "correct"


@pytest.mark.parametrize(("reference", "answer"), pairs(DIFFERENT))
def test_different_answers_are_wrong_both_ways(reference, answer):
    assert REASONS[compare(reference, answer)] == "wrong"


@pytest.mark.parametrize(("reference", "answer"), pairs(UNDECIDED))
def test_where_a_grader_errs_there_is_no_verdict(reference, answer):
    assert REASONS[compare(reference, answer)] == "disputed"


@pytest.mark.parametrize(
    ("reference", "completion", "finish", "wanted"),
    [
        ("5", "\\boxed{5}", "stop", "same text"),
        ("5", "\\boxed{5}", "unknown", "same text"),
        ("5", "\\boxed{5}", "length", "cut off after its answer"),
        ("5", "5 and then", "length", "cut off before an answer"),
        ("5", "\\boxed{5", "length", "cut off before an answer"),
        ("5", "\\boxed{5", "unknown", "box never closed"),
        ("5", "\\boxed{5", "stop", "unclosed box"),
        ("5", "", "error", "the request failed"),
        ("5", "", "stop", "no answer"),
        ("5", "\\boxed{ }", "stop", "empty answer"),
        ("5", f"\\boxed{{{'x+' * MAX_ANSWER}}}", "stop", "answer too long"),
        ("5", "The answer is positive, being the product of two such numbers.", "stop", "unreadable answer"),
        ("-2, 3", "$\\boxed{3}$ or $\\boxed{-2}$", "stop", "equal by both graders"),
        ("3", "$\\boxed{-2}$ or $\\boxed{3}$", "stop", "right in one of several boxes"),
        ("3", "$\\boxed{3}$ or $\\boxed{-2}$", "stop", "right in one of several boxes"),
        ("4", "$\\boxed{-2}$ or $\\boxed{3}$", "stop", "different by both graders"),
        ("\\boxed{5}", "\\boxed{5.0}", "stop", "same number"),
        ("\\boxed{1}, \\boxed{9}", "\\boxed{9, 1}", "stop", "equal by both graders"),
        ("\\boxed{1}, \\boxed{9}", "\\boxed{9}", "stop", "right in one of several boxes"),
        ("\\boxed{1}, \\boxed{9}", "\\boxed{8}", "stop", "different by both graders"),
        ("\\boxed{2-b}, \\boxed{-b+2}", "\\boxed{-(b-2)}", "stop", "equal by both graders"),
        ("5", "They have 5 left, as can be seen", "stop", "only a last number"),
        ("6", "They have 5 left, as can be seen", "stop", "only a last number"),
        ("x+11", "\\boxed{x+11}, or \\boxed{11+x}", "stop", "same text"),
        ("18", "\\boxed{20}. Wait, the answer is 18.", "stop", "another number follows"),
        ("20", "\\boxed{20}. Wait, the answer is 18.", "stop", "another number follows"),
        ("19", "\\boxed{20}. Wait, the answer is 18.", "stop", "another number"),
        ("18", "Answer: There are 18 ways.", "stop", "same number"),
        ("-3, 5", "The solutions are $x = \\boxed{5}$ and $x = \\boxed{-3}$.", "stop", "equal by both graders"),
        ("3", "$x = \\boxed{-2}$ or $x = \\boxed{3}$.", "stop", "right in one of several boxes"),
        ("\\frac34", "$\\boxed{\\frac34}$, i.e. $\\boxed{75\\%}$", "stop", "right in one of several boxes"),
        ("21/2", "\\boxed{2 1/2}", "stop", "another number"),
        ("1=2", "\\boxed{3=5}", "stop", "math-verify: equal; ours: cannot read it"),
    ],
)
def test_reasons(reference, completion, finish, wanted):
    verdict = grade(reference, completion, finish)
    assert (verdict.grade, verdict.reason) == (REASONS[wanted], wanted)


@pytest.mark.parametrize(
    ("completion", "wanted"),
    [("#### 18.00", "correct"), ("A: 18 eggs", "correct"), ("The final answer is $1800$.", "wrong"),
     ("\\boxed{17}", "wrong"), ("\\boxed{many}", "no_answer"), ("\\boxed{18 or 19}", "no_answer")],
)  # fmt: skip
def test_references_that_are_plain_numbers(completion, wanted):
    assert grade("18", completion, "stop", plain_only=True).grade == wanted


def test_what_no_grader_should_compute_is_not_given_to_one():
    for bomb in (
        "9^{9^{9^9}}",
        "99999999!",
        "10^{10^{10}}",
        "(" * 900 + "x" + ")" * 900,
        "{" * 900,
        "x^{" * 300 + "}" * 300,
    ):
        begin = time.monotonic()
        assert compare("x+1", bomb) == "too large to compute"
        assert time.monotonic() - begin < 3


def test_a_pair_that_takes_for_ever_is_ended_by_its_cpu_time_and_disputed():
    begin = time.monotonic()
    assert compare("1", r"\sum_{n=1}^{100000000} n^n") == "graders over their limit"
    assert time.monotonic() - begin < 20
    assert compare("x+1", "1+x") == "equal by both graders"


def test_a_worker_killed_from_outside_costs_nothing():
    pool = math_answers._pool()
    compare("x+1", "1+x")
    busy = threading.Timer(0.5, lambda: [os.kill(pid, signal.SIGKILL) for pid in workers(pool)])
    busy.start()
    assert compare("1", r"\sum_{n=1}^{100000000} n^n") == "graders over their limit"
    busy.join()


def test_a_worker_killed_from_outside_twice_is_an_error_of_that_pair_only():
    pool = math_answers._pool()
    done = threading.Event()

    def kill_them_all():
        while not done.wait(0.2):
            for pid in workers(pool):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_them_all)
    killer.start()
    verdict = grade("1", r"\boxed{\sum_{n=1}^{100000000} n^n}", "stop")
    done.set()
    killer.join()
    assert (verdict.grade, verdict.reason) == ("error", "the graders failed")
    assert compare("x+1", "1+x") == "equal by both graders"


def test_a_worker_has_no_more_memory_than_its_limit():
    source = (
        "from wrongcot_data.graders import math_worker\n"
        "def greedy(reference, answer):\n"
        '    return ("equal", str(len(bytearray(int(answer)))))\n'
        "math_worker.opinions = greedy\n"
        "math_worker.main()"
    )
    command = [sys.executable, "-c", source]
    pool = WorkerPool(lambda: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE), 1)
    told = [json.loads(pool.ask(json.dumps(["", str(size)]).encode(), 60).reply) for size in (MEMORY, 1000)]
    assert told == [["none", "none"], ["equal", "1000"]]
    pool.close()


def workers(pool):
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            parent = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
            if parent == os.getpid() and b"graders.math_worker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def test_many_threads_get_their_own_verdicts():
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda n: compare(f"x+{n}", f"{n + n % 2}+x"), range(60)))
    assert told == [("different" if n % 2 else "equal") + " by both graders" for n in range(60)]


def test_every_reason_has_a_grade_and_grades_are_known():
    assert set(REASONS.values()) <= set(GRADES)


PIECES = ["\\boxed{", "}", "{", "\\frac", "\\sqrt", "^", "_", "(", ")", "[", "]", ",", "=", "<", "1", "9", "x", "e", "i", "!",
          "|", "\\pi", "\\infty", "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "\\text{", " ", "\n", "$", "\0", "\ud800",
          "\\pm", "\\cup", "-", "+", "/", "%", "\\le", "or", "#### ", "The answer is ", "é", "٣", "\\left", "\\"]  # fmt: skip


def hostile(rng):
    """A completion that nobody should write: pieces of LaTeX in any order, or random bytes, now and then boxed."""
    if rng.random() < 0.2:
        text = rng.randbytes(rng.randrange(200)).decode(errors="replace")
    else:
        text = "".join(rng.choice(PIECES) * rng.choice([1, 1, 1, 2, 50]) for _ in range(rng.randrange(1, 25)))
    return f"\\boxed{{{text}}}" if rng.random() < 0.5 else text


def fuzz(number, seed=0):
    """Grade hostile completions; returns the slowest time and the reasons seen. Raises where a verdict is none."""
    rng, slowest, seen = Random(seed), 0.0, {}
    for _ in range(number):
        text = hostile(rng)
        begin = time.monotonic()
        verdict = grade("x^2+\\frac{1}{2}", text, "stop", plain_only=rng.random() < 0.2)
        slowest = max(slowest, time.monotonic() - begin)
        assert REASONS[verdict.reason] == verdict.grade
        seen[verdict.reason] = seen.get(verdict.reason, 0) + 1
    return slowest, seen


def test_hostile_completions_each_get_a_verdict():
    _, seen = fuzz(150)
    assert "the graders failed" not in seen


@settings(max_examples=30, deadline=None)
@given(st.text(), st.text())
def test_grading_never_raises(reference, completion):
    verdict = grade(reference, completion, "stop")
    assert REASONS[verdict.reason] == verdict.grade

"""The program of a reply: which text it is, and where."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders.programs import find_program

F = "def f(x):\n    return x"


@pytest.mark.parametrize(
    ("reply", "text", "how"),
    [
        (F, F, "raw"),
        (f"{F}\n", F, "raw"),
        (f"Here it is:\n\n{F}\n\nIt returns its argument.", F, "raw"),
        (f"LIMIT = 3\n{F}", f"LIMIT = 3\n{F}", "raw"),
        (f"import math\n\n{F}", f"import math\n\n{F}", "raw"),
        ("f = lambda x: x", "f = lambda x: x", "raw"),
        (f"```python\n{F}\n```", F, "fenced"),
        (f"```\n{F}\n```", F, "fenced"),
        (f"~~~py\n{F}\n~~~", F, "fenced"),
        (f"So:\n```python\n{F}\n```\nUse:\n```python\nprint(f(1))\n```", F, "fenced"),
        (f"```python\ndef f(x): pass\n```\nBetter:\n```python\n{F}\n```", F, "fenced"),
        (f"```bash\npip install x\n```\n```python\n{F}\n```", F, "fenced"),
        (f"```python\n{F}", F, "fenced"),
        (f"[BEGIN]\n{F}\n[DONE]", F, "marked"),
        (f"<code>{F}</code>", F, "marked"),
    ],
)
def test_which_text_is_the_program(reply, text, how):
    found = find_program(reply)
    assert found is not None
    assert (found.text.strip(), found.how) == (text, how)
    assert reply[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "reply", ["", "I cannot.", "The answer is 5.", "```bash\nls\n```", "```python\n```", "def", "import"]
)
def test_a_reply_without_a_program_has_none(reply):
    assert find_program(reply) is None


@given(st.text(alphabet="`~\n defxpython:()=[]<>", max_size=80))
def test_any_text_gives_an_exact_span_or_none(reply):
    found = find_program(reply)
    assert found is None or reply[found.start : found.end] == found.text


def test_ten_megabytes_take_a_moment():
    start = time.process_time()
    for reply in ("x" * 10_000_000, "```\n" * 2_000_000, "def f():\n" * 1_000_000, "\n" * 10_000_000):
        find_program(reply)
    assert time.process_time() - start < 60

"""Steps of programs: statements with exact offsets; prose around them with its equations checked."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.steps.programs import program_steps, reply_steps

PROGRAM = "import math\n\n@cache\ndef f(a):\n    if a:\n        return 'é'\n    y = 2\n    return y\n"


def test_a_step_is_a_head_or_a_statement():
    steps = program_steps(PROGRAM)
    assert [step.text for step in steps] == [
        "import math", "@cache\ndef f(a):", "if a:", "return 'é'", "y = 2", "return y",
    ]  # fmt: skip
    assert {step.verdict for step in steps} == {"unchecked"}


def test_no_part_of_a_statement_that_holds_others_is_lost():
    program = (
        "try:\n    a = 1\nexcept ValueError:\n    # so what\n    a = 2\nelse:\n    a = 3\nfinally:\n    b = a\n"
        "match a:\n    case 1:\n        c = 1\n    case _:\n        c = 2\n"
        "if a:\n    d = 1\nelif b: d = 2\nelse:\n    d = 3"
    )
    assert [step.text for step in program_steps(program)] == [
        "try:", "a = 1", "except ValueError:\n    # so what", "a = 2", "else:", "a = 3", "finally:", "b = a",
        "match a:\n    case 1:", "c = 1", "case _:", "c = 2",
        "if a:", "d = 1", "elif b: d = 2\nelse:\n    d = 3",
    ]  # fmt: skip


def test_the_line_of_a_syntax_error_is_invalid():
    steps = program_steps("x = 1\ndef f(:\n    return x")
    assert [(step.text, step.verdict, step.kind) for step in steps] == [
        ("x = 1", "unchecked", ""), ("def f(:", "invalid", "syntax error"), ("return x", "unchecked", ""),
    ]  # fmt: skip


def test_prose_around_a_program_has_its_equations_checked():
    reply = f"First 2 + 3 = 6.\n```python\n{PROGRAM}```\nAnd 2 + 3 = 5."
    start = reply.index("import")
    steps = reply_steps(reply, (start, start + len(PROGRAM)))
    assert [step.verdict for step in steps if "2 + 3" in step.text] == ["invalid", "valid"]
    assert "y = 2" in [step.text for step in steps]
    assert all(reply[step.start : step.end] == step.text for step in steps)


@given(st.text(max_size=200), st.integers(0, 200), st.integers(0, 200))
def test_any_text_gives_exact_ordered_steps(text, start, end):
    start, end = sorted((min(start, len(text)), min(end, len(text))))
    steps = reply_steps(text, (start, end))
    assert all(text[step.start : step.end] == step.text for step in steps)
    assert all(a.end <= b.start for a, b in pairwise(steps))

"""The program of a reply: which text it is, and where."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders.programs import dedented, find_program

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
        (f"[BEGIN]\n{F}", F, "marked"),
        (f"```python\r\n{F}\r\n```\r\nDone.", F, "fenced"),
        (f"```python\n{F}```\nDone.", F, "fenced"),
        (f"```Python3.11\n{F}\n```", F, "fenced"),
        (f"1. Like this:\n      ```py\n{F}\n      ```\n   so.", F, "fenced"),
        (f"````md\n```\nno\n```\n````\n```\n{F}\n```", F, "fenced"),
        (f"```js\nfunction f(x) {{}}\n```\n{F}", F, "raw"),
        (f"{F}\n\nOutput:\n```\n5\n```", F, "raw"),
        (f"```\n\n```\n{F}", F, "raw"),
        (f" {F}", F, "raw"),
        (f"python\n{F}", F, "raw"),
        (f"print('a')\n{F}\nSo it is.", f"print('a')\n{F}", "raw"),
        (
            f"try:\n    import a\nexcept ImportError:\n    a = 0\n{F}",
            f"try:\n    import a\nexcept ImportError:\n    a = 0\n{F}",
            "raw",
        ),
        (f'"""Of f."""\n{F}', f'"""Of f."""\n{F}', "raw"),
        (f"Solution: this\n{F}", F, "raw"),
        (f"{F}\nf(3)\nDone", f"{F}\nf(3)", "raw"),
        (f"x = the answer\n{F}", F, "raw"),
        (f"LIMIT = 3\n{F}\nIt's (nearly", f"LIMIT = 3\n{F}", "raw"),
        (f"{F}\n\n" + "It's a line of prose.\n" * 100, F, "raw"),
        (f"{F}\n\nclass of its own, import as you like, def.", F, "raw"),
        ("def f(x)\n    return x", "def f(x)\n    return x", "raw"),
        ("    def f(x):\n        return x", "def f(x):\n        return x", "raw"),
    ],
)
def test_which_text_is_the_program(reply, text, how):
    found = find_program(reply)
    assert found is not None
    assert (found.text.strip(), found.how) == (text, how)
    assert reply[found.start : found.end] == found.text


TABLE = "T = {\n    1: 9,\n}\n\n"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        # a mark or a remark below that happens to be Python is none of it
        *[
            (f"{F}\n{line}", F)
            for line in (
                "[DONE]",
                "[DONE]\n\nMore [BEGIN]",
                "[/PYTHON]",
                "[Explanation]\nIt works.",
                "{end}",
                "-end",
                "not bad",
                "this and that",
                "<|im_end|>",
                "<end_of_turn>\nmore",
            )
        ],
        (f"{F}<|im_end|>", F),
        (f"{F}<|im_end|>\n<|im_start|>user\nhi", F),
        (f"```python\n{F}<|im_end|>", F),
        # what stands above the first definition belongs to it, prose does not
        (f"Here:\n\n{TABLE}{F}\n\nIt works.", f"{TABLE}{F}"),
        (f"Here:\nT: dict = {{1: 2}}\n{F}\nIt works.", f"T: dict = {{1: 2}}\n{F}"),
        (f"Here:\nA, B = 3, 9\n{F}\nIt works.", f"A, B = 3, 9\n{F}"),
        (f"Here:\nfor i in T:\n    i += 1\n\n{F}\nIt's so.", f"for i in T:\n    i += 1\n\n{F}"),
        (
            f"Here it is:\ntry:\n    import a\nexcept ImportError:\n    a = 0\n{F}\nIt's so.",
            f"try:\n    import a\nexcept ImportError:\n    a = 0\n{F}",
        ),
        # the better version comes last, and a stub is none
        (f"def f(x):\n    return 0\n\nWait, this is wrong. Correct:\n\n{F}\n\nSo it is.", F),
        (f"```python\n{F}\n```\nThe signature:\n```python\ndef f(x): ...\n```", F),
        (f"```python\n{F}\n```\nThe signature:\n```python\ndef f(x):\n    'Of f.'\n    pass\n```", F),
        (f"```python\n{F}\n```\nThe signature:\n```python\ndef f(x):\n```", F),
        ("```python\ndef f(x):\n    pass\n```", "def f(x):\n    pass"),
        # a name may be bound by an assignment
        *[
            (f"```python\n{block}\n```\nA test:\n```python\ndef test():\n    assert f(3) == 9\n```", block)
            for block in ("f = partial(pow, exp=2)", "def g(x): return x\nf = g", "f: Callable = lambda x: x")
        ],
        ("```tool_code\ndef f(x): return x\n```", "def f(x): return x"),
    ],
)
def test_what_stands_around_a_program_is_told_from_it(reply, text):
    found = find_program(reply, {"f"})
    assert found is not None
    assert found.text.strip() == text
    assert reply[found.start : found.end] == found.text


USES_G = "def f(x):\n    return g(x)"


@pytest.mark.parametrize(
    ("reply", "support"),
    [
        (f"```\ndef g(x):\n    return x\n```\nThen:\n```\n{USES_G}\n```", "def g(x):\n    return x"),
        (f"```\n{USES_G}\n```\nThe helper:\n```\ndef g(x):\n    return x\n```", "def g(x):\n    return x"),
        (f"```\nfrom math import floor as g\n```\nThen:\n```\n{USES_G}\n```", "from math import floor as g"),
        (f"```\ng = h\n```\n```\ndef h(x): return x\n```\n```\n{USES_G}\n```", "g = h\ndef h(x):\n    return x"),
        (f"```\ng = 1\n```\n```\ng = 2\n```\n```\n{USES_G}\n```", "g = 2"),
        (f"def g(x):\n    return x\n\nNow for the main function:\n\n{USES_G}", "def g(x):\n    return x"),
        (f"{USES_G}\n\nwith the helper:\n\ndef g(x):\n    return x", "def g(x):\n    return x"),
        # nothing is taken that is not needed, and nothing is run that is shown for its use
        (f"```\nimport os\nprint(f(1))\n```\n```\n{F}\n```", ""),
        (f"```\n{USES_G}\n```\n```\ng(input())\n```", ""),
        (f"```\ng = 1\n```\n```\nfrom __future__ import annotations\n{USES_G}\n```", ""),
        (f"```\ng = 1\n```\n```\ndef g(x): pass\n{USES_G}\n```", ""),
    ],
)
def test_helpers_and_imports_of_other_blocks_run_first_where_a_program_needs_them(reply, support):
    found = find_program(reply, {"f"})
    assert found is not None
    assert found.support == support
    assert found.source == "\n".join([support, found.text] if support else [found.text])


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("def f():\n    return '''a\n   \nb'''", "def f():\n    return '''a\n   \nb'''"),
        ("  def f(x):\n\n      return x", "def f(x):\n\n    return x"),
        ("\n  S = '''\nb'''\n  T = 1", "\nS = '''\nb'''\nT = 1"),
        ("\tdef f(x):\n\t\treturn x", "def f(x):\n\treturn x"),
    ],
)
def test_only_the_indentation_of_the_whole_is_taken_away(text, plain):
    assert dedented(text) == plain


@pytest.mark.parametrize(
    "reply",
    [
        *("", "I cannot.", "The answer is 5.", "```bash\nls\n```", "```python\n```", "def", "import", "<code></code>"),
        *("import the module and go on", "def is a word", "class A is best", "@", "[BEGIN]\n[DONE]"),
    ],
)
def test_a_reply_without_a_program_has_none(reply):
    assert find_program(reply) is None


def test_the_block_that_defines_what_the_tests_call_is_the_program():
    reply = f"```python\n{F}\n```\nA test:\n```python\ndef test_f():\n    assert f(1) == 1\n```"
    found = find_program(reply, {"f"})
    assert found is not None
    assert found.text == F
    unnamed = find_program(reply)
    assert unnamed is not None
    assert unnamed.text.startswith("def test_f")


@pytest.mark.parametrize(
    ("reply", "closed"),
    [
        (f"```\n{F}\n```", True),
        (f"```\n{F}```", True),
        (f"```\n{F}", False),
        (f"[BEGIN]{F}[DONE]", True),
        (f"[BEGIN]{F}", False),
        (F, False),
    ],
)
def test_whether_a_mark_says_that_the_program_has_ended(reply, closed):
    found = find_program(reply)
    assert found is not None
    assert found.closed == closed


@given(st.text(alphabet="`~\n defxpython:()=[]<>", max_size=80))
def test_any_text_gives_an_exact_span_or_none(reply):
    found = find_program(reply)
    assert found is None or reply[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "reply",
    [
        "x" * 10_000_000,
        "```\n" * 300_000,
        "def f():\n" * 1_000_000,
        "\n" * 10_000_000,
        " " * 3_000_000 + "def",
        "[BEGIN]" * 1_000_000,
        "def f(x): return x\n" + "a" * 10_000_000,
        "``` " * 2_000_000,
        "Here:\n" + "x = [\n" * 10_000 + F,
        "x = 1\n" * 15_000 + "It's so.\n" + F,
        f"{F}\nIt's so.\n" * 20_000,
        "import a\nIt's so.\n" * 20_000,
        "def f(x)\n" * 30_000,
        "```\ndef f(x): ...\n```\n" * 10_000,
        "```\ng = f(h)\n```\n" * 10_000 + "```\ndef f(x): return g(x)\n```",
        "x = " * 2_000_000,
        f"{F}\n" + "(\n" * 40_000,
        f"{F}\n" + "It's so.\n" * 10_000,
        "def f(): return " + "(" * 90_000,
        "def f(): return " + "-" * 90_000 + "1",
        "def f(): return " + "lambda:" * 12_000 + "1",
        "def f(): return x" + ".a" * 45_000,
        "def f(): return x" + "()" * 45_000,
        "def f(): return " + "{1:" * 190 + "1",
        "def f():\n" + "".join(" " * n + "if x:\n" for n in range(1, 99)),
        "def f(): pass\nif x: pass\n" + "elif x: pass\n" * 7_000,
        "def f(): return " + "1+" * 45_000 + "1",
        "def f(): return " + "9**" * 30_000 + "9",
        "def f(): return f'" + "{f'" * 150,
    ],
    ids=lambda reply: reply[:30] + reply[-8:],
)
def test_hostile_replies_take_a_moment(reply):
    start = time.process_time()
    find_program(reply, {"f"})
    assert time.process_time() - start < 10

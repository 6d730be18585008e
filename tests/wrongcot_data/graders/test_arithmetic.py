"""The arithmetic grammar against Python's own parser, and what it must refuse."""

import ast
import operator
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders.arithmetic import MAX_DEPTH, MAX_DIGITS, MAX_LENGTH, evaluate, normalise

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def python_value(text):
    """An independent evaluation: Python's parser, exact fractions. Raises where Python refuses or divides by zero."""

    def value(node):
        match node:
            case ast.Constant(value=int() as number):
                return Fraction(number)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
                return -value(operand) if isinstance(sign, ast.USub) else value(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
        raise SyntaxError(ast.dump(node))

    return value(ast.parse(text.strip(), mode="eval").body)


def expressions():
    numbers = st.integers(0, 999).map(str)
    return st.recursive(
        numbers,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" + ", "-", " * ", "/", "+", " - "]), inner).map("".join),
            inner.map("({})".format),
            inner.map("-{}".format),
        ),
        max_leaves=12,
    )


@given(expressions())
def test_every_expression_has_the_value_that_python_and_fractions_give(text):
    read = evaluate(text)
    try:
        expected = python_value(text)
    except ZeroDivisionError:
        assert read.fault == "division by zero"
    else:
        assert not read.fault
        assert read.value == expected
    written = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    assert sorted(read.numbers) == sorted(written)


@given(st.text(alphabet="123456789+-*/() ", max_size=14))
def test_what_is_accepted_is_what_python_accepts(text):
    read = evaluate(text)
    try:
        expected = python_value(text)
    except ZeroDivisionError:
        assert read.fault in {"division by zero", "unparsable"}
    except SyntaxError:
        assert read.fault
    else:
        assert not read.fault
        assert read.value == expected


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))))
def test_no_text_raises(text):
    plain, _ = normalise(text)
    evaluate(plain)
    evaluate(plain, decimals=True)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "(" * 10_000 + "1" + ")" * 10_000,
        "-" * 10_000 + "1",
        "1+" * 500_000 + "1",
        "1" * 1_000_000,
        "\0",
        "9" * 900 + "!",
        "\\frac{" * 160,
        "\\boxed{{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}{a}",
    ],
    ids=lambda text: f"{text[:12]!r}x{len(text)}",
)
def test_hostile_texts_are_refused_quickly(text):
    plain, _ = normalise(text)
    assert evaluate(plain).fault == "unparsable" or text.endswith("!")


def test_the_bounds_are_where_they_say():
    assert evaluate("(" * MAX_DEPTH + "7" + ")" * MAX_DEPTH).value == 7
    assert evaluate("(" * (MAX_DEPTH + 1) + "7" + ")" * (MAX_DEPTH + 1)).fault == "unparsable"
    assert evaluate("9" * MAX_DIGITS).value == 10**MAX_DIGITS - 1
    assert evaluate("9" * (MAX_DIGITS + 1)).fault == "unparsable"
    assert evaluate("1" + " " * (MAX_LENGTH - 1)).value == 1
    assert evaluate("1" + " " * MAX_LENGTH).fault == "unparsable"


@pytest.mark.parametrize(
    "text",
    [
        "2**3",
        "2^3",
        "7//2",
        "7%2",
        "7 % 2",
        "50%",
        "3!",
        "3!+4!",
        "sqrt(16)+3",
        "sqrt 16",
        "max(3, 4)",
        "7 mod 2",
        "√16",
        "2²",
        "25*4+floor(pi)",
        "9**9**9**9",
        "-3!",
        "2**-3",
        "abs(-3)",
    ],
)
def test_other_operations_are_named_and_never_computed(text):
    assert evaluate(text).fault == "illegal operation"


@pytest.mark.parametrize("text", ["2.5*10", ".5", "3.", "1e2+3", "1E-2", "0x64+3", "0X64", "1_00+3", "pi", "2*e"])
def test_other_numbers_are_named(text):
    assert evaluate(text).fault == "illegal number"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "3 4",
        "3 +",
        "* 3",
        "()",
        "(3)(4)",
        "2(3)",
        "3, 4",
        "(3, 4)",
        "3 = 3",
        "a + b",
        "seven",
        "3 +* 4",
        ")(",
        "__import__('os').system('true')",
        "3 or 4",
        "0x67 # 25 4",
        "2 ** ** 3",
        "1/0)",
        "٣ + 4",
        "３+4",
        "!3",
        "sqrt",
        "...",
    ],
)
def test_what_is_no_expression_is_unparsable(text):
    assert evaluate(text).fault == "unparsable"


def test_decimals_are_read_exactly_when_asked_for():
    assert evaluate("2.5 * 3", decimals=True).value == Fraction(15, 2)
    assert evaluate("0.1 + 0.2", decimals=True).value == Fraction(3, 10)
    assert evaluate("1e2", decimals=True).fault == "illegal number"


@pytest.mark.parametrize(
    ("text", "plain", "kinds"),
    [
        ("3 + 4", "3 + 4", ""),
        (" (3+4)*2 ", "(3+4)*2", ""),
        ("3 × 4 ÷ 2 − 1", "3 * 4 / 2 - 1", "unicode"),
        ("3 · 4 ∗ 5 ∕ 2 – 1", "3 * 4 * 5 / 2 - 1", "unicode"),
        ("3\u2009+\u202f4", "3 + 4", "unicode"),
        (r"$3 \times 4$", "3 * 4", "latex"),
        (r"\(3 \cdot 4 \div 2\)", "3 * 4 / 2", "latex"),
        (r"\[ \left( 3 + 4 \right) \]", "( 3 + 4  )", "latex"),
        (r"\frac{3 + 4}{\dfrac{1}{2}}", "((3 + 4)/(((1)/(2))))", "latex"),
        (r"\boxed{3 + 4 = 7}", "3 + 4 = 7", "latex"),
        (r"$\boxed{\frac{3}{4}}$", "((3)/(4))", "latex"),
        (r"3\,+\,4", "3 + 4", "latex"),
        ("[3 + 4] * {2}", "(3 + 4) * (2)", "brackets"),
        ("3 x 4", "3 * 4", "x"),
        ("(3)X(4)", "(3)*(4)", "x"),
        ("10x5", "10*5", "x"),
        ("0x64", "0x64", ""),
        ("x + 3", "x + 3", ""),
        ("6 = 2 x + 4", "6 = 2 x + 4", ""),
        ("3 x 4 × $5$", "3 * 4 *  5", "unicode+latex+x"),
    ],
)
def test_what_people_write_becomes_plain_syntax(text, plain, kinds):
    assert normalise(text) == (plain, kinds)


@given(expressions(), st.randoms(use_true_random=False))
def test_normalising_keeps_the_value(text, rng: random.Random):
    ways = {"*": ["*", "×", r"\times ", r"\cdot "], "/": ["/", "÷", r"\div "], "-": ["-", "−", "–"]}
    dressed = "".join(rng.choice(ways.get(sign, [sign])) for sign in text)
    plain, _ = normalise(dressed)
    assert evaluate(plain)[:3] == evaluate(text)[:3]

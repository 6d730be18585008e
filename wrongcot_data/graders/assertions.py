"""A test taken apart: the calls that the candidate must answer, and what is judged of their values outside.

`assert set(shared([1, 2], [2, 3])) == set([2])` becomes the call `[*shared([1, 2], [2, 3])]`, which goes into the
sandbox, and the judgement `set(value_0_0) == set([2])`, which never does.

A name is the candidate's if it is no builtin, no module of the standard library and nothing that the setup binds. What
the setup binds without the program is judged with outside; what it makes of the program stays inside.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from wrongcot_data.graders.setups import (
    BUILTINS,
    MODULES,
    Setup,
    closure,
    fault_outside,
    for_the_judge,
    for_the_program,
    parse,
    read_setup,
)
from wrongcot_data.graders.substitution import Fault, Substitution, root_name
from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.graders.verdicts import why_not_outside

NOT_LITERAL = object()
"""What `literal` says of a source that is none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One assertion taken apart.

    Attributes:
        calls: expressions for the sandbox, in the order in which they are evaluated.
        names: the name in `expression` that stands for the value of each call.
        expression: what must be true of the values.
        expected: where the assertion is `CALL == LITERAL`, the literal's source; empty otherwise.
        asks_truth: whether it asks no more of one value than whether it is true, or None.
        skippable: which of the calls the assertion may not evaluate, such as the second of `f(1) or f(2)`.
        fault: why it cannot be judged outside; empty where it can.
    """

    calls: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    expression: str = ""
    expected: str = ""
    asks_truth: bool = False
    skippable: tuple[int, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests of a problem.

    Attributes:
        setup: what runs beside the program: all of the setup but what only the judge needs.
        setup_alone: whether it needs nothing of the program, so that a failure of it is not the program's.
        judge_source: what a judge must run first.
        wanted: names of the program that the tests call.
    """

    judgements: tuple[Judgement, ...]
    setup: str
    setup_alone: bool
    judge_source: str
    wanted: frozenset[str]


@lru_cache(maxsize=2**12)
def read_tests(tests: tuple[str, ...], setup: str) -> Suite:
    """Take the tests of a problem apart. Never raises: what cannot be judged says why.

    Args:
        setup: code that runs after the program, before the tests.
    """
    read = read_setup(setup)
    if read.fault:
        return Suite(tuple(Judgement(fault=read.fault) for _ in tests), "", True, "", frozenset())
    wanted: set[str] = set()
    judgements = tuple(_judgement(test, number, read, wanted) for number, test in enumerate(tests))
    judged = _used(one.expression for one in judgements if one.expression)
    called = _used(call for one in judgements for call in one.calls)
    inside, alone, seen = for_the_program(read, judged, called)
    bound = _bound_by(tests)
    judgements = tuple(_unseen(_unbound(one, bound), read, seen) for one in judgements)
    return Suite(judgements, inside, alone, for_the_judge(read, judged), frozenset(wanted))


def _bound_by(tests: Sequence[str]) -> frozenset[str]:
    """Names that get a meaning in tests that are no assertions, which are not run."""
    trees = [tree for test in tests if (tree := parse(test))]
    nodes = (node for tree in trees for one in tree.body if not isinstance(one, ast.Assert) for node in ast.walk(one))
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def _unbound(one: Judgement, bound: frozenset[str]) -> Judgement:
    """An assertion, or why not: it uses a name of a test that is no assertion."""
    used = _used([*one.calls, *([one.expression] if one.expression else [])]) & bound if bound else frozenset()
    return Judgement(fault=f"{min(used)} gets its meaning in a test that is no assertion") if used else one


def _unseen(one: Judgement, setup: Setup, seen: frozenset[str]) -> Judgement:
    """An assertion, or why not: what it expects would be seen by the program, or changed."""
    shared = closure(setup, _used([one.expression] if one.expression else [])) & seen
    return Judgement(fault=f"the program can see or change {min(shared)}") if shared else one


def _used(sources: Iterable[str]) -> frozenset[str]:
    trees = (ast.walk(syntax_tree(source)) for source in sources)
    return frozenset(node.id for tree in trees for node in tree if isinstance(node, ast.Name))


def _judgement(test: str, number: int, setup: Setup, wanted: set[str]) -> Judgement:
    tree = parse(test)
    if tree is None:
        return Judgement(fault="it is no Python")
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Assert):
        return Judgement(fault="it is not one assertion")
    expression = tree.body[0].test
    try:
        if isinstance(expression, ast.Tuple | ast.Constant):
            raise Fault("it does not depend on the program")  # `assert (f(1) == 2, "message")` always holds
        outside = (BUILTINS | setup.alone) - setup.beside
        finder = Substitution(expression, outside, setup, f"value_{number}_")
        judged = finder.visit(expression)
        if not finder.calls:  # MBPP has functions called `sum` and `max`: then the first call is the candidate's
            expression = syntax_tree(test).body[0].test  # type: ignore[attr-defined]
            named = _first_called(expression, setup.alone | MODULES)
            finder = Substitution(expression, outside - named, setup, f"value_{number}_")
            judged = finder.visit(expression)
        if not finder.calls:
            raise Fault("it calls nothing of the program")
        if finder.asks_beside and len(finder.calls) > 1:
            raise Fault("what it expects would come from beside the program")
        _check_left(judged, BUILTINS | MODULES | setup.alone | set(finder.names))
        why_not = why_not_outside(judged) or fault_outside(setup, _used([ast.unparse(judged)]))
        if why_not:
            raise Fault(why_not)
    except Fault as fault:
        return Judgement(fault=str(fault))
    except RecursionError:
        return Judgement(fault="it is nested too deep")
    wanted |= finder.wanted
    return Judgement(
        tuple(finder.calls),
        tuple(finder.names),
        ast.unparse(judged),
        _expected(judged, finder.names),
        _asks_truth(judged),
        tuple(finder.skippable),
    )


def _first_called(node: ast.expr, passed: frozenset[str]) -> frozenset[str]:
    """The name of the leftmost outermost call that is not one of `passed`; empty where there is none."""
    while True:
        if isinstance(node, ast.Call):
            root = root_name(node)
            if root not in passed or not node.args:
                return frozenset({root or ""})
            node = node.args[0]
        elif isinstance(node, ast.Compare | ast.BinOp):
            node = node.left
        elif isinstance(node, ast.UnaryOp):
            node = node.operand
        elif isinstance(node, ast.BoolOp):
            node = node.values[0]
        elif isinstance(node, ast.Subscript | ast.Attribute):
            node = node.value
        else:
            return frozenset()


def _check_left(expression: ast.expr, known: frozenset[str] | set[str]) -> None:
    """See that what is left can stand alone.

    Raises:
        Fault: a name is left that only the sandbox knows, or something that is no expression by itself.
    """
    bound = set()
    for node in ast.walk(expression):
        if isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom):
            raise Fault("it is more than an expression")
        if isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
    for node in ast.walk(expression):
        if isinstance(node, ast.Name) and node.id not in known and node.id not in bound:
            raise Fault(f"it compares with {node.id}, which only the program's side knows")


def _expected(expression: ast.expr, names: Sequence[str]) -> str:
    """The literal of `VALUE == LITERAL`; empty for any other shape."""
    if not (isinstance(expression, ast.Compare) and len(expression.ops) == 1 and isinstance(expression.ops[0], ast.Eq)):
        return ""
    left, right = expression.left, expression.comparators[0]
    if not (isinstance(left, ast.Name) and [left.id] == list(names)):
        return ""
    source = ast.unparse(right)
    return "" if literal(source) is NOT_LITERAL else source


def _asks_truth(expression: ast.expr) -> bool:
    while isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.Not):
        expression = expression.operand
    if isinstance(expression, ast.Compare) and len(expression.ops) == 1:
        (op,), (side,) = expression.ops, expression.comparators
        if isinstance(op, ast.Is | ast.IsNot) and isinstance(side, ast.Constant):
            expression = expression.left
    return isinstance(expression, ast.Name)


@lru_cache(maxsize=2**12)
def literal(source: str) -> object:
    """The value of a literal's source, or `NOT_LITERAL` where it is none."""
    try:
        (statement,) = syntax_tree(source).body
        return ast.literal_eval(statement.value) if isinstance(statement, ast.Expr) else NOT_LITERAL
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return NOT_LITERAL

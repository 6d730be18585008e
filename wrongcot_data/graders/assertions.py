"""A test taken apart: the calls that the candidate must answer, and what is judged of their values outside.

`assert set(shared([1, 2], [2, 3])) == set([2])` becomes the call `shared([1, 2], [2, 3])`, which goes into the sandbox,
and the judgement `set(value_0_0) == set([2])`, which never does.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_TEST = 100_000
"""Characters of a test; a longer one is not read."""

BUILTINS = frozenset(dir(builtins))
MODULES = frozenset(sys.stdlib_module_names)

_NO_LITERAL = object()


@dataclass(frozen=True, slots=True)
class Judgement:
    """One assertion taken apart.

    Attributes:
        calls: expressions for the sandbox, in the order in which they are evaluated.
        names: the name in `expression` that stands for the value of each call.
        expression: what must be true of the values.
        expected: where the assertion is `CALL == LITERAL`, the literal's source; empty otherwise.
        fault: why it cannot be judged outside; empty where it can.
    """

    calls: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    expression: str = ""
    expected: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """All tests of a problem.

    Attributes:
        judge_source: the imports that the judgements may need, each of the standard library.
    """

    judgements: tuple[Judgement, ...]
    judge_source: str


@lru_cache(maxsize=2**12)
def read_tests(tests: tuple[str, ...], setup: str) -> Suite:
    """Take the tests of a problem apart. Never raises: what cannot be judged says why.

    Args:
        setup: code that runs after the program; its imports are known outside too, all else of it only inside.
    """
    imports = list(_imports(setup))
    imported = {name for _, names in imports for name in names}
    judgements = tuple(_judgement(test, number, imported) for number, test in enumerate(tests))
    used = {
        node.id
        for one in judgements
        if one.expression
        for node in ast.walk(ast.parse(one.expression, mode="eval"))
        if isinstance(node, ast.Name)
    }
    lines = [source for source, names in imports if used & set(names)]
    lines += [f"import {name}" for name in sorted(used & MODULES - imported)]
    return Suite(judgements, "\n".join(lines))


def _imports(setup: str) -> Iterator[tuple[str, list[str]]]:
    """The setup's imports of standard modules, each with the names that it binds."""
    tree = _parse(setup)
    for node in tree.body if tree else ():
        if isinstance(node, ast.Import) and all(alias.name.split(".")[0] in MODULES for alias in node.names):
            yield ast.unparse(node), [(alias.asname or alias.name).split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES and not node.level:
            yield ast.unparse(node), [alias.asname or alias.name for alias in node.names]


def _parse(source: str) -> ast.Module | None:
    if len(source) > MAX_TEST:
        return None
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _judgement(test: str, number: int, imported: set[str]) -> Judgement:
    tree = _parse(test)
    if tree is None:
        return Judgement(fault="it is no Python")
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Assert):
        return Judgement(fault="it is not one assertion")
    known = BUILTINS | MODULES | imported
    try:
        finder = _Substitution(known, f"value_{number}_")
        expression = finder.visit(tree.body[0].test)
        if not finder.calls:  # MBPP has functions called `sum` and `max`: then the first call is the candidate's
            finder = _Substitution(known - _first_called(tree.body[0].test), f"value_{number}_")
            expression = finder.visit(ast.parse(test).body[0].test)  # type: ignore[attr-defined]
        if not finder.calls:
            return Judgement(fault="it calls nothing of the program")
        fault = _unknown_names(expression, known | set(finder.names))
        if fault:
            return Judgement(fault=fault)
        return Judgement(
            tuple(finder.calls), tuple(finder.names), ast.unparse(expression), _expected(expression, finder.names)
        )
    except RecursionError:
        return Judgement(fault="it is nested too deep")


class _Substitution(ast.NodeTransformer):
    """Replaces each outermost call that begins with a name of the candidate's by a name for its value."""

    def __init__(self, known: frozenset[str] | set[str], prefix: str) -> None:
        self._known = known
        self._prefix = prefix
        self.calls: list[str] = []
        self.names: list[str] = []

    def visit_Call(self, node: ast.Call) -> ast.AST:
        root = _root(node)
        if root is None or root in self._known:
            return self.generic_visit(node)
        name = f"{self._prefix}{len(self.calls)}"
        self.calls.append(ast.unparse(node))
        self.names.append(name)
        return ast.Name(name, ast.Load())


def _root(node: ast.expr) -> str | None:
    """The name that a call begins with: `a` of `a(1)`, `a.b(1)`, `a(1)[0].b(2)`."""
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        else:
            return node.id if isinstance(node, ast.Name) else None


def _first_called(expression: ast.expr) -> frozenset[str]:
    """The name of the leftmost outermost call; empty where there is none."""
    node = expression
    while True:
        if isinstance(node, ast.Call):
            return frozenset({_root(node) or ""})
        if isinstance(node, ast.Compare):
            node = node.left
        elif isinstance(node, ast.UnaryOp):
            node = node.operand
        elif isinstance(node, ast.BoolOp):
            node = node.values[0]
        elif isinstance(node, ast.BinOp):
            node = node.left
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            return frozenset()


def _unknown_names(expression: ast.expr, known: frozenset[str]) -> str:
    """Why what is left cannot stand alone: a name that only the sandbox knows, or a call that uses an inner name."""
    bound = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {
        argument.arg for node in ast.walk(expression) if isinstance(node, ast.Lambda) for argument in node.args.args
    }
    if bound:
        return "it binds names of its own"  # a call within may need them
    for node in ast.walk(expression):
        if isinstance(node, ast.Name) and node.id not in known:
            return f"it compares with {node.id}, which only the program's side knows"
    return ""


def _expected(expression: ast.expr, names: Sequence[str]) -> str:
    """The literal of `VALUE == LITERAL`; empty for any other shape."""
    if not (isinstance(expression, ast.Compare) and len(expression.ops) == 1 and isinstance(expression.ops[0], ast.Eq)):
        return ""
    left, right = expression.left, expression.comparators[0]
    if not (isinstance(left, ast.Name) and [left.id] == list(names)):
        return ""
    source = ast.unparse(right)
    return "" if literal(source) is _NO_LITERAL else source


@lru_cache(maxsize=2**12)
def literal(source: str) -> object:
    """The value of a literal's source, or a mark where it is none (see `is_literal`)."""
    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return _NO_LITERAL

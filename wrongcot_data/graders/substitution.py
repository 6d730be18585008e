"""What of an assertion only the candidate's side can answer, replaced by names for its values."""

from __future__ import annotations

import ast
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from wrongcot_data.graders.setups import BUILTINS, MODULES, Setup, verdict_beside
from wrongcot_data.graders.verdicts import answers_for_itself

_PLAIN = (str, int, float, complex, bytes, bytearray, list, tuple, dict, set, frozenset, range)
_PLAIN_ATTRIBUTES: frozenset[str] = frozenset().union(
    *(dir(kind) for kind in (*_PLAIN, Decimal, Fraction, deque, Counter, OrderedDict))
)
"""What can be asked of a plain value outside; any other attribute is one of an object that stays inside."""

_ITERATE = frozenset({"list", "tuple", "set", "frozenset", "sorted", "sum", "min", "max", "any", "all"})
"""Builtins that only iterate over one argument: a list of the same elements serves them as well, and leaves the jail
where a generator or the keys of a dict cannot."""

_Chain = ast.Call | ast.Attribute | ast.Subscript
_Scope = ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Fault(Exception):
    """An assertion cannot be judged outside; the text says why."""


class Substitution(ast.NodeTransformer):
    """Replaces what only the candidate's side can answer by names for the values, in order of evaluation.

    Raises:
        Fault: a call depends on a name that the assertion itself binds, or a verdict would be made inside.
    """

    def __init__(self, test: ast.expr, outside: frozenset[str], setup: Setup, prefix: str) -> None:
        self._outside = outside
        self._setup = setup
        self._prefix = prefix
        self._skipped = {id(node) for part in _skippable(test, decides=True) for node in ast.walk(part)}
        self._truths = {id(node) for node in _truths(test)}
        self.calls: list[str] = []
        self.names: list[str] = []
        self.skippable: list[int] = []
        self.wanted: set[str] = set()
        self.asks_beside = False

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._value(node) if self._is_cut(node) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._value(node) if self._is_cut(node) else self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._value(node) if self._is_cut(node) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if self._is_cut(node):
            return self._value(node)
        of = node.func
        if isinstance(of, ast.Name) and of.id in _ITERATE and of.id in self._outside and len(node.args) == 1:
            node.args = [self._iterated(node.args[0])]
            node.keywords = [self.visit(keyword) for keyword in node.keywords]
            return node
        return self.generic_visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return self._scope(node)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return self._scope(node)

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        return self._scope(node)

    def visit_DictComp(self, node: ast.DictComp) -> ast.AST:
        return self._scope(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return self._scope(node)

    def _scope(self, node: _Scope) -> ast.AST:
        """What binds names of its own: only what a comprehension first iterates over is evaluated once, outside it."""
        if not isinstance(node, ast.Lambda):
            node.generators[0].iter = self._iterated(node.generators[0].iter)
        before = len(self.calls)
        self.generic_visit(node)
        if len(self.calls) > before:
            raise Fault("it calls the program with names of its own")
        return node

    def _iterated(self, node: ast.expr) -> ast.expr:
        visited = self.visit(node)
        if self.names and isinstance(visited, ast.Name) and visited.id == self.names[-1]:
            self.calls[-1] = f"[*{self.calls[-1]}]"  # not `list(...)`: the program may have a `list` of its own
        return visited  # type: ignore[no-any-return]

    def _value(self, node: ast.expr) -> ast.Name:
        root = root_name(node)
        assert root is not None
        decides = id(node) in self._truths
        if root in self._setup.beside:
            self.asks_beside = True
            if decides or verdict_beside(self._setup, root):
                raise Fault(f"its verdict would be made by {root}, beside the program")
        else:
            self.wanted.add(root)
            if answers_for_itself(_links(node), decides):
                raise Fault("its verdict would be made by what the program has made")
            if root in BUILTINS and not _has_literals(node):  # `all(...)` of what the assertion means to compare
                raise Fault(f"its verdict might be made by {root}")
        if self._compares_inside(node, root):
            raise Fault(f"what it compares would be compared before {root} is called")
        name = f"{self._prefix}{len(self.calls)}"
        if id(node) in self._skipped:
            self.skippable.append(len(self.calls))
        self.calls.append(ast.unparse(node))
        self.names.append(name)
        return ast.Name(name, ast.Load())

    def _compares_inside(self, node: ast.expr, root: str) -> bool:
        """Whether what is given to a call holds a value of the program against another: `f(g(1) == 2)`."""
        for part in ast.walk(node):
            if isinstance(part, ast.Compare):
                roots = {root_name(inner) for inner in ast.walk(part) if isinstance(inner, ast.Call)}
                if root in self._setup.beside or not roots <= self._outside:
                    return True
        return False

    def _is_cut(self, node: ast.expr) -> bool:
        """Whether this is the whole of what must be answered inside, neither more nor less."""
        links = _links(node)
        root = links[0]
        if not isinstance(root, ast.Name) or root.id in self._outside:
            return False
        direct = len(links) > 1 and isinstance(links[1], ast.Call)
        if root.id in MODULES and not direct and root.id not in self._setup.beside:
            return False  # `math.isclose(...)`; but `select(...)` is a function of the program
        return _cut(links, root.id in self._setup.beside) == len(links) - 1


def _links(node: ast.expr) -> list[ast.expr]:
    """`a`, `a.b`, `a.b(1)`, `a.b(1)[0]` of `a.b(1)[0]`."""
    links = [node]
    while isinstance(node, _Chain):
        node = node.func if isinstance(node, ast.Call) else node.value
        links.append(node)
    return links[::-1]


def _cut(links: Sequence[ast.expr], beside: bool) -> int:
    """How far from its root a chain is answered inside; -1 where nothing of it calls the program.

    To its first call, and on while attributes are asked for that no plain value has, or what it gave is called:
    `f(1).group()` and `f(1)(2)` need the object, `f(1).startswith("ab")` only its value. What is asked of a new object
    of a class first is the class's business.
    """
    first = next((at for at, link in enumerate(links) if isinstance(link, ast.Call)), -1)
    if first < 0:
        return len(links) - 1 if beside else -1
    end = first
    root = links[0]
    own = first + 1 if first == 1 and isinstance(root, ast.Name) and root.id[:1].isupper() else -1
    for at in range(first + 1, len(links)):
        link = links[at]
        if isinstance(link, ast.Attribute) and (at == own or link.attr not in _PLAIN_ATTRIBUTES):
            called = at + 1 < len(links) and isinstance(links[at + 1], ast.Call)
            end = at + 1 if called else at
        elif isinstance(link, ast.Call) and not isinstance(links[at - 1], ast.Attribute):
            end = at
    return end


def _has_literals(node: ast.expr) -> bool:
    """Whether all that a call is given is literal."""
    if not isinstance(node, ast.Call):
        return False
    try:
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            ast.literal_eval(part)
    except (ValueError, TypeError):
        return False
    return True


def root_name(node: ast.expr) -> str | None:
    """The name that a chain begins with: `a` of `a(1)`, `a.b(1)`, `a(1)[0].b(2)`."""
    root = _links(node)[0]
    return root.id if isinstance(root, ast.Name) else None


def _skippable(node: ast.AST, decides: bool) -> Iterator[ast.AST]:
    """The parts that may not be evaluated although the assertion holds.

    Args:
        decides: whether the assertion fails if this is false; then what `and` skips has no say any more.
    """
    if isinstance(node, ast.BoolOp):
        strict = decides and isinstance(node.op, ast.And)
        for at, value in enumerate(node.values):
            if at and not strict:
                yield value
            else:
                yield from _skippable(value, strict)
    elif isinstance(node, ast.IfExp):
        yield from _skippable(node.test, False)
        yield from (node.body, node.orelse)
    elif isinstance(node, ast.Compare):
        if not decides:
            yield from node.comparators[1:]
        for value in (node.left, *node.comparators):
            yield from _skippable(value, False)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _skippable(child, False)


def _truths(node: ast.expr) -> Iterator[ast.expr]:
    """The parts whose bare truth decides."""
    yield node
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _truths(value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield from _truths(node.operand)
    elif isinstance(node, ast.IfExp):
        for value in (node.test, node.body, node.orelse):
            yield from _truths(value)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "bool":
        for value in node.args:
            yield from _truths(value)
    elif isinstance(node, ast.Compare):  # `... is True`
        for value in (node.left, *node.comparators):
            if any(
                isinstance(side, ast.Constant) and isinstance(side.value, bool)
                for side in (node.left, *node.comparators)
            ):
                yield from _truths(value)

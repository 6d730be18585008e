"""Where a verdict might be made on the program's side, or by its own text: such an assertion cannot be judged.

An object of the program may be equal to anything, and say so to whoever asks inside. So what runs beside the program
may carry its values about, but not hold them against others.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_RUNS_TEXT = frozenset(
    {
        *("eval", "exec", "compile", "getattr", "globals", "locals", "vars", "__import__", "builtins", "importlib"),
        *("runpy", "pickle", "marshal", "shelve", "dill", "cloudpickle", "ctypes"),
    }
)
"""Builtins that make something of a name or a text, and modules that do."""
_MATCH = frozenset(dir(re.Match))
_TYPES = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type))


def why_not_outside(tree: ast.AST) -> str:
    """Why this cannot be run over copies of the program's values, away from it; empty where it can."""
    if _runs_text(tree):
        return "the judge would run what the program wrote"
    if _asks_identity(tree):
        return "it asks which object a value is"
    return ""


def _runs_text(tree: ast.AST) -> bool:
    """Whether code may be made of a value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _RUNS_TEXT:
            return True
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] in _RUNS_TEXT for alias in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _RUNS_TEXT:
            return True
    return False


def _asks_identity(tree: ast.AST) -> bool:
    """Whether it matters which object a value is: of copies no two are the same."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "id":
            return True
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for op, pair in zip(node.ops, pairwise(sides), strict=True):
                if isinstance(op, ast.Is | ast.IsNot) and not any(map(_is_one_of_a_kind, pair)):
                    return True
    return False


def _is_one_of_a_kind(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id in _TYPES)


def answers_for_itself(links: Sequence[ast.expr], decides: bool) -> bool:
    """Whether the last call of a chain may be a verdict of what the program made: `f(1).equals(2)`.

    A function's own arguments, or those of a method of a new object, are what it is asked (`Solution().is_prime(7)`);
    what is told to an object that a function returned may be what is expected of it.

    Args:
        links: `f`, `f(1)`, `f(1).equals`, `f(1).equals(2)`.
        decides: whether the bare truth of it decides the assertion.
    """
    last, root = links[-1], links[0]
    if not isinstance(last, ast.Call) or not (last.args or last.keywords):
        return False
    of_class = isinstance(root, ast.Name) and root.id[:1].isupper()
    first = next(at for at, link in enumerate(links) if isinstance(link, ast.Call))
    end = len(links) - 1
    if end == first:  # `np.allclose(f(1), 2)`, where only the program imports `np`
        calls = any(map(_has_call, [*last.args, *last.keywords]))
        return not of_class and end > 1 and (decides or calls)
    if of_class and end == first + 2 and isinstance(links[-2], ast.Attribute):
        return False
    method = links[-2]
    return decides or (isinstance(method, ast.Attribute) and method.attr not in _MATCH)


def brings_together(statement: ast.stmt, known: frozenset[str]) -> bool:
    """Whether a statement beside the program may hold a value of the program against another.

    Passing it on, calling the program with it, and asking it for a part are no such thing; an operation of ours on it
    and on something else is, and so is a branch that depends on it.

    Args:
        known: names that are not of the program's making.
    """
    return any(_is_meeting(node, known) for node in ast.walk(statement))


def _is_meeting(node: ast.AST, known: frozenset[str]) -> bool:
    match node:
        case ast.Compare() | ast.Assert() | ast.Match():
            return True
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign():
            return _is_made(node, known)
        case ast.IfExp(test=test) | ast.If(test=test) | ast.While(test=test):
            return _is_made(test, known)
        case ast.comprehension(ifs=tests):
            return any(_is_made(test, known) for test in tests)
        case ast.Subscript(value=value, slice=index):
            return _is_made(index, known) and not _is_made(value, known)
        case ast.Set(elts=parts) if len(parts) > 1:
            return any(_is_made(part, known) for part in parts)
        case ast.Dict(keys=keys):
            return any(key is not None and _is_made(key, known) for key in keys)
        case ast.Call():
            return _is_meeting_call(node, known)
    return False


def _is_meeting_call(call: ast.Call, known: frozenset[str]) -> bool:
    """Whether a call that is not of the program's own function is given a value of the program and something else."""
    of = call.func
    given: list[ast.AST] = [*call.args, *call.keywords]
    if isinstance(of, ast.Attribute):
        if _is_made(of.value, known):
            # a method of the program's own object; but neither of what a call gave, nor `self.assertEqual(f(1), 2)`
            told = any(_has_call(part) and _is_made(part, known) for part in given)
            return bool(given) and (_has_call(of.value) or (told and len(given) > 1))
        given.append(of.value)
    elif _is_made(of, known):
        return False
    return len(given) > 1 and any(_is_made(part, known) for part in given)


def _has_call(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))


def _is_made(node: ast.AST, known: frozenset[str]) -> bool:
    """Whether the program may have had a hand in this."""
    return any(name not in known for name in _loaded(node))


def _loaded(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name))

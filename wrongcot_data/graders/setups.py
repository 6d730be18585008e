"""A setup taken apart: what runs beside the program, and what an assertion may be judged with far from it.

`expected = [1, 2]` stands alone: a judge can run it where no candidate is, and what only the judge needs never enters
the candidate's process. `root = Node(3)` needs the program's `Node`: it runs beside the program, and nowhere else.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.graders.verdicts import brings_together, why_not_outside

MAX_SOURCE = 100_000
"""Characters of a setup or a test; a longer one is not read."""

BUILTINS = frozenset(dir(builtins))
MODULES = frozenset(sys.stdlib_module_names)

_LISTED = frozenset({"math", "cmath", "typing", "collections", "itertools", "functools", "heapq", "bisect", "re"})
"""Modules whose `from ... import *` is understood; importing them does nothing else."""

_Import = ast.Import | ast.ImportFrom
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Statement:
    """One top-level statement of a setup.

    Attributes:
        binds: names that it gives a meaning, or whose value it may change, as `table[1] = 2` and `table.pop()` do.
        uses: other names that it needs.
        is_import: whether it binds by importing only.
        alone: whether it needs nothing of the program, directly or through other statements.
        judges: whether a verdict might be made in it, beside the program.
        fault: why a judge may not run it over values of the program; empty where it may.
    """

    source: str
    binds: frozenset[str]
    uses: frozenset[str]
    is_import: bool = False
    alone: bool = False
    judges: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup taken apart.

    Attributes:
        alone: names that mean the same far from the program.
        beside: names that need the program.
        fault: why it cannot be taken apart; empty where it can.
    """

    source: str = ""
    statements: tuple[Statement, ...] = ()
    alone: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    fault: str = ""


def read_setup(source: str) -> Setup:
    """Take a setup apart. Never raises; nothing of it is executed."""
    tree = parse(source)
    if tree is None:
        return Setup(source, fault="the setup is no Python")
    try:
        named = [(node, *_names(node)) for node in tree.body]
        bound = frozenset(name for _, binds, _ in named for name in binds)
        statements = [
            Statement(ast.unparse(node), binds | _changed(node) & bound, uses, isinstance(node, _Import))
            for node, binds, uses in named
        ]
        known = _known(statements)
        read = tuple(
            replace(
                one,
                alone=one.uses | one.binds <= known,
                judges=not one.uses | one.binds <= known and brings_together(node, known),
                fault=why_not_outside(node),
            )
            for one, node in zip(statements, tree.body, strict=True)
        )
    except (RecursionError, LookupError):
        return Setup(source, fault="the setup is nested too deep, or imports names that are not listed")
    return Setup(source, read, bound & known, bound - known)


def _known(statements: Sequence[Statement]) -> frozenset[str]:
    """The names that need nothing of the program. One does if any statement that binds it does."""
    known = BUILTINS.union(*(one.binds for one in statements))
    bound_beside: frozenset[str] = frozenset()
    while True:
        known -= bound_beside
        needy = (one.binds for one in statements if not one.uses | one.binds <= known)
        more = bound_beside.union(*needy)
        if more == bound_beside:
            return known
        bound_beside = more


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a source; None where it is no Python, too long or too deep."""
    if len(source) > MAX_SOURCE:
        return None
    try:
        return syntax_tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def for_the_judge(setup: Setup, used: frozenset[str]) -> str:
    """What a judge must run who uses these names: the imports that bind them, or all that stands alone."""
    imports = [one for one in setup.statements if one.is_import]
    if used & setup.alone.difference(*(one.binds for one in imports)):
        lines = [one.source for one in setup.statements if one.alone]
    else:
        lines = [one.source for one in imports if one.binds & used]
    return "\n".join([*lines, *(f"import {name}" for name in sorted(used & MODULES - setup.alone))])


def for_the_program(setup: Setup, judged: frozenset[str], called: frozenset[str]) -> tuple[str, bool, frozenset[str]]:
    """What must run beside the program, without what only the judge needs.

    Args:
        judged: names that the judge uses.
        called: names that the calls use.

    Returns:
        Its source; whether all of it stands alone; and the names that stand alone and that the program can see.
    """
    needed = closure(setup, judged)
    hidden = {at for at, one in enumerate(setup.statements) if not one.is_import and one.alone and one.binds & needed}
    while True:
        used = called.union(*(one.uses for at, one in enumerate(setup.statements) if at not in hidden))
        shown = {at for at in hidden if setup.statements[at].binds & used}
        if not shown:
            break
        hidden -= shown
    kept = [one for at, one in enumerate(setup.statements) if at not in hidden]
    source = "\n".join(one.source for one in kept) if hidden else setup.source
    seen = frozenset(name for one in kept if one.alone and not one.is_import for name in one.binds)
    return source, all(one.alone for one in kept), seen


def verdict_beside(setup: Setup, name: str) -> bool:
    """Whether a verdict may be made where this name beside the program gets its meaning."""
    needed = closure(setup, frozenset({name}))
    return any(one.judges and one.binds & needed for one in setup.statements)


def fault_outside(setup: Setup, names: frozenset[str]) -> str:
    """Why a judge may not use these names over values of the program; empty where it may."""
    needed = closure(setup, names)
    return next((one.fault for one in setup.statements if one.fault and one.binds & needed), "")


def closure(setup: Setup, names: frozenset[str]) -> frozenset[str]:
    """These names and all that the setup needs to give them a meaning."""
    while True:
        more = names.union(*(one.uses for one in setup.statements if one.binds & names))
        if more == names:
            return names
        names = more


def _changed(node: ast.stmt) -> frozenset[str]:
    """The names whose values a statement may change, beside those that it binds."""
    if isinstance(node, _Import | _Definition):
        return frozenset()
    parts = list(ast.walk(node))
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = [part for part in parts if isinstance(part, ast.Attribute | ast.Subscript)]
        parts = [part for target in targets if not isinstance(target.ctx, ast.Load) for part in ast.walk(target.value)]
    return frozenset(part.id for part in parts if isinstance(part, ast.Name))


def _names(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a statement binds, and those that it uses.

    Raises:
        LookupError: it imports by `*` from a module that is not listed.
    """
    if isinstance(node, _Import):
        return frozenset(_imported(node)), frozenset()
    inner = [part for part in ast.walk(node) if part is not node]
    loads = {part.id for part in inner if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
    stores = {part.id for part in inner if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
    arguments = {part.arg for part in inner if isinstance(part, ast.arg)}
    imports = {name for part in inner if isinstance(part, _Import) for name in _imported(part)}
    nested = {part.name for part in inner if isinstance(part, _Definition)}
    if isinstance(node, _Definition):
        return frozenset({node.name}), frozenset(loads - stores - arguments - imports - nested - {node.name})
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        augmented = {node.target.id} if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) else set()
        # `a = a + 1` needs what bound `a` before, which is a statement that binds it too
        return frozenset(stores | imports), frozenset((loads | augmented) - arguments)
    return frozenset(stores | imports | nested), frozenset(loads - stores - arguments - imports - nested)


def _imported(node: _Import) -> Iterator[str]:
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module in _LISTED:
            yield from _public(importlib.import_module(node.module))
        else:
            raise LookupError(alias.name)


def _public(module: object) -> Iterable[str]:
    return getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]

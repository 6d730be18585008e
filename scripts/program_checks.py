"""What shapes the assertions of MBPP have, and whether spoilt programs get the verdict that plain Python gives."""

from __future__ import annotations

import ast
import copy
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from wrongcot_data.graders.assertions import read_tests
from wrongcot_data.graders.sandbox import LEVELS, Job, Sandbox, probe
from wrongcot_data.parallel import in_order
from wrongcot_data.records import Problem
from wrongcot_data.tasks import get_task

Row = Mapping[str, Any]

NATIVE_S = 10
NATIVE_LIMIT = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))"


def shapes(rows: Sequence[Row]) -> dict[str, Any]:
    """How many assertions are `CALL == LITERAL`, how many are judged in a process of their own, and what is left."""
    counts: Counter[str] = Counter()
    left = []
    for row in rows:
        setup = "\n".join([*row.get("test_imports", []), row.get("test_setup_code", "")])
        for tests in (row["test_list"], row.get("challenge_test_list", [])):
            for test, one in zip(tests, read_tests(tuple(tests), setup).judgements, strict=True):
                counts["not judged" if one.fault else "call == literal" if one.expected else "judged apart"] += 1
                if one.fault:
                    left.append(f"{row['task_id']}: {one.fault}: {test[:80]}")
    return {"assertions": counts.total(), **counts, "left": left}


def mutants(problems: Sequence[Problem]) -> dict[str, Any]:
    """Human programs with one operator or number changed, against Python's own word on program and assertions.

    The programs are people's, each with one small change, so they run here as they are, with a limit of time.
    """
    task = get_task("mbpp")
    items = [(problem, source) for problem in problems for source in spoilt(problem.data["program"])]

    def one(item: tuple[Problem, str]) -> tuple[bool, Any]:
        problem, source = item
        return natively(source, problem), task.grade(problem, source, "stop")

    disagreeing = []
    wrong = 0
    for (problem, source), (passes, verdict) in zip(items, in_order(one, items), strict=True):
        wrong += not passes
        if passes != (verdict.grade == "correct"):
            disagreeing.append(f"{problem.id}: native {passes}, we say {verdict.grade}, {verdict.reason}\n{source}")
    return {"mutants": len(items), "wrong": wrong, "disagreeing": disagreeing}


def spoilt(program: str) -> Iterator[str]:
    """Up to two programs with one comparison, operator or number changed."""
    tree = ast.parse(program)
    places = [node for node in ast.walk(tree) if isinstance(node, ast.Compare | ast.BinOp) or _is_number(node)]
    rng = Random(program)
    for chosen in rng.sample(range(len(places)), min(2, len(places))):
        changed = copy.deepcopy(tree)
        node = [node for node in ast.walk(changed) if isinstance(node, ast.Compare | ast.BinOp) or _is_number(node)][
            chosen
        ]
        if isinstance(node, ast.Compare):
            node.ops[0] = rng.choice([ast.Lt(), ast.GtE(), ast.NotEq(), ast.Eq()])
        elif isinstance(node, ast.BinOp):
            node.op = rng.choice([ast.Add(), ast.Sub(), ast.Mult()])
        elif isinstance(node, ast.Constant):
            node.value = node.value + 1
        yield ast.unparse(changed)


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def natively(source: str, problem: Problem) -> bool:
    """Whether program, setup and assertions run through in an interpreter of their own."""
    lines = [NATIVE_LIMIT, source, problem.data["test_setup_code"], *problem.data["tests"]]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", "\n".join(lines)], capture_output=True, timeout=NATIVE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


HACKS = {
    "equal to anything": "class A:\n    def __eq__(s, o): return True\ndef double(x): return A()",
    "reads the expected value from its callers": (
        "import sys\ndef double(x):\n    f = sys._getframe()\n    while f:\n        for v in f.f_locals.values():\n"
        "            if isinstance(v, (list, tuple)) and v and isinstance(v[0], int): return v[0]\n        f = f.f_back"
    ),
    "writes the verdict itself, then leaves": (
        "import json, os, struct\ndef double(x):\n    for told in (['ran'], ['value', 4], ['value', 10], ['end']):\n"
        "        data = json.dumps(told).encode()\n        for n in range(3, 64):\n"
        "            try: os.write(n, struct.pack('>I', len(data)) + data)\n            except OSError: pass\n"
        "    os._exit(0)"
    ),
    "sys.exit(0)": "import sys\ndef double(x): sys.exit(0)",
    "os._exit(0)": "import os\ndef double(x): os._exit(0)",
}
"""The five reward hacks of which evalplus 0.3.1 passes the first three."""


def hacks() -> dict[str, Any]:
    """How many reward hacks pass: two assertions on a function that doubles."""
    task = get_task("mbpp")
    problem = task.read_problem(
        {"question": "Write a function double.", "test_list": ["assert double(2) == 4", "assert double(5) == 10"]}
    )
    verdicts = {name: task.grade(problem, source, "stop") for name, source in HACKS.items()}
    passed = [name for name, verdict in verdicts.items() if verdict.grade == "correct"]
    return {"hacks": len(HACKS), "passed": passed} | {name: one.reason for name, one in verdicts.items()}


def jobs_a_second(rate: Callable[[Callable[[], int]], Any]) -> dict[str, Any]:
    """Trivial jobs a second in each layer that holds here: what the sandbox itself costs.

    Args:
        rate: takes a function that does some jobs, and says how many it does a second.
    """
    found: dict[str, Any] = {}
    for level in LEVELS:
        if fault := probe(level):
            found[level] = {"left out": fault}
            continue
        jail = Sandbox(level)
        job = Job("def f(x):\n    return x", calls=("f(1)",))
        jail.run(job)
        found[level] = rate(lambda jail=jail, job=job: len(list(in_order(lambda _: jail.run(job), range(400)))))
        jail.close()
    return found

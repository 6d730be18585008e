"""`preference`: a right trace against a wrong one of the same problem, in TRL's conversational preference format.

The first right trace of a problem is paired with its first wrong one, the second with the second, and so on: so every
trace is in one pair at most, and a problem with many traces weighs no more than its shorter side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa

from wrongcot_data.records import SCHEMA_VERSION
from wrongcot_data.views.account import Account, Read

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))

SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("task", pa.string()),
        ("pair", pa.int32()),
        ("prompt", _MESSAGES),
        ("chosen", _MESSAGES),
        ("rejected", _MESSAGES),
        ("chosen_id", pa.string()),
        ("rejected_id", pa.string()),
        ("chosen_answer", pa.string()),
        ("rejected_answer", pa.string()),
        ("reference_answer", pa.string()),
        ("schema_version", pa.int32()),
    ]
)

NO_RIGHT = "no right trace to pair with"
NO_WRONG = "no wrong trace to pair with"

_COLUMNS = ("problem_id", "task", "prompt", "completion", "answer", "reference_answer", "parent_id")

Rows = list[dict[str, Any]]


def cut(read: Read, _variants: Sequence[str], account: Account) -> Iterator[dict[str, Any]]:
    """The pairs, in the order of the problems; of the traces, only those of one problem are in memory.

    Raises:
        ValueError: the two variants do not hold the problems in the same order.
    """
    shared = _problems(read("right", ["problem_id"])) & _problems(read("wrong", ["problem_id"]))
    rights = _by_problem(read("right", _COLUMNS), shared, account, NO_WRONG)
    wrongs = _by_problem(read("wrong", _COLUMNS), shared, account, NO_RIGHT)
    for right, wrong in zip(rights, wrongs, strict=True):
        if right[0]["problem_id"] != wrong[0]["problem_id"]:
            raise ValueError(f"right has {right[0]['problem_id']} where wrong has {wrong[0]['problem_id']}")
        account.asked += max(len(right), len(wrong))
        account.leave_out(NO_WRONG, len(right) - len(wrong))
        account.leave_out(NO_RIGHT, len(wrong) - len(right))
        for number, (chosen, rejected) in enumerate(zip(right, wrong, strict=False)):
            account.kept += 1
            yield pair(number, chosen, rejected)


def pair(number: int, chosen: Mapping[str, Any], rejected: Mapping[str, Any]) -> dict[str, Any]:
    """One row.

    Args:
        number: of the pair among those of its problem, from 0.
    """
    return {
        "problem_id": chosen["problem_id"],
        "task": chosen["task"],
        "pair": number,
        "prompt": chosen["prompt"],
        "chosen": chosen["completion"],
        "rejected": rejected["completion"],
        "chosen_id": chosen["parent_id"],
        "rejected_id": rejected["parent_id"],
        "chosen_answer": chosen["answer"],
        "rejected_answer": rejected["answer"],
        "reference_answer": chosen["reference_answer"],
        "schema_version": SCHEMA_VERSION,
    }


def _problems(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {row["problem_id"] for row in rows}


def _by_problem(rows: Iterable[dict[str, Any]], shared: set[str], account: Account, reason: str) -> Iterator[Rows]:
    """The rows of each problem that both variants have; the others are accounted for."""
    for problem, group in groupby(rows, key=itemgetter("problem_id")):
        own = list(group)
        if problem in shared:
            yield own
        else:
            account.asked += len(own)
            account.leave_out(reason, len(own))

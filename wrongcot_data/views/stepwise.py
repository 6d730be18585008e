"""`stepwise`: steps with labels, in TRL's stepwise supervision format, from the rows of every variant.

What a label says, as is the custom of process supervision (Lightman et al. 2023, arXiv 2305.20050, label up to the
first wrong step):

* a step before the first invalid one is right, whether it was checked (`valid`) or not (`unchecked`): nothing is known
  against it. The column `verdicts` says which, for those who want another rule;
* the first invalid step is wrong, and the row ends with it: what follows builds on it, and is not labelled;
* a trace with a wrong answer and no invalid step is left out: something in it is wrong, and it is not known where.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from wrongcot_data.records import SCHEMA_VERSION
from wrongcot_data.views.account import Account, Read

SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("task", pa.string()),
        ("variant", pa.string()),
        ("level", pa.int32()),
        ("prompt", pa.string()),
        ("completions", pa.list_(pa.string())),
        ("labels", pa.list_(pa.bool_())),
        ("verdicts", pa.list_(pa.string())),
        ("kind", pa.string()),
        ("answer", pa.string()),
        ("reference_answer", pa.string()),
        ("grade", pa.string()),
        ("parent_id", pa.string()),
        ("schema_version", pa.int32()),
    ]
)

WHERE_UNKNOWN = "wrong answer, no step known to be wrong"
NO_STEP = "no step"

_SAME = ("problem_id", "task", "variant", "level", "answer", "reference_answer", "grade", "parent_id")
_COLUMNS = (*_SAME, "prompt", "completion", "steps")

_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")


def cut(read: Read, variants: Sequence[str], account: Account) -> Iterator[dict[str, Any]]:
    """The labelled rows of each variant in turn."""
    for variant in variants:
        for row in read(variant, _COLUMNS):
            account.asked += 1
            reason = why_not(row)
            if reason:
                account.leave_out(reason)
            else:
                account.kept += 1
                yield labelled(row)


def why_not(row: Mapping[str, Any]) -> str:
    """Why a trace has no labels; empty where it has."""
    if not row["steps"]:
        return NO_STEP
    return WHERE_UNKNOWN if row["grade"] != "correct" and not _is_flawed(row["steps"]) else ""


def labelled(row: Mapping[str, Any]) -> dict[str, Any]:
    """A trace as steps with labels, its prompt as the plain text that TRL tokenizes."""
    steps = _to_first_invalid(row["steps"])
    return {
        **{name: row[name] for name in _SAME},
        "prompt": row["prompt"][0]["content"],
        "completions": pieces(row["completion"][0]["content"], steps),
        "labels": [step["verdict"] != "invalid" for step in steps],
        "verdicts": [step["verdict"] for step in steps],
        "kind": steps[-1]["kind"] if _is_flawed(steps) else "",
        "schema_version": SCHEMA_VERSION,
    }


def _is_flawed(steps: Sequence[Mapping[str, Any]]) -> bool:
    return any(step["verdict"] == "invalid" for step in steps)


def _to_first_invalid(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The steps up to the first invalid one and with it; all where none is."""
    kept = []
    for step in steps:
        kept.append(step)
        if step["verdict"] == "invalid":
            break
    return kept


def pieces(text: str, steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """The text of each step with what stands between it and the step before, such as a comment or its indentation.

    Blank lines and the space between two sentences are dropped: whoever joins the steps puts a separator there.
    """
    found, at = [], 0
    for step in steps:
        piece = text[at : step["end"]]
        inner = _BLANK_LINES.sub("", piece)
        found.append(inner if len(inner) < len(piece) or at == 0 else inner.lstrip())
        at = step["end"]
    return found

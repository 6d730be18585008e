"""Are paraphrases what they say? Acceptance, overlap and base trace of each row computed again from the files alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, Field

from wrongcot_data.pool.grading import verdict
from wrongcot_data.publish.columns import SAMPLES
from wrongcot_data.records import Grade, Problem
from wrongcot_data.spec import BaseName
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants import REGISTRY
from wrongcot_data.variants.paraphrase.acceptance import Base, judge, rewriting_overlap
from wrongcot_data.variants.paraphrase.rewriting import Rewriting

PARAPHRASE = "paraphrase"

ReadRows = Callable[[str], Iterable[dict[str, Any]]]
"""The rows of a config."""


class Paraphraser(BaseModel):
    """What a manifest says of a paraphraser."""

    name: str
    revision: str


class ParaphraseFacts(BaseModel, strict=True):
    """What a manifest says of a stage that had traces rewritten."""

    of: BaseName
    paraphraser: Paraphraser
    prompt_template: str
    rules: str


class RewritingsAccount(BaseModel):
    """What a receipt says of it."""

    replies: int
    accepted: int
    refused: dict[str, int]
    samples: dict[str, int] = Field(default_factory=dict)


def wanted_grade(manifest: Mapping[str, Any]) -> Grade:
    """The grade that a paraphrase must have as a trace of its problem: that of the traces it was made from."""
    of: BaseName = manifest["paraphrase"]["of"]
    return REGISTRY[of].wanted or "correct"


def source_told(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What every row that a paraphraser wrote must name as its source."""
    facts = manifest["paraphrase"]
    return {
        "teacher": facts["paraphraser"]["name"],
        "teacher_revision": facts["paraphraser"]["revision"],
        "prompt_template": facts["prompt_template"],
        "sampling": json.dumps(manifest["sampling"], sort_keys=True),
    }


def account_faults(manifest: Mapping[str, Any], n_rows: int) -> Iterator[str]:
    """What of the receipt's rewritings is not so."""
    task_rules, account = manifest.get("paraphrase"), manifest["receipt"].get("paraphrase_samples")
    if (task_rules is None) != (account is None) or (account is None and n_rows):
        yield "receipt: rewritings without a paraphraser, or a paraphraser without rewritings"
    if account is None:
        return
    sums = {
        "rows": n_rows,
        "grades": sum(account["samples"].values()),
        "accepted and refused": account["accepted"] + sum(account["refused"].values()),
    }
    for name, count in sums.items():
        if count != account["replies"]:
            yield f"receipt: {account['replies']} rewritings, but {count} {name}"


def bases(manifest: Mapping[str, Any], rows: ReadRows) -> dict[str, bytes]:
    """The traces that can have been rewritten, as far as the data set holds them: a hash of their text by their name.

    Traces of a teacher are always there, among `samples`; those of `reference` where that variant was built.
    """
    of = manifest["paraphrase"]["of"]
    if of != "reference":
        found = (row for row in rows(SAMPLES) if row["grade"] == REGISTRY[of].wanted)
        return {row["sample_id"]: _hash(row["completion"].strip()) for row in found}
    there = rows(of) if of in manifest["rows"] else ()
    return {f"{row['problem_id']}:{of}": _hash(row["completion"][0]["content"]) for row in there}


def base_faults(row: Mapping[str, Any], known: Mapping[str, bytes], manifest: Mapping[str, Any]) -> Iterator[str]:
    """Whether the trace that a row says it was made from is one of the data set's."""
    of = manifest["paraphrase"]["of"]
    if of == "reference" and row["parent_id"] != f"{row['problem_id']}:{of}":
        yield f"parent_id {row['parent_id']!r} is not the reference trace of its problem"
    if of == "reference" and of not in manifest["rows"]:
        return
    matched_away = of == "reference" and manifest["composition"]["match"] != "none"
    if row["parent_id"] not in known:
        if matched_away:
            return
        yield f"parent_id {row['parent_id']!r} is no trace of this data set"
    elif known[row["parent_id"]] != _hash(row["parent_completion"]):
        yield f"parent_completion is not the text of {row['parent_id']}"


def trace_faults(task: Task, problem: Problem, row: Mapping[str, Any], text: str, wanted: Grade) -> Iterator[str]:
    """Whether a row of `paraphrase` is an accepted rewriting of the trace it names."""
    base = _base(task, problem, row)
    if base.verdict.grade != wanted:
        yield f"parent_completion is graded {base.verdict.grade}, not {wanted}"
    found = judge(task, problem, base, text, row["finish_reason"])
    if found.refusal is not None:
        yield f"no paraphrase: {found.refusal}{': ' if found.detail else ''}{found.detail}"
    if found.overlap != row["overlap"]:
        yield f"overlap is {found.overlap}, not {row['overlap']}"


def plain_faults(row: Mapping[str, Any]) -> Iterator[str]:
    """Whether a row of another variant keeps the columns of a paraphrase empty."""
    if row["parent_completion"] or row["overlap"]:
        yield "parent_completion and overlap belong to paraphrases only"


def sample_faults(task: Task, problem: Problem, row: Mapping[str, Any]) -> Iterator[str]:
    """Whether a row of `paraphrase_samples` has the judgement that it says."""
    rewriting = Rewriting(task)
    base = _base(task, problem, row)
    asked = rewriting.of(problem, base.text, base.verdict, row["parent_id"])
    found = verdict(rewriting, asked, row["completion"], row["finish_reason"], row["error"])
    for what in ("grade", "reason", "answer", "form"):
        if getattr(found, what) != row[what]:
            yield f"{what} is {getattr(found, what)!r}, not {row[what]!r}"
    score = rewriting_overlap(task, base.text, row["completion"])
    if score != row["overlap"]:
        yield f"overlap is {score}, not {row['overlap']}"


def _base(task: Task, problem: Problem, row: Mapping[str, Any]) -> Base:
    text = row["parent_completion"]
    return Base(text, task.grade(problem, text, "stop"))


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()

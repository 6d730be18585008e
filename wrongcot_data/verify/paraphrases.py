"""Are paraphrases what they say, and those that a build takes? Acceptance and overlap computed again from the files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

from wrongcot_data.pool.distinct import first_distinct
from wrongcot_data.pool.grading import verdict
from wrongcot_data.publish.columns import text_of
from wrongcot_data.records import Grade, Problem
from wrongcot_data.spec import BaseName, BuildSpec
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants import REGISTRY
from wrongcot_data.variants.paraphrase.acceptance import Base, judge, rewriting_overlap
from wrongcot_data.variants.paraphrase.rewriting import Rewriting
from wrongcot_data.variants.pooled import PARAPHRASE_SAMPLES
from wrongcot_data.verify.parents import OF_SAMPLE, ReadRows, text_hash
from wrongcot_data.verify.replies import verdict_faults

PARAPHRASE = "paraphrase"

_WHOSE = ("problem_id", "parent_id", "attempt")
"""Columns that tell paraphrases apart."""


def wanted_grade(manifest: Mapping[str, Any]) -> Grade:
    """The grade that a paraphrase must have as a trace of its problem: that of the traces it was made from."""
    of: BaseName = manifest["paraphrase"]["of"]
    return REGISTRY[of].wanted or "correct"


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
    yield from verdict_faults(row, found)
    score = rewriting_overlap(task, base.text, row["completion"])
    if score != row["overlap"]:
        yield f"overlap is {score}, not {row['overlap']}"


def _base(task: Task, problem: Problem, row: Mapping[str, Any]) -> Base:
    text = row["parent_completion"]
    return Base(text, task.grade(problem, text, "stop"))


def cut_faults(manifest: Mapping[str, Any], spec: BuildSpec, read: ReadRows) -> Iterator[str]:
    """Paraphrases that are missing, come from no rewriting that a build would take, or tell otherwise of it.

    A build takes the first distinct accepted rewritings of each trace.
    """
    wanted = spec.per_problem if manifest["paraphrase"]["of"] == "reference" else 1
    rows = {tuple(row[name] for name in _WHOSE): _source(row) for row in read(PARAPHRASE)}
    for (problem, parent), group in groupby(read(PARAPHRASE_SAMPLES), key=itemgetter("problem_id", "parent_id")):
        accepted = [row for row in group if row["grade"] == "correct"]
        for number in first_distinct([row["completion"] for row in accepted])[:wanted]:
            sample = accepted[number]
            told = rows.pop((problem, parent, sample["attempt"]), None)
            if told is None and spec.match == "none":
                yield f"{PARAPHRASE}: the row of attempt {sample['attempt']} at {parent} is missing"
            elif told is not None and told != _source(sample):
                yield f"{PARAPHRASE} ({problem}): one of {', '.join(OF_SAMPLE)} is not that of its rewriting"
    for problem, parent, attempt in rows:
        yield f"{PARAPHRASE} ({problem}): no build would take attempt {attempt} at {parent}"


def _source(row: Mapping[str, Any]) -> bytes:
    text = row["completion"] if isinstance(row["completion"], str) else text_of(row)
    return text_hash(json.dumps([text.strip(), *(row[name] for name in OF_SAMPLE)]))

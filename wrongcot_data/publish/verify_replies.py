"""What verify asks of the replies about traces, be they rewritings or steps with a mistake: their account, their source
and the traces they are about.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, Field

from wrongcot_data.publish.columns import SAMPLES
from wrongcot_data.records import Verdict
from wrongcot_data.spec import BaseName
from wrongcot_data.variants import REGISTRY
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES, PARAPHRASE_SAMPLES

Row = Mapping[str, Any]

ReadRows = Callable[[str], Iterable[dict[str, Any]]]
"""The rows of a config."""

STAGES = {PARAPHRASE_SAMPLES: ("paraphrase", "paraphraser"), CORRUPT_SAMPLES: ("corruption", "teacher")}
"""By the config of the replies: where the manifest tells of their stage, and what it calls the model there."""


class Writer(BaseModel):
    """What a manifest says of a model that was asked about traces."""

    name: str
    revision: str


class StageFacts(BaseModel, strict=True):
    """What a manifest says of a stage that asked a model about traces."""

    of: BaseName
    prompt_template: str
    rules: str


class ParaphraseFacts(StageFacts):
    """Of the stage that had traces rewritten."""

    paraphraser: Writer


class CorruptionFacts(StageFacts):
    """Of the stage that had mistakes made in steps."""

    teacher: Writer


class RepliesAccount(BaseModel):
    """What a receipt says of a stage."""

    replies: int
    accepted: int
    refused: dict[str, int]
    samples: dict[str, int] = Field(default_factory=dict)


def source_told(manifest: Mapping[str, Any], config: str) -> dict[str, str]:
    """What every row that the model of a stage wrote must name as its source."""
    stage, role = STAGES[config]
    told = manifest[stage]
    return {
        "teacher": told[role]["name"],
        "teacher_revision": told[role]["revision"],
        "prompt_template": told["prompt_template"],
        "sampling": json.dumps(manifest["sampling"], sort_keys=True),
    }


def account_faults(manifest: Mapping[str, Any], config: str, n_rows: int) -> Iterator[str]:
    """What of the receipt's account of a stage is not so."""
    stage, role = STAGES[config]
    told, account = manifest.get(stage), manifest["receipt"].get(config)
    if (told is None) != (account is None) or (account is None and n_rows):
        yield f"receipt: {config} without a {role}, or a {role} without {config}"
    if account is None:
        return
    sums = {
        "rows": n_rows,
        "grades": sum(account["samples"].values()),
        "accepted and refused": account["accepted"] + sum(account["refused"].values()),
    }
    for name, count in sums.items():
        if count != account["replies"]:
            yield f"receipt: {config}: {account['replies']} replies, but {count} {name}"


def bases(manifest: Mapping[str, Any], config: str, rows: ReadRows) -> dict[str, bytes]:
    """The traces that a stage can have been about, as far as the data set holds them: a hash of each text by its name.

    Traces of a teacher are always there, among `samples`; those of `reference` where that variant was built.
    """
    of = manifest[STAGES[config][0]]["of"]
    if of != "reference":
        found = (row for row in rows(SAMPLES) if row["grade"] == REGISTRY[of].wanted)
        return {row["sample_id"]: _hash(row["completion"].strip()) for row in found}
    there = rows(of) if of in manifest["rows"] else ()
    return {f"{row['problem_id']}:{of}": _hash(row["completion"][0]["content"]) for row in there}


def base_faults(row: Row, known: Mapping[str, bytes], manifest: Mapping[str, Any], config: str) -> Iterator[str]:
    """Whether the trace that a row says it was made from is one of the data set's."""
    of = manifest[STAGES[config][0]]["of"]
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


def verdict_faults(row: Row, found: Verdict) -> Iterator[str]:
    """Whether a reply has the verdict that its row says."""
    for what in ("grade", "reason", "answer", "form"):
        if getattr(found, what) != row[what]:
            yield f"{what} is {getattr(found, what)!r}, not {row[what]!r}"


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()

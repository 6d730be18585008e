"""Is each row's parent what it says? The text of the trace or sample that a row was made from, found in the data set.

A parent is named as `records.trace_id` names it: a sample by its id, a reference trace by its problem's and variant's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from wrongcot_data.publish.columns import SAMPLES, text_of
from wrongcot_data.variants import REGISTRY

OF_SAMPLE = ("seed", "attempt", "engine", "finish_reason", "n_tokens")
"""What a row that is made from a sample has from it."""

ReadRows = Callable[[str], Iterable[Mapping[str, Any]]]
"""The rows of a config."""


def parents(of: str, manifest: Mapping[str, Any], rows: ReadRows) -> dict[str, bytes]:
    """The traces of a variant that others can have been made from, as far as the data set holds them: a hash of their
    text by their name.

    Traces of a teacher are always there, among `samples`; those of `reference` where that variant was built.
    """
    if of != "reference":
        found = (row for row in rows(SAMPLES) if row["grade"] == REGISTRY[of].wanted)
        return {row["sample_id"]: text_hash(row["completion"].strip()) for row in found}
    there = rows(of) if of in manifest["rows"] else ()
    return {f"{row['problem_id']}:{of}": text_hash(text_of(row)) for row in there}


def parent_faults(
    row: Mapping[str, Any], text: str | None, of: str, known: Mapping[str, bytes], manifest: Mapping[str, Any]
) -> Iterator[str]:
    """Whether the trace that a row says it was made from is one of the data set's.

    Args:
        text: the parent's, as the row has it; None where it has not.
        of: the parent's variant.
    """
    if of == "reference" and row["parent_id"] != f"{row['problem_id']}:{of}":
        yield f"parent_id {row['parent_id']!r} is not the reference trace of its problem"
    if of == "reference" and of not in manifest["rows"]:
        return
    matched_away = of == "reference" and manifest["composition"]["match"] != "none"
    if row["parent_id"] not in known:
        if not matched_away:
            yield f"parent_id {row['parent_id']!r} is no trace of this data set"
    elif text is not None and known[row["parent_id"]] != text_hash(text):
        yield f"its parent's text is not that of {row['parent_id']}"


def sources(of: str, rows: ReadRows) -> dict[str, bytes]:
    """A hash of what the rows of a sample have from it, by its id; nothing where no sample is its base."""
    return {} if of == "reference" else {row["sample_id"]: _source_hash(row) for row in rows(SAMPLES)}


def source_faults(row: Mapping[str, Any], known: Mapping[str, bytes]) -> Iterator[str]:
    """Whether a row has from its sample what the pool says of it."""
    if row["parent_id"] in known and known[row["parent_id"]] != _source_hash(row):
        yield f"one of {', '.join(OF_SAMPLE)} is not that of sample {row['parent_id']}"


def _source_hash(row: Mapping[str, Any]) -> bytes:
    return text_hash(json.dumps([row[name] for name in OF_SAMPLE]))


def text_hash(text: str) -> bytes:
    """What is remembered of a text."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()

"""What verify asks of replies about traces, be they rewritings or steps with a mistake: their source and verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from wrongcot_data.records import Verdict
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES, PARAPHRASE_SAMPLES

Row = Mapping[str, Any]

STAGES = {PARAPHRASE_SAMPLES: ("paraphrase", "paraphraser"), CORRUPT_SAMPLES: ("corruption", "teacher")}
"""By the config of the replies: where the manifest tells of their stage, and what it calls the model there."""


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


def verdict_faults(row: Row, found: Verdict) -> Iterator[str]:
    """Whether a reply has the verdict that its row says."""
    for what in ("grade", "reason", "answer", "form"):
        if getattr(found, what) != row[what]:
            yield f"{what} is {getattr(found, what)!r}, not {row[what]!r}"

"""Evals that are finished, read back: whatever the number of replies, an item is the replies to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_data.spec import content_hash
from wrongcot_train.evaluate.items import ITEMS
from wrongcot_train.evaluate.run import REPLIES, SCORE
from wrongcot_train.evaluate.scoring import ANSWERED

REPLY_TEXTS = ("completion", "grade", "reason", "answer")
COLUMNS = ("problem_id", "prompt", "correct", *REPLY_TEXTS)


@dataclass(frozen=True, slots=True)
class Item:
    """What a run has of an item: one reply or several.

    Attributes:
        replies: of each `correct` and the columns `REPLY_TEXTS`, in the order of the samples.
    """

    prompt: str
    replies: tuple[Mapping[str, Any], ...]

    @property
    def right(self) -> int:
        """Right replies."""
        return sum(bool(reply["correct"]) for reply in self.replies)

    @property
    def answered(self) -> int:
        """Replies with an answer."""
        return sum(reply["grade"] in ANSWERED for reply in self.replies)


@dataclass(frozen=True, slots=True)
class Run:
    """One eval that is finished.

    Attributes:
        score: its `score.json`.
        items: by problem id.
        samples: replies to each item.
    """

    folder: Path
    score: Mapping[str, Any]
    items: Mapping[str, Item]
    samples: int


def read_run(folder: Path) -> Run:
    """Read what `wrongcot-train eval` wrote.

    Raises:
        BadInput: no eval, one that has not finished, or one with several rows an item.
        CheckFailed: the items do not give the score that is beside them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    again = "the same wrongcot-train eval command again    (it keeps every reply)"
    if not (folder / SCORE).is_file() or not (folder / ITEMS).is_file():
        if (folder / REPLIES).is_file():
            raise BadInput(f"the eval in {folder} has not finished", try_=[again])
        raise BadInput(f"{folder} holds no eval", try_=[f"wrongcot-train eval --model ... --task ... --out {folder}"])
    try:
        score = json.loads((folder / SCORE).read_text(encoding="utf-8"))
        rows = pq.read_table(folder / ITEMS, columns=list(COLUMNS)).to_pylist()
        told = (score["n"], score["strict"]["correct"], score["items_sha256"])
    except (ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise CheckFailed(f"the eval in {folder} is damaged: {_first_line(error)}", try_=[again]) from error
    items = {row["problem_id"]: _item(row) for row in rows}
    if len(items) < len(rows):
        raise BadInput(f"{folder} has several rows for one item", try_=["wrongcot-train eval ... --out ANOTHER"])
    counts = {len(item.replies) for item in items.values()} or {1}
    right = sum(item.right for item in items.values())
    if len(counts) > 1 or told != (len(rows), right, content_hash([row["problem_id"] for row in rows])):
        raise CheckFailed(f"the items in {folder} do not give the score beside them", try_=[again])
    return Run(folder, score, items, counts.pop())


def _item(row: Mapping[str, Any]) -> Item:
    """An item of a row, whose columns of a reply hold a list each where there are several."""
    columns = ("correct", *REPLY_TEXTS)
    if not isinstance(row["correct"], list):
        return Item(row["prompt"], ({name: row[name] for name in columns},))
    values = zip(*(row[name] for name in columns), strict=True)
    return Item(row["prompt"], tuple(dict(zip(columns, reply, strict=True)) for reply in values))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]

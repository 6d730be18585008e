"""What is really trained on, checked on TRL's own rows before the first step.

A loss curve looks healthy when the stop token is masked, when every answer is cut off or when training and eval send
different prompts. Each of these costs a whole run, and each can be seen in the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from wrongcot_data.engines.tokens import token_ids
from wrongcot_data.errors import CheckFailed
from wrongcot_train.data import row_prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MASKED = -100
"""The label of a token that is not trained."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A way in which a row can be wrong: what to say of such rows, and what to do about them."""

    story: str
    try_: tuple[str, ...]


LONGER = "--max-length    (higher, as far as the student reads, or left out)"

PROMPT_TRAINED = Fault("train part of the prompt", ())
PROMPT_DIFFERS = Fault(
    "do not begin with the prompt that eval sends",
    ("a chat template that renders a prompt alone as it does before a reply",),
)
NOTHING_TRAINED = Fault("have no trained token", (LONGER,))
NO_STOP = Fault(
    "do not end in a token that stops the student when it writes",
    ("--eos-token TOKEN    (what the chat template ends a turn with)",),
)
EMPTY = Fault("have an empty reply", ("a data set whose replies say something",))
TOO_LONG = Fault(
    "are longer than {limit} tokens and would lose their end",
    (LONGER, "--allow-truncation    (train on cut traces all the same)"),
)
TWO_BOS = Fault("begin with two BOS tokens", ("a chat template without BOS; the tokenizer adds one",))


@dataclass(frozen=True, slots=True)
class Audit:
    """The account of the rows that will be trained on.

    Attributes:
        rows: rows that are trained; `cut` of the rows asked for lost their end, the ones left out altogether included.
        tokens: of all rows, prompt included; `trained_tokens` of them have a label.
        longest: tokens of the longest row.
        stops: the tokens that rows end in, as text.
        example: the first row in pieces of (text, whether it is trained).
    """

    rows: int
    cut: int
    tokens: int
    trained_tokens: int
    longest: int
    stops: list[str]
    example: tuple[tuple[str, bool], ...]


def audit_rows(
    rows: Iterable[Mapping[str, Any]],
    tokenizer: PreTrainedTokenizerBase,
    stop_ids: Iterable[int],
    *,
    limit: int | None,
    asked: int,
    allow_truncation: bool = False,
) -> Audit:
    """Judge every row as TRL made it.

    Args:
        rows: with `prompt`, `input_ids` and `labels`; the prompt is what the row was made from.
        tokenizer: the student's.
        stop_ids: the tokens on which the student stops when it writes, by its generation config.
        limit: tokens a row may have; None where there is no limit.
        asked: rows before TRL left any out.
        allow_truncation: whether rows were cut to the limit; they need no stop token then.

    Raises:
        CheckFailed: a row has a fault; the message has, for each kind, how many rows have it and the first of them.
    """
    stops = frozenset(stop_ids)
    found: dict[Fault, list[int]] = {}
    ends: set[int] = set()
    total = trained = longest = count = cut = 0
    example: tuple[tuple[str, bool], ...] = ()
    for number, row in enumerate(rows):
        ids, labels = row["input_ids"], row["labels"]
        is_cut = allow_truncation and limit is not None and len(ids) >= limit and _last(labels, tokenizer) not in stops
        for fault in faults(row, tokenizer, stops, limit):
            if not (is_cut and fault is NO_STOP):
                found.setdefault(fault, []).append(number)
        example = example or marked_pieces(ids, labels, tokenizer)
        ends |= {_last(labels, tokenizer)} & stops
        count, cut, total = count + 1, cut + is_cut, total + len(ids)
        trained, longest = trained + sum(label != MASKED for label in labels), max(longest, len(ids))
    if not count:
        raise CheckFailed(
            f"no row is left to train on: {limit} tokens hold no reply", try_=["--max-length    (higher)"]
        )
    if found:
        raise _failed(found, count, limit)
    names = sorted(text_of([token], tokenizer) for token in ends)
    return Audit(count, cut + asked - count, total, trained, longest, names, example)


def faults(
    row: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, stops: frozenset[int], limit: int | None
) -> list[Fault]:
    """Everything that is wrong with one row; empty for a good one."""
    ids, labels = list(row["input_ids"]), list(row["labels"])
    found = []
    if all(label == MASKED for label in labels):
        found.append(NOTHING_TRAINED)
    elif _last(labels, tokenizer) not in stops:
        found.append(NO_STOP)
    elif not text_of([label for label in labels if label not in {MASKED, *stops}], tokenizer).strip():
        found.append(EMPTY)
    if limit is not None and len(ids) > limit:
        found.append(TOO_LONG)
    if len(ids) > 1 and ids[0] == ids[1] == tokenizer.bos_token_id:
        return [*found, TWO_BOS]  # the prompt, which has them too, cannot be rendered for eval
    prompt = token_ids(tokenizer, row_prompt(row))
    if ids[: len(prompt)] != prompt:
        found.append(PROMPT_DIFFERS)
    if any(label != MASKED for label in labels[: len(prompt)]):
        found.append(PROMPT_TRAINED)
    return found


def _last(labels: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> int:
    """The last trained token that is not white space; `MASKED` where there is none.

    Templates such as SmolLM2's and Qwen's write a newline after the token that ends a turn.
    """
    trained = (label for label in reversed(labels) if label != MASKED)
    return next((label for label in trained if text_of([label], tokenizer).strip()), MASKED)


def _failed(found: Mapping[Fault, Sequence[int]], count: int, limit: int | None) -> CheckFailed:
    stories = [
        f"{len(numbers)} of {count} rows {fault.story.format(limit=limit)} (the first is row {numbers[0]})"
        for fault, numbers in found.items()
    ]
    hints = [hint for fault in found for hint in fault.try_]
    return CheckFailed("nothing was trained: " + "; ".join(stories), try_=list(dict.fromkeys(hints)))


def marked_pieces(
    ids: Sequence[int], labels: Sequence[int], tokenizer: PreTrainedTokenizerBase
) -> tuple[tuple[str, bool], ...]:
    """A row as text, in pieces of (text, whether it is trained)."""
    runs = groupby(zip(ids, labels, strict=True), key=lambda pair: pair[1] != MASKED)
    return tuple((text_of([token for token, _ in run], tokenizer), is_trained) for is_trained, run in runs)


def text_of(ids: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    """Tokens as text, the special ones by their names."""
    return str(tokenizer.decode(list(ids)))

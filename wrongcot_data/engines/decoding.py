"""How `transformers.generate` is told to stop and to draw, where its own way is slow on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from wrongcot_data.engines.base import Sampling

if TYPE_CHECKING:
    import torch

MIN_SHARED = 32
"""Tokens from which a beginning that a whole batch shares is worth computing once."""

LIKELIEST = 1024
"""Tokens among which a nucleus nearly always lies."""


def common_prefix(rows: Sequence[list[int]]) -> list[int]:
    """The tokens that all rows begin with, at least one less than the shortest; empty if too few to be worth it."""
    if len(rows) < 2:
        return []
    first, last = min(rows), max(rows)
    most = min(len(row) for row in rows) - 1
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first[:most], last[:most], strict=True)))
    return first[:same] if same >= MIN_SHARED else []


def first_stop(text: str, stops: Sequence[str]) -> int | None:
    """Where the reply ends by the earliest stop string, which is kept; None where there is none."""
    found = [(text.index(stop), len(stop)) for stop in stops if stop in text]
    if not found:
        return None
    start, length = min(found)
    return start + length


def end_at(
    stops: Sequence[Sequence[str]],
    ends: Collection[int],
    tokenizer: Any,
    written: Sequence[int],
    width: int,
    enough: int,
) -> Callable[..., torch.Tensor]:
    """A criterion that ends a row when what it wrote holds a stop string of its own, and all when enough have ended.

    The library's own prepares the whole vocabulary and looks it up at every token, and waits for the last row.

    Args:
        stops: of each row.
        ends: tokens that end a row; the library sees to that, they only count here.
        written: tokens that each row had written before; what stands before them is its prompt and does not count.
        width: tokens a row before `generate`, padding included.
        enough: rows that have ended for which the others are not held up any longer.
    """
    import torch

    longest = [max((len(stop.encode()) for stop in own), default=0) for own in stops]  # a token is a byte at least
    over = torch.zeros(len(written), dtype=torch.bool)

    def ended(ids: torch.Tensor, _scores: object, **_: object) -> torch.Tensor:
        new = ids.shape[1] - width
        rows = ids[:, -max(1, min(max(longest), max(written) + new)) :].tolist()
        for number, row in enumerate(rows):
            back = min(longest[number], written[number] + new)
            tail = tokenizer.decode(row[-back:]) if back else ""
            over[number] = over[number] or row[-1] in ends or any(stop in tail for stop in stops[number])
        found = over if over.sum() < enough else torch.ones_like(over)
        return found.to(ids.device)

    return ended


def draw_settings(sampling: Sampling) -> dict[str, Any]:
    """The settings of `generate` for a way of drawing: greedy at temperature 0, else our own warper and no other."""
    if sampling.temperature == 0:
        return {"do_sample": False}
    neutral = {"do_sample": True, "temperature": 1.0, "top_p": 1.0, "top_k": 0}
    return {**neutral, "logits_processor": [draw_from(sampling.temperature, sampling.top_p)]}


def draw_from(temperature: float, top_p: float) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Temperature, then the nucleus: the fewest likeliest tokens that hold `top_p` (arXiv 1904.09751).

    The nucleus is looked for among the likeliest tokens, which alone need sorting; where it does not fit there, the
    library sorts the whole vocabulary, as it otherwise would for every token. The result is the same.
    """
    import torch
    from transformers import TopPLogitsWarper

    whole: Any = TopPLogitsWarper(top_p)

    def warp(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores / temperature
        if top_p == 1:
            return scores
        top, tokens = scores.topk(min(LIKELIEST, scores.shape[-1]))
        shares = (top - scores.logsumexp(-1, keepdim=True)).exp()
        before = shares.cumsum(-1) - shares
        if ((before + shares)[:, -1] < top_p).any():
            sorted_whole: torch.Tensor = whole(ids, scores)
            return sorted_whole
        kept = top.masked_fill(before >= top_p, -torch.inf)
        return torch.full_like(scores, -torch.inf).scatter(-1, tokens, kept)

    return warp

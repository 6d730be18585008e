"""The batch that `transformers` is writing: rows that are done leave it and others take their places.

What is written stays computed: keys and values go on from where they are, and only a new row's prompt is read. Their
room is kept ahead, since the library's own cache copies all of it for every token. That needs layers that keep every
key; a model with others (a sliding window, a state) begins anew from its tokens after each segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import repeat
from math import inf
from typing import TYPE_CHECKING, Any

from wrongcot_data.engines.base import Request

if TYPE_CHECKING:
    import torch

ROOM = 64
"""Tokens for which there is room ahead of what is written."""


@dataclass(slots=True)
class Row:
    """A request under way: its prompt and what is written so far, as token ids."""

    request: Request
    prompt: list[int]
    written: list[int] = field(default_factory=list)

    @property
    def tokens(self) -> list[int]:
        """All that stands there."""
        return self.prompt + self.written


@dataclass(slots=True)
class Running:
    """Rows side by side, each ending in the last column.

    Attributes:
        ids: tokens, a row each; `mask` is 0 where nothing stands.
        cache: keys and values of all columns but the last.
    """

    rows: list[Row]
    ids: torch.Tensor
    mask: torch.Tensor
    cache: Any


@cache
def _growing_layer() -> Any:
    """The class of a layer's keys and values with room ahead. (The library is not imported before it is used.)"""
    from transformers import cache_utils

    library: Any = cache_utils

    class GrowingLayer(library.DynamicLayer):  # type: ignore[misc]
        """As the library's, but that a token is written into room that is there, and not onto a copy of all."""

        keys: Any
        values: Any
        room: tuple[Any, Any] | None = None

        def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            before = self.get_seq_length()
            width = before + key_states.shape[-2]
            if self.room is None or self.room[0].shape[-2] < width:
                old = (self.keys, self.values) if before else ()
                self.room = _with_room(key_states, width), _with_room(value_states, width)
                for buffer, there in zip(self.room, old, strict=False):
                    buffer[..., :before, :] = there
            for buffer, states in zip(self.room, (key_states, value_states), strict=True):
                buffer[..., before:width, :] = states
            self.keys, self.values = (buffer[..., :width, :] for buffer in self.room)
            return self.keys, self.values

        def reset(self) -> None:
            # Dropped, room and all. Not by the library: before 5.19 it fills with zeros what it should let go.
            self.keys = self.values = self.room = None
            self.is_initialized = False

    return GrowingLayer


def _with_room(like: torch.Tensor, width: int, rows: int | None = None) -> torch.Tensor:
    """Zeros for keys or values of so many columns and `ROOM` more. (What is masked must still be a number.)"""
    return like.new_zeros((rows or like.shape[0], like.shape[1], width + ROOM, like.shape[3]))


def fresh_cache(config: Any) -> Any:
    """An empty cache for a model; see `sees` for whether rows may leave and join it."""
    from transformers.cache_utils import DynamicCache, DynamicLayer

    made: Any = DynamicCache(config=config)
    if made.layers and all(type(layer) is DynamicLayer for layer in made.layers):
        made.layers = [_growing_layer()() for _ in made.layers]
    return made


def sees(cache: Any) -> float:
    """Columns back that every layer of a model sees: infinite where each keeps every key, so that rows may leave and
    join; a number where some have a window; 0 where some keep a state instead.
    """
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    def of_layer(layer: Any) -> float:
        if type(layer) in (DynamicLayer, _growing_layer()):
            return inf
        return float(layer.sliding_window) if type(layer) is DynamicSlidingWindowLayer else 0.0

    return min(map(of_layer, cache.layers), default=0.0)


def stacked(config: Any, parts: Sequence[tuple[Any, Sequence[int]]], width: int, *, spent: bool) -> Any:
    """A cache of some rows of others, one below the other, each ending in the last of `width` columns.

    Args:
        parts: caches that keep every key, and which of their rows; a row may be taken more than once. An empty one is
            of prompts of a single token, of which nothing has been read yet.
        spent: whether the others are not needed any more; then no more than a layer is ever there twice.
    """
    found = fresh_cache(config)
    filled = next((one for one, _ in parts if one.get_seq_length()), None)
    if filled is None or not width:
        return found
    rows = sum(len(chosen) for _, chosen in parts)
    for number, layer in enumerate(found.layers):
        like = filled.layers[number]
        room = _with_room(like.keys, width, rows), _with_room(like.values, width, rows)
        at = 0
        for one, chosen in parts:
            there, place = one.layers[number], slice(at, at + len(chosen))
            if there.is_initialized:
                for buffer, states in zip(room, (there.keys, there.values), strict=True):
                    last = states[..., -width:, :]
                    buffer[place, :, width - last.shape[-2] : width] = last[list(chosen)]
            at += len(chosen)
        layer.lazy_initialization(like.keys, like.values)
        layer.room = room
        layer.keys, layer.values = (buffer[..., :width, :] for buffer in room)
        for one, _ in parts if spent else ():
            one.layers[number].reset()
    return found


def together(config: Any, parts: Sequence[tuple[Running, Sequence[int]]]) -> Running:
    """Some rows of running batches as one, without the columns that none of them needs. The others are spent then."""
    import torch

    kept = [(one, list(chosen)) for one, chosen in parts if chosen]
    starts = [int(one.mask[chosen].any(0).int().argmax()) for one, chosen in kept]
    widths = [one.ids.shape[1] - start for (one, _), start in zip(kept, starts, strict=True)]
    width = max(widths)
    rows = [one.rows[place] for one, chosen in kept for place in chosen]
    ids, mask = (
        torch.cat([_left(getattr(one, name)[chosen], width) for one, chosen in kept]) for name in ("ids", "mask")
    )
    return Running(
        rows, ids, mask, stacked(config, [(one.cache, chosen) for one, chosen in kept], width - 1, spent=True)
    )


def _left(values: torch.Tensor, width: int) -> torch.Tensor:
    """Columns cut from the left, or zeros added there, to make so many. (A token id of 0 is masked like any other.)"""
    from torch.nn.functional import pad

    return pad(values[:, -width:], (max(0, width - values.shape[1]), 0))


def repeated(config: Any, cache: Any, rows: int, width: int) -> Any:
    """A cache of one row, that often."""
    return stacked(config, [(cache, list(repeat(0, rows)))], width, spent=False)

"""Teachers on this machine by `transformers.generate`: no server and no GPU needed, one padded batch at a time."""

from __future__ import annotations

import copy
import logging
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, Field

from wrongcot_data.engines.attention import implementation_for
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request
from wrongcot_data.engines.decoding import common_prefix, draw_settings, first_stop, stop_at
from wrongcot_data.engines.tokens import need_template, token_ids, too_long
from wrongcot_data.errors import BadInput, Unavailable, missing_extra
from wrongcot_data.records import FinishReason
from wrongcot_data.spec import derive_seed
from wrongcot_data.teachers.registry import Teacher
from wrongcot_data.teachers.weights import find_weights

BATCHES_HELD = 4
"""How many batches are taken in at once: enough to sort by length, so that a batch pads little."""

SEGMENT = 64
"""Tokens that a batch writes before its finished rows make room for others. Most Countdown replies are shorter; without
segments one reply that never ends would hold the whole batch up to the token limit."""


class TransformersOptions(BaseModel, extra="forbid"):
    """Settings that change the speed, not the reply's distribution."""

    batch_size: int = Field(32, ge=1, description="prompts a batch; 32 is where two CPU cores stop gaining")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="auto: bfloat16 on a GPU, float32 on a CPU, where bfloat16 is ten times slower"
    )
    device: str = Field("auto", description="auto: the first GPU where there is one, else the CPU")


class _Kind:
    options = TransformersOptions

    def revision(self, teacher: Teacher, options: BaseModel) -> str:
        return find_weights(teacher).revision

    def open(self, opening: Opening) -> Engine:
        return TransformersEngine(opening)


KIND = _Kind()


@dataclass(slots=True)
class _Row:
    """A request under way: its prompt and what is written so far, as token ids."""

    request: Request
    prompt: list[int]
    written: list[int] = field(default_factory=list)


class TransformersEngine:
    """Holds a model in memory and writes a segment for one batch at a time.

    Rows that are under way go before new ones, and rows of like length together. A beginning that all rows of a batch
    share, such as the worked examples, is computed once.
    """

    not_honoured: tuple[NotHonoured, ...] = ("seed",)  # a batch shares one random stream, so neighbours matter

    def __init__(self, opening: Opening) -> None:
        try:
            import torch
            import transformers
            from safetensors import SafetensorError
            from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise missing_extra(error.name or "transformers", "local") from error
        options = opening.options
        assert isinstance(options, TransformersOptions)
        device = options.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError) as error:
            raise Unavailable(f"device {device!r} cannot be used here", try_=["--engine-option device=cpu"]) from error
        dtype = options.dtype
        if dtype == "auto":
            dtype = "float32" if device == "cpu" else "bfloat16"
        folder = find_weights(opening.teacher).folder
        logging.getLogger(__name__).warning("loading %s by transformers", opening.teacher.name)
        library_logging: Any = transformers.logging
        library_logging.set_verbosity_error()
        library_logging.disable_progress_bar()
        # Any: the library's own annotations do not fit what its classes do
        loader: Any = AutoModelForCausalLM
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
            config = AutoConfig.from_pretrained(folder)
            attention = implementation_for(config, device)
            model = loader.from_pretrained(folder, dtype=getattr(torch, dtype), attn_implementation=attention)
        except (OSError, ValueError, SafetensorError) as error:
            story = str(error).strip().splitlines()[0]
            hint = "--teacher NAME    (another one)"
            raise BadInput(f"cannot load the model in {folder}: {story}", try_=[hint]) from error
        self._room = int(getattr(config, "max_position_embeddings", 0) or 1 << 30)
        if opening.sampling.max_tokens >= self._room:
            raise BadInput(
                f"max_tokens {opening.sampling.max_tokens} leaves no room: the model holds {self._room} tokens"
            )
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._model: Any = model.to(device).eval()
        self._sampling = opening.sampling
        self._batch_size = options.batch_size
        self._rows: list[_Row] = []
        self._failed: list[Completion] = []
        self._shared: tuple[list[int], Any] = ([], None)
        self.name = f"transformers {transformers.__version__} {dtype} {device}"
        self.capacity = BATCHES_HELD * self._batch_size

    def submit(self, request: Request) -> None:
        need_template(self._tokenizer, request.prompt)
        ids = token_ids(self._tokenizer, request.prompt)
        if story := too_long(len(ids), self._sampling.max_tokens, self._room):
            self._failed.append(Completion(request.key, "", "error", len(ids), 0, story))
        else:
            self._rows.append(_Row(request, ids))

    def wait(self) -> list[Completion]:
        finished, self._failed = self._failed, []
        while not finished:
            self._rows.sort(key=lambda row: (bool(row.written), len(row.prompt)), reverse=True)
            batch = self._rows[: self._batch_size]
            self._write_segment(batch)
            done = {row.request.key: reply for row in batch if (reply := self._completion(row))}
            finished = list(done.values())
            self._rows = [row for row in self._rows if row.request.key not in done]
        return finished

    def withdraw(self) -> list[str]:
        waiting = [row.request.key for row in self._rows if not row.written]
        self._rows = [row for row in self._rows if row.written]
        return waiting

    def close(self) -> None:
        self._rows.clear()

    def _write_segment(self, batch: Sequence[_Row]) -> None:
        """Write up to `SEGMENT` tokens more for each row, all in one batch."""
        import torch
        from transformers import set_seed

        so_far = [row.prompt + row.written for row in batch]
        shared = common_prefix([row.prompt for row in batch])
        # Left padding goes between the shared beginning and the rest; the mask hides it and positions pass over it.
        rest = self._tokenizer.pad({"input_ids": [ids[len(shared) :] for ids in so_far]}, return_tensors="pt")
        beginning = torch.tensor([shared] * len(batch), dtype=torch.long).reshape(len(batch), len(shared))
        ids = torch.cat([beginning, rest["input_ids"]], dim=1).to(self._model.device)
        mask = torch.cat([torch.ones_like(beginning), rest["attention_mask"]], dim=1).to(self._model.device)
        left = self._sampling.max_tokens - max(len(row.written) for row in batch)
        stops = sorted({stop for row in batch for stop in row.request.prompt.stop})
        set_seed(derive_seed(batch[0].request.seed, len(batch[0].written)) % 2**32)
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=ids,
                attention_mask=mask,
                past_key_values=self._cache_of(shared, len(batch)) if shared else None,
                max_new_tokens=min(SEGMENT, left),
                pad_token_id=self._tokenizer.pad_token_id,
                stopping_criteria=[stop_at(stops, self._tokenizer, [len(row.written) for row in batch], ids.shape[1])],
                **draw_settings(self._sampling),
            )
        for row, tokens in zip(batch, output[:, ids.shape[1] :].tolist(), strict=True):
            row.written += tokens

    def _cache_of(self, shared: list[int], rows: int) -> Any:
        """Keys and values of a shared beginning, for that many rows; those of the last one are kept."""
        import torch
        from transformers import DynamicCache

        if self._shared[0] != shared:
            ids = torch.tensor([shared], device=self._model.device)
            fresh = DynamicCache(config=self._model.config)
            self._shared = shared, self._model(ids, past_key_values=fresh, use_cache=True).past_key_values
        cache = copy.deepcopy(self._shared[1])
        cache.batch_repeat_interleave(rows)
        return cache

    def _completion(self, row: _Row) -> Completion | None:
        """The reply of a row that is done; None while it is not. What a batch wrote after the end is not the reply."""
        ends = self._model.generation_config.eos_token_id
        end_ids = set(ends if isinstance(ends, list) else [ends])
        eos = next((number for number, token in enumerate(row.written) if token in end_ids), None)
        ids = row.written[:eos]
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        cut = first_stop(text, row.request.prompt.stop)
        n_tokens = len(ids) + (eos is not None)
        if cut is not None:
            text = text[:cut]
            # the fewest tokens that hold the stop string, however it falls over them
            n_tokens = bisect_left(
                range(len(ids)), cut, key=lambda n: len(self._tokenizer.decode(ids[:n], skip_special_tokens=True))
            )
        finish: FinishReason = "length" if cut is None and eos is None else "stop"
        if finish == "length" and len(row.written) < self._sampling.max_tokens:
            return None
        return Completion(row.request.key, text, finish, len(row.prompt), n_tokens)

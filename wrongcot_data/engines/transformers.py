"""Teachers on this machine by `transformers.generate`: no server and no GPU needed, one padded batch at a time."""

from __future__ import annotations

import copy
import logging
from bisect import bisect_left
from math import inf
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from wrongcot_data.engines.attention import implementation_for
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request
from wrongcot_data.engines.decoding import common_prefix, draw_settings, end_at, first_stop
from wrongcot_data.engines.running import Row, Running, fresh_cache, repeated, sees, together
from wrongcot_data.engines.tokens import need_template, token_ids, too_long, unknown_token
from wrongcot_data.errors import BadInput, Unavailable, missing_extra
from wrongcot_data.records import FinishReason
from wrongcot_data.spec import derive_seed
from wrongcot_data.teachers.registry import Teacher
from wrongcot_data.teachers.weights import find_weights

BATCHES_HELD = 4
"""How many batches are taken in at once: enough to sort by length, so that a batch pads little."""

SEGMENT = 64
"""Tokens that a batch writes at most before its finished rows make room for others."""

ENOUGH = 8
"""A segment ends when one in so many rows is done: what takes their places writes instead of nothing. Where the batch
begins anew after each segment every second row must be done, since all that stands there is read again."""


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


def _load(folder: Path, device: str, dtype: str) -> tuple[Any, Any]:
    """Tokenizer, which pads on the left, and model. (Any: the library's annotations do not fit what its classes do.)

    Raises:
        BadInput: the folder holds no model that loads.
    """
    import torch
    import transformers
    from safetensors import SafetensorError

    library_logging: Any = transformers.logging
    library_logging.set_verbosity_error()
    library_logging.disable_progress_bar()
    loader: Any = transformers.AutoModelForCausalLM
    try:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, padding_side="left")
        config = transformers.AutoConfig.from_pretrained(folder)
        attention = implementation_for(config, device)
        model, told = loader.from_pretrained(
            folder, dtype=getattr(torch, dtype), attn_implementation=attention, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:  # RuntimeError: weights of another shape
        story = str(error).strip().splitlines()[0]
        hint = "another model    (a name, a Hub id, a folder or a GGUF file)"
        raise BadInput(f"cannot load the model in {folder}: {story}", try_=[hint]) from error
    if told["missing_keys"]:
        raise BadInput(f"{folder} lacks weights that its config asks for, such as {min(told['missing_keys'])}")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = model.to(device).eval()
    with torch.no_grad():
        if not all(bool(torch.isfinite(one).all()) for one in model.parameters()):
            raise BadInput(f"{folder} has weights that are no numbers, so it writes nothing that means anything")
    return tokenizer, model


class TransformersEngine:
    """Holds a model in memory and writes a segment for one batch at a time.

    Rows that are done leave the batch and new ones join it, the longest first. A beginning that all of these share,
    such as the worked examples, is computed once.
    """

    not_honoured: tuple[NotHonoured, ...] = ("seed",)  # a batch shares one random stream, so neighbours matter

    def __init__(self, opening: Opening) -> None:
        try:
            import torch
            import transformers
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
        self._tokenizer, self._model = _load(folder, device, dtype)
        self._room = int(getattr(self._model.config, "max_position_embeddings", 0) or 1 << 30)
        if opening.sampling.max_tokens >= self._room:
            raise BadInput(
                f"max_tokens {opening.sampling.max_tokens} leaves no room: the model holds {self._room} tokens",
                try_=["--max-tokens    (lower)"],
            )
        self._sampling = opening.sampling
        self._batch_size = options.batch_size
        self._waiting: list[Row] = []
        self._running: Running | None = None
        self._failed: list[Completion] = []
        self._shared: tuple[list[int], Any] = ([], None)
        self._sees = sees(fresh_cache(self._model.config))
        self._keeps = self._sees == inf
        ends = self._model.generation_config.eos_token_id
        self._ends = frozenset(ends if isinstance(ends, list) else [ends])
        self.name = f"transformers {transformers.__version__} {dtype} {device}"
        self.capacity = BATCHES_HELD * self._batch_size

    def submit(self, request: Request) -> None:
        need_template(self._tokenizer, request.prompt)
        ids = token_ids(self._tokenizer, request.prompt)
        known = int(self._model.get_input_embeddings().num_embeddings)
        if story := too_long(len(ids), self._sampling.max_tokens, self._room) or unknown_token(ids, known):
            self._failed.append(Completion(request.key, "", "error", len(ids), 0, story))
        else:
            self._waiting.append(Row(request, ids))

    def wait(self) -> list[Completion]:
        finished, self._failed = self._failed, []
        while not finished:
            running = self._filled()
            self._write_segment(running)
            replies = [self._completion(row) for row in running.rows]
            finished = [reply for reply in replies if reply]
            left = [place for place, reply in enumerate(replies) if not reply]
            if self._keeps:
                self._running = together(self._model.config, [(running, left)]) if left else None
            else:
                self._running = None
                self._waiting += [running.rows[place] for place in left]
        return finished

    def withdraw(self) -> list[str]:
        taken_back = [row.request.key for row in self._waiting if not row.written]
        self._waiting = [row for row in self._waiting if row.written]
        return taken_back

    def close(self) -> None:
        self._waiting.clear()
        self._running = None

    def _filled(self) -> Running:
        """The batch with its free places taken; rows that are under way go first, then the longest."""
        running = self._running
        free = self._batch_size - (len(running.rows) if running else 0)
        self._waiting.sort(key=lambda row: (bool(row.written), len(row.prompt)), reverse=True)
        new, self._waiting = self._waiting[:free], self._waiting[free:]
        if running is None:
            return self._read(new)
        if not new:
            return running
        parts = [(one, range(len(one.rows))) for one in (running, self._read(new))]
        return together(self._model.config, parts)

    def _read(self, rows: list[Row]) -> Running:
        """New rows, with the keys and values of all that stands there but the last token."""
        import torch

        tokens = [row.tokens for row in rows]
        # Left padding goes between the shared beginning and the rest; the mask hides it and positions pass over it. A
        # sliding window counts it all the same: where it does not hold everything it would see less of what is before.
        even = len({len(ids) for ids in tokens}) == 1
        held = max(map(len, tokens)) + self._sampling.max_tokens <= self._sees
        shared = common_prefix([row.prompt for row in rows]) if even or held else []
        rest = self._tokenizer.pad({"input_ids": [ids[len(shared) :] for ids in tokens]}, return_tensors="pt")
        beginning = torch.tensor([shared] * len(rows), dtype=torch.long).reshape(len(rows), len(shared))
        ids = torch.cat([beginning, rest["input_ids"]], dim=1).to(self._model.device)
        mask = torch.cat([torch.ones_like(beginning), rest["attention_mask"]], dim=1).to(self._model.device)
        cache = self._cache_of(shared, len(rows)) if shared else fresh_cache(self._model.config)
        if ids.shape[1] - 1 > len(shared):
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            with torch.inference_mode():
                self._model.base_model(  # without the head, whose words nobody reads before the last token
                    input_ids=ids[:, len(shared) : -1],
                    attention_mask=mask[:, :-1],
                    position_ids=positions[:, len(shared) : -1],
                    past_key_values=cache,
                    use_cache=True,
                )
        return Running(rows, ids, mask, cache)

    def _write_segment(self, running: Running) -> None:
        """Write up to `SEGMENT` tokens more for each row, all in one batch."""
        import torch
        from transformers import set_seed

        rows, ids = running.rows, running.ids
        written = [len(row.written) for row in rows]
        stops = [row.request.prompt.stop for row in rows]
        enough = -(-len(rows) // (ENOUGH if self._keeps else 2))
        end = end_at(stops, self._ends, self._tokenizer, written, ids.shape[1], enough)
        set_seed(derive_seed(rows[0].request.seed, written[0]) % 2**32)
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=ids,
                attention_mask=running.mask,
                past_key_values=running.cache,
                max_new_tokens=min(SEGMENT, self._sampling.max_tokens - max(written)),
                pad_token_id=self._tokenizer.pad_token_id,
                stopping_criteria=[end],
                **draw_settings(self._sampling),
            )
        new = output[:, ids.shape[1] :]
        running.ids, running.mask = output, torch.cat([running.mask, torch.ones_like(new)], dim=1)
        for row, tokens in zip(rows, new.tolist(), strict=True):
            row.written += tokens

    def _cache_of(self, shared: list[int], rows: int) -> Any:
        """Keys and values of a shared beginning, for that many rows; those of the last one are kept."""
        import torch

        if self._shared[0] != shared:
            ids = torch.tensor([shared], device=self._model.device)
            fresh = fresh_cache(self._model.config)
            with torch.inference_mode():
                self._model.base_model(input_ids=ids, past_key_values=fresh, use_cache=True)
            self._shared = shared, fresh
        if self._keeps:
            return repeated(self._model.config, self._shared[1], rows, len(shared))
        cache = copy.deepcopy(self._shared[1])
        cache.batch_repeat_interleave(rows)
        return cache

    def _completion(self, row: Row) -> Completion | None:
        """The reply of a row that is done; None while it is not. What a batch wrote after the end is not the reply."""
        eos = next((number for number, token in enumerate(row.written) if token in self._ends), None)
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

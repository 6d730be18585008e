"""Teachers on this machine by `transformers.generate`: no server and no GPU needed, one padded batch at a time."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from wrongcot_data.engines.base import Completion, Engine, Opening, Request, Sampling
from wrongcot_data.errors import missing_extra
from wrongcot_data.records import FinishReason, Prompt
from wrongcot_data.teachers.registry import Teacher
from wrongcot_data.teachers.weights import find_weights

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

MIN_SHARED = 32
"""Tokens from which a beginning that a whole batch shares, such as the worked examples, is worth computing once."""

BATCHES_HELD = 4
"""How many batches are taken in at once: enough to sort by length, so that a batch pads little."""


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


def token_ids(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> list[int]:
    """The prompt as token ids, with exactly one BOS where the tokenizer has one, none where it does not add one.

    Raises:
        ValueError: the chat template and the tokenizer together gave two; a double BOS costs accuracy unnoticed.
    """
    if prompt.messages:
        turns = [{"role": message.role, "content": message.content} for message in prompt.messages]
        text: Any = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    else:
        ids = list(tokenizer(prompt.text)["input_ids"])
    # A tokenizer whose BOS doubles as the mark of a turn (SmolLM2) has it in every turn: only a run of two is wrong.
    if len(ids) > 1 and ids[0] == ids[1] == tokenizer.bos_token_id:
        raise ValueError(f"the prompt begins with two {tokenizer.bos_token!r} tokens")
    return ids


class TransformersEngine:
    """Holds a model in memory and runs what was submitted a batch at a time, longest prompts first."""

    honours_seed = False  # a batch shares one random stream, so a reply depends on its neighbours

    def __init__(self, opening: Opening) -> None:
        try:
            import torch
            import transformers
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise missing_extra(error.name or "transformers", "local") from error
        options = opening.options
        assert isinstance(options, TransformersOptions)
        device = options.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = options.dtype
        if dtype == "auto":
            dtype = "float32" if device == "cpu" else "bfloat16"
        folder = find_weights(opening.teacher).folder
        logging: Any = transformers.logging
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        # Any: the library's own annotations do not fit what its classes do
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        loader: Any = AutoModelForCausalLM
        self._model: Any = loader.from_pretrained(folder, dtype=getattr(torch, dtype)).to(device).eval()
        self._sampling = opening.sampling
        self._batch_size = options.batch_size
        self._held: list[tuple[Request, list[int]]] = []
        self._shared: tuple[list[int], Any] = ([], None)
        self._failed: list[Completion] = []
        self.name = f"transformers {transformers.__version__} {dtype} {device}"
        self.capacity = BATCHES_HELD * self._batch_size

    def submit(self, request: Request) -> None:
        ids = token_ids(self._tokenizer, request.prompt)
        room = int(getattr(self._model.config, "max_position_embeddings", 0) or 1 << 30)
        if len(ids) + self._sampling.max_tokens > room:
            story = f"prompt of {len(ids)} tokens and {self._sampling.max_tokens} to write exceed the model's {room}"
            self._failed.append(Completion(request.key, "", "error", len(ids), 0, story))
            return
        self._held.append((request, ids))

    def wait(self) -> list[Completion]:
        if self._failed:
            failed, self._failed = self._failed, []
            return failed
        self._held.sort(key=lambda pair: len(pair[1]), reverse=True)
        batch, self._held = self._held[: self._batch_size], self._held[self._batch_size :]
        return self._run(batch)

    def close(self) -> None:
        self._held.clear()

    def _run(self, batch: Sequence[tuple[Request, list[int]]]) -> list[Completion]:
        import torch
        from transformers import set_seed

        requests = [request for request, _ in batch]
        shared = common_prefix([ids for _, ids in batch])
        # Left padding goes between the shared beginning and the rest; the mask hides it and positions pass over it.
        rest = self._tokenizer.pad({"input_ids": [ids[len(shared) :] for _, ids in batch]}, return_tensors="pt")
        beginning = torch.tensor([shared] * len(batch), dtype=torch.long).reshape(len(batch), len(shared))
        inputs = {
            "input_ids": torch.cat([beginning, rest["input_ids"]], dim=1).to(self._model.device),
            "attention_mask": torch.cat([torch.ones_like(beginning), rest["attention_mask"]], dim=1).to(
                self._model.device
            ),
        }
        set_seed(requests[0].seed % 2**32)
        with torch.inference_mode():
            if shared:
                inputs["past_key_values"] = self._cache_of(shared, len(batch))
            output = self._model.generate(**inputs, **_settings(self._sampling, requests, self._tokenizer))
        width = inputs["input_ids"].shape[1]
        return [
            self._completion(request, len(ids), row[width:]) for (request, ids), row in zip(batch, output, strict=True)
        ]

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

    def _completion(self, request: Request, n_prompt: int, row: torch.Tensor) -> Completion:
        ends = self._model.generation_config.eos_token_id
        end_ids = set(ends if isinstance(ends, list) else [ends])
        ids: list[int] = row.tolist()
        stop_at = next((i for i, token in enumerate(ids) if token in end_ids), None)
        written = ids if stop_at is None else ids[:stop_at]
        text: str = self._tokenizer.decode(written, skip_special_tokens=True)
        finish: FinishReason = "length" if stop_at is None else "stop"
        cut = first_stop(text, request.prompt.stop)
        if cut is not None:
            # generate goes on for a row until every row of the batch is done: what follows the stop is not the reply
            text, finish = text[:cut], "stop"
            written = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return Completion(request.key, text, finish, n_prompt, len(written) + (stop_at is not None and cut is None))


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


def _settings(sampling: Sampling, requests: Sequence[Request], tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    settings: dict[str, Any] = {"max_new_tokens": sampling.max_tokens, "pad_token_id": tokenizer.pad_token_id}
    stops = sorted({stop for request in requests for stop in request.prompt.stop})
    if stops:
        settings |= {"stop_strings": stops, "tokenizer": tokenizer}
    if sampling.temperature == 0:
        return settings | {"do_sample": False}
    return settings | {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}

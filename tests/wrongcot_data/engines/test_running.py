"""The batch that rows leave and join: nothing of that may be seen in a reply. Tiny models with random weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_tokenizer
from wrongcot_data.engines import get_engine
from wrongcot_data.engines import running as under_way
from wrongcot_data.engines.base import Completion, Opening, Request, Sampling
from wrongcot_data.engines.running import ROOM, fresh_cache, sees
from wrongcot_data.records import Prompt
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import Teacher

MOST = 2 * ROOM + 30

TEXTS = [
    "a",
    "Ben has 3 apples, buys 4 and eats 2 of them",
    "Make 7 of it",
    *(f"The quick brown fox jumps over the lazy dog, {n} times" for n in (12, 3, 77)),
    *("Twice the same", "Twice the same"),
    "And one that is rather longer than all the others, so that they are padded",
]


def save(folder: Path, config: Any) -> Path:
    """A tiny model of this shape."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    make_tokenizer(chat_template=None).save_pretrained(folder)
    return folder


def sizes() -> dict[str, Any]:
    tokenizer = make_tokenizer(chat_template=None)
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 1024,
        "initializer_range": 0.5,
        "tie_word_embeddings": False,  # tied ones make random weights say the same word again and again
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def llama(folder: Path) -> Path:
    from transformers import LlamaConfig

    return save(folder, LlamaConfig(**sizes()))


def qwen(folder: Path) -> Path:
    from transformers import Qwen2Config

    return save(folder, Qwen2Config(**sizes()))


def gemma2(folder: Path) -> Path:
    from transformers import Gemma2Config

    return save(folder, Gemma2Config(**sizes(), sliding_window=16, query_pre_attn_scalar=8))


def gemma3(folder: Path) -> Path:
    from transformers import Gemma3TextConfig

    return save(folder, Gemma3TextConfig(**sizes(), sliding_window=16, query_pre_attn_scalar=8))


def gemma3_wide(folder: Path) -> Path:
    """Its window holds everything."""
    from transformers import Gemma3TextConfig

    return save(folder, Gemma3TextConfig(**sizes(), sliding_window=512, query_pre_attn_scalar=8))


FAMILIES: dict[str, Callable[[Path], Path]] = {
    "llama": llama,
    "qwen": qwen,
    "gemma 2": gemma2,
    "gemma 3": gemma3,
    "gemma 3, wide": gemma3_wide,
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return cache(lambda family: FAMILIES[family](tmp_path_factory.mktemp("families") / family))


@cache
def alone(folder: Path, text: str) -> str:
    """The greedy reply of the library alone: one prompt, its own attention and cache, no segments."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = tokenizer(text, return_tensors="pt")
    output = model.generate(**ids, max_new_tokens=MOST, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    told: str = tokenizer.decode(output[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
    return told


def asked(folder: Path, prompts: Sequence[Prompt], batch_size: int) -> list[Completion]:
    """The greedy replies of the engine, each given a place when one falls free."""
    kind, task = get_engine("transformers"), get_task("countdown")
    sampling = Sampling(temperature=0.0, top_p=1.0, max_tokens=MOST)
    engine = kind.open(Opening(Teacher("t", path=str(folder)), kind.options(batch_size=batch_size), sampling, task, {}))
    for number, prompt in enumerate(prompts):
        engine.submit(Request(str(number), "p", prompt, number))
    found: dict[str, Completion] = {}
    while len(found) < len(prompts):
        found |= {one.key: one for one in engine.wait()}
    engine.close()
    return [found[str(number)] for number in range(len(prompts))]


@pytest.mark.parametrize("batch_size", [1, 3, 32])
@pytest.mark.parametrize("family", FAMILIES)
def test_replies_are_the_librarys_own_whoever_leaves_and_joins(
    family: str, batch_size: int, models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrongcot_data.engines.transformers.SEGMENT", 37)
    folder = models(family)
    whole = [alone(folder, text) for text in TEXTS]
    # each is stopped at another place, where it gets there, so that they leave at different times
    stops = [reply[10 * place + 4 : 10 * place + 8] for place, reply in enumerate(whole)]
    prompts = [Prompt("t", text=text, stop=(stop,) if stop else ()) for text, stop in zip(TEXTS, stops, strict=True)]
    expected = [
        reply[: reply.index(stop) + len(stop)] if stop else reply for reply, stop in zip(whole, stops, strict=True)
    ]
    assert len({len(reply) for reply in expected}) > 5
    assert [reply.text for reply in asked(folder, prompts, batch_size)] == expected


@pytest.mark.parametrize("family", ["llama", "gemma 3"])
def test_long_replies_outgrow_the_room_that_was_made(family: str, models: Callable[[str], Path]) -> None:
    replies = asked(models(family), [Prompt("t", text=text) for text in TEXTS], 4)
    assert [reply.text for reply in replies] == [alone(models(family), text) for text in TEXTS]
    assert max(reply.n_tokens for reply in replies) > 2 * ROOM


def test_rows_leave_and_join_where_every_layer_keeps_every_key(models: Callable[[str], Path]) -> None:
    from transformers import AutoConfig

    seen = {family: sees(fresh_cache(AutoConfig.from_pretrained(models(family)))) for family in FAMILIES}
    assert seen == {"llama": inf, "qwen": inf, "gemma 2": 16, "gemma 3": 16, "gemma 3, wide": 512}


def test_what_is_written_is_not_read_again(models: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from wrongcot_data.engines.transformers import TransformersEngine

    read: list[int] = []
    whole = TransformersEngine._read

    def counted(engine: TransformersEngine, rows: list[under_way.Row]) -> under_way.Running:
        read.extend(len(row.tokens) for row in rows)
        return whole(engine, rows)

    monkeypatch.setattr(TransformersEngine, "_read", counted)
    monkeypatch.setattr("wrongcot_data.engines.transformers.SEGMENT", 10)
    asked(models("llama"), [Prompt("t", text=text) for text in TEXTS], 3)
    assert sorted(read) == sorted(len(text) for text in TEXTS)


def test_columns_that_no_row_needs_are_cut(models: Callable[[str], Path]) -> None:
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(models("llama"))
    cache_of_three = fresh_cache(config)
    for number in range(len(cache_of_three.layers)):
        states = torch.arange(3 * 2 * 5 * 8, dtype=torch.float32).reshape(3, 2, 5, 8)
        cache_of_three.update(states, -states, number)
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]])
    rows = [under_way.Row(Request(str(n), "p", Prompt("t"), n), [n]) for n in range(3)]
    running = under_way.Running(rows, torch.arange(18).reshape(3, 6), mask, cache_of_three)
    before = [(layer.keys.clone(), layer.values.clone()) for layer in cache_of_three.layers]
    again = under_way.Running(rows, running.ids, mask, copy.deepcopy(cache_of_three))
    less = under_way.together(config, [(running, [2, 1])])
    assert [row.request.key for row in less.rows] == ["2", "1"]
    assert less.ids.tolist() == [[14, 15, 16, 17], [8, 9, 10, 11]]
    assert less.mask.tolist() == [[0, 1, 1, 1], [1, 1, 1, 1]]
    assert all(layer.keys is layer.values is layer.room is None for layer in cache_of_three.layers)  # let go of
    for (keys, values), after in zip(before, less.cache.layers, strict=True):
        assert torch.equal(after.keys, keys[[2, 1], :, -3:])
        assert torch.equal(after.values, values[[2, 1], :, -3:])
    both = under_way.together(config, [(less, [0]), (again, [0])])
    assert both.mask.tolist() == [[0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1]]
    assert both.cache.layers[0].keys.shape[2] == 5

"""Tiny random students in the shape of each family: its model class, a tokenizer of its kind, its chat template.

The tokenizers are trained here on the texts that the test gives; the templates are ours, in the form of each family's.
What is kept of a family is what has gone wrong with it before: who writes the BOS, what a turn ends in and whether a
newline follows, whether EOS is that end, how digits and spaces fall into tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Family:
    """A family's shape, and by hand what its rows must look like.

    Attributes:
        config: names the config class of `transformers`; `model` the model class; `extra` goes to the config.
        special: its special tokens; padding first.
        core: makes an untrained tokenizer.
        template: the chat template.
        bos: the token that begins a row; empty where there is none.
        eos: the tokenizer's own end of sequence; `stops` are those of the generation config.
        opening, asking, end: the text before the user turn, between it and the reply, and after the reply.
        unwrapped: the part of `end` that stops the student.
    """

    config: str
    model: str
    special: Sequence[str]
    core: Callable[[], Any]
    template: str
    bos: str
    eos: str
    stops: Sequence[str]
    opening: str
    asking: str
    end: str
    extra: dict[str, Any] = field(default_factory=dict)


def byte_level(pieces: str) -> Callable[[], Any]:
    """BPE over bytes, text first cut by a pattern, as of Llama 3 and Qwen 2."""

    def make() -> Any:
        from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

        core = Tokenizer(models.BPE())
        core.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pieces), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        core.decoder = decoders.ByteLevel()
        return core

    return make


def sentence_piece() -> Any:
    """BPE whose spaces are `▁`, digits apart, bytes for what it does not know, as of Gemma."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    core = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    core.normalizer = normalizers.Replace(" ", "▁")
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"\d|\n+|▁?[^▁\d\n]+|▁"), "isolated")
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return core


LLAMA = Family(
    config="LlamaConfig",
    model="LlamaForCausalLM",
    special=(
        *("<|finetune_right_pad_id|>", "<|begin_of_text|>", "<|end_of_text|>", "<|eom_id|>"),
        *("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    ),
    core=byte_level(r" ?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+\n*|\s+"),
    template=(
        "{{ bos_token }}{% for message in messages %}"
        "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim }}"
        "{{ '<|eot_id|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
    ),
    bos="<|begin_of_text|>",
    eos="<|eot_id|>",
    stops=("<|end_of_text|>", "<|eom_id|>", "<|eot_id|>"),
    opening="<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n",
    asking="<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    end="<|eot_id|>",
)

IM_TURNS = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SYSTEM = "You are a helpful assistant."


def _qwen(system: str) -> Family:
    turn = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    default = "{% if messages[0]['role'] != 'system' %}{{ '" + turn + "' }}{% endif %}" if system else ""
    return Family(
        config="Qwen2Config",
        model="Qwen2ForCausalLM",
        special=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        core=byte_level(r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+\n*|\s+"),
        template=default + IM_TURNS,
        bos="",
        eos="<|im_end|>",
        stops=("<|im_end|>", "<|endoftext|>"),
        opening=f"{turn}<|im_start|>user\n",
        asking="<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>\n",
    )


def _gemma(config: str, model: str) -> Family:
    return Family(
        config=config,
        model=model,
        special=("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"),
        core=sentence_piece,
        template=(
            "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
            "{% for message in messages %}"
            "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
            "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
        ),
        bos="<bos>",
        eos="<eos>",
        stops=("<eos>", "<end_of_turn>"),
        opening="<bos><start_of_turn>user\n",
        asking="<end_of_turn>\n<start_of_turn>model\n",
        end="<end_of_turn>\n",
        extra={"head_dim": 16, "sliding_window": 64, "query_pre_attn_scalar": 16},
    )


FAMILIES = {
    "llama": LLAMA,
    "qwen2": _qwen(""),
    "qwen2-system": _qwen(SYSTEM),
    "gemma2": _gemma("Gemma2Config", "Gemma2ForCausalLM"),
    "gemma3": _gemma("Gemma3TextConfig", "Gemma3ForCausalLM"),
}


def train_tokenizer(family: Family, texts: Iterable[str]) -> Any:
    """A tokenizer of the family's kind whose merges end where each piece of the texts is one token."""
    from tokenizers import processors, trainers
    from transformers import PreTrainedTokenizerFast

    core = family.core()
    core.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=5_000, special_tokens=list(family.special), show_progress=False)
    )
    if family.bos:  # added to plain text, and a second time to a rendered chat by whoever does not take care
        core.post_processor = processors.TemplateProcessing(
            single=f"{family.bos} $A", special_tokens=[(family.bos, core.token_to_id(family.bos))]
        )
    names = {"bos_token": family.bos} if family.bos else {}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=family.special[0], eos_token=family.eos, **names
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(family.special)})
    tokenizer.chat_template = family.template
    return tokenizer


def save_family(folder: Path, family: Family, texts: Iterable[str]) -> Path:
    """A random model of the family of some ten thousand weights, saved with its tokenizer and generation config."""
    import torch
    import transformers

    tokenizer = train_tokenizer(family, texts)
    torch.manual_seed(0)
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 1024,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = getattr(transformers, family.config)(**(settings | family.extra))
    model = getattr(transformers, family.model)(config)
    model.generation_config.eos_token_id = tokenizer.convert_tokens_to_ids(list(family.stops))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
